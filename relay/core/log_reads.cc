#include "relay/core/log_reads.h"

#include <algorithm>
#include <utility>

#include "catalog/base/status.h"
#include "catalog/batch.h"
#include "catalog/logged.h"

namespace guantong {

Bytes FrameOf(v1::SignedBatch batch) {
  v1::Frame frame;
  *frame.mutable_batch() = std::move(batch);
  return std::make_shared<const std::string>(frame.SerializeAsString());
}

absl::StatusOr<v1::Position> PredecessorOf(const v1::BatchHeader& header,
                                           const v1::SignedBatch& batch) {
  GT_ASSIGN_OR_RETURN(std::string payload, DecodePayload(header.compression(), batch.payload()));
  v1::EpochOpened opened;
  if (header.encoding() == v1::ENCODING_ROWS) {
    v1::RowBatch rows;
    if (rows.ParseFromString(payload) && opened.ParseFromString(rows.opened()))
      return opened.predecessor();
  } else {
    v1::Records records;
    if (records.ParseFromString(payload) && records.records_size() > 0 &&
        records.records(0).has_epoch_opened()) {
      return records.records(0).epoch_opened().predecessor();
    }
  }
  return Error(absl::StatusCode::kInvalidArgument, "epoch_malformed",
               "the first batch of an epoch does not say what came before");
}

Mark SendableTo(const FeedState& feed) {
  const v1::Position& head = feed.record.head();
  const bool ahead = !feed.own && head.epoch().id() == feed.durable.epoch().id();
  return MarkOf(ahead ? head : feed.durable);
}

std::optional<TailBatch> NextBatch(const Core& core, const FeedState& feed, uint64_t epoch,
                                   uint64_t sequence, bool* gone) {
  *gone = false;
  const Mark from{epoch, sequence};
  const Mark sendable = SendableTo(feed);
  if (sendable <= from) return std::nullopt;
  auto follows = [&](uint64_t e, uint64_t prev) {
    return e == epoch ? prev == sequence : e > epoch && prev == 0;
  };
  auto it = std::upper_bound(feed.tail.begin(), feed.tail.end(), std::make_pair(epoch, sequence),
                             [](const std::pair<uint64_t, uint64_t>& at, const TailBatch& batch) {
                               return at < std::make_pair(batch.epoch, batch.last);
                             });
  // Only the whole log shows that an epoch's first batch is the next one.
  if (it != feed.tail.end() && it->epoch == epoch && it->prev == sequence) {
    if (sendable < Mark{it->epoch, it->last}) return std::nullopt;
    return *it;
  }
  const Mark durable = MarkOf(feed.durable);
  if (durable <= from) return std::nullopt;
  auto cursor =
      core.store->Scan(LogKey(feed.key, epoch, sequence + 1), PrefixEnd(LogPrefix(feed.key)));
  absl::StatusOr<LoggedHead> head = absl::NotFoundError("the end");
  if (cursor->Valid()) head = ReadLoggedHead(cursor->value());
  if (!head.ok() || !follows(head->header.epoch().number(), head->header.prev())) {
    *gone = true;
    return std::nullopt;
  }
  const v1::BatchHeader& header = head->header;
  if (durable < Mark{header.epoch().number(), header.last()}) return std::nullopt;
  absl::StatusOr<v1::SignedBatch> batch = ReadLogged(*core.store, feed.key, cursor->value());
  if (!batch.ok()) {
    *gone = true;
    return std::nullopt;
  }
  return TailBatch{.epoch = header.epoch().number(),
                   .prev = header.prev(),
                   .last = header.last(),
                   .signer_chain = header.signer_chain(),
                   .frame = FrameOf(*std::move(batch))};
}

Bytes BatchAround(const Core& core, const FeedState& feed, uint64_t epoch, uint64_t sequence,
                  std::string* signer_chain) {
  for (const uint64_t from : {sequence, uint64_t{0}}) {
    auto cursor = core.store->Scan(LogKey(feed.key, epoch, from), LogKey(feed.key, epoch + 1, 0));
    if (!cursor->Valid()) continue;
    absl::StatusOr<v1::SignedBatch> batch = ReadLogged(*core.store, feed.key, cursor->value());
    v1::BatchHeader header;
    if (!batch.ok() || !header.ParseFromString(batch->header())) continue;
    *signer_chain = header.signer_chain();
    return FrameOf(*std::move(batch));
  }
  return nullptr;
}

Place Locate(const Core& core, const FeedState& feed, const v1::Position& position) {
  const uint64_t epoch = position.epoch().number();
  const bool newest_epoch = epoch == feed.durable.epoch().number();
  if (SamePosition(position, feed.durable)) return Place::kHere;
  if (newest_epoch && position.epoch().id() != feed.durable.epoch().id()) return Place::kFork;
  if (MarkOf(position) > MarkOf(feed.durable)) return Place::kAhead;
  if (SamePosition(position, feed.record.log_from())) return Place::kHere;
  // Another history within an epoch that has ended is superseded already: whoever holds it needs a
  // snapshot, nobody a new epoch.
  const Place other = newest_epoch ? Place::kFork : Place::kGone;
  // Before the first batch there is nothing to compare.
  if (position.sequence() == 0) {
    bool gone = false;
    NextBatch(core, feed, epoch, 0, &gone);
    return gone ? Place::kGone : Place::kHere;
  }
  std::string bytes;
  if (!core.store->Get(LogKey(feed.key, epoch, position.sequence()), &bytes).ok()) {
    // No batch ends there. Inside what the log still holds that is another history.
    return MarkOf(position) > MarkOf(feed.record.log_from()) ? other : Place::kGone;
  }
  const absl::StatusOr<LoggedHead> head = ReadLoggedHead(bytes);
  if (!head.ok()) return Place::kGone;
  return SamePosition(head->position, position) ? Place::kHere : other;
}

bool BeyondCuts(const google::protobuf::RepeatedPtrField<v1::Position>& cuts,
                const v1::Position& position) {
  for (const v1::Position& cut : cuts) {
    if (cut.epoch().number() != position.epoch().number()) continue;
    return cut.epoch().id() != position.epoch().id() || position.sequence() > cut.sequence();
  }
  // A number that the history in force has passed over; of those before the oldest cut nothing is
  // known.
  return !cuts.empty() && position.epoch().number() > cuts.begin()->epoch().number();
}

bool IsSuperseded(const Core& core, const FeedState& feed, const v1::Position& position) {
  const storage::v1::FeedRecord& record = feed.record;
  if (position.epoch().number() == 0 || position.epoch().number() >= record.head().epoch().number())
    return false;
  if (BeyondCuts(record.cuts(), position)) return true;
  // Within what the log still holds, a place where no batch ends or another one does.
  return MarkOf(position) > MarkOf(record.log_from()) &&
         Locate(core, feed, position) == Place::kGone;
}

}  // namespace guantong
