#include "relay/core/origin.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/sorted_rows.h"
#include "relay/core/feed_log.h"

namespace guantong {

namespace {

absl::Status ClockAheadError(const FeedState& feed) {
  return Error(absl::StatusCode::kUnavailable, "clock_ahead",
               "the neighbours' clocks say that ours is more than ten minutes ahead; nothing is "
               "signed until it is right",
               feed.record.feed().resource(),
               "set the clock of this machine; see `guantong doctor`");
}

// Of a block, or a serialised RowBatch; 0 for what is neither.
uint64_t RowsIn(const std::string& payload) {
  if (SortedRows::IsBlock(payload)) {
    const absl::StatusOr<SortedRows> block = SortedRows::Check(payload);
    return block.ok() ? block->rows() : 0;
  }
  v1::RowBatch rows;
  return rows.ParseFromString(payload) ? static_cast<uint64_t>(rows.changes_size()) : 0;
}

absl::Status Recovering(const FeedState& feed) {
  return Error(
      absl::StatusCode::kUnavailable, "feed_recovering",
      "this node was restored, and takes back records of its own that neighbours still hold",
      feed.record.feed().resource(), "try again in a few seconds; see `guantong feeds`");
}

}  // namespace

absl::Status Origin::MaySign(const FeedState& feed) const {
  if (feed.recovery.has_value() || core_.restored.has_value()) return Recovering(feed);
  if (ClockAhead()) return ClockAheadError(feed);
  return absl::OkStatus();
}

// The parent's word, or that of all children where there are several: one wrong clock below must
// not silence its parent.
bool Origin::ClockAhead() const {
  int children = 0;
  int behind = 0;
  for (const auto& [link, peer] : core_.peers) {
    if (!peer.hello) continue;
    const bool ahead = peer.clock_offset < -absl::Seconds(kClockAheadSeconds);
    if (peer.who.is_parent) return ahead;
    ++children;
    behind += ahead ? 1 : 0;
  }
  return children > 1 && behind == children;
}

void Origin::ClockCompared(Turn& turn) {
  if (ClockAhead()) {
    if (!std::exchange(core_.clock_ahead, true)) {
      turn.Alarm(
          "the neighbours' clocks say that ours is more than ten minutes ahead: nothing is signed "
          "until it is right");
    }
    return;
  }
  core_.clock_ahead = false;
  if (core_.restored.has_value()) return;
  std::vector<FeedState*> own;
  for (auto& [key, feed] : core_.feeds) {
    if (feed.own && !feed.recovery.has_value()) own.push_back(&feed);
  }
  for (FeedState* feed : own) {
    // Signed while the clock was wrong: neighbours refuse it for as long as it was ahead, and take
    // a snapshot of a new epoch at once.
    if (TimeOf(feed->record.last_signed_at()) > turn.now + absl::Seconds(kClockAheadSeconds) &&
        !feed->record.closed()) {
      Reopen(turn, *feed);
    }
    if (feed->push_stalled) ContinuePush(turn, *feed);
  }
}

FeedState& Origin::OwnFeed(Turn& turn, v1::FeedKind kind, const std::string& resource) {
  v1::FeedId id;
  id.set_origin(core_.self_id());
  id.set_kind(kind);
  id.set_resource(resource);
  if (FeedState* feed = core_.Find(FeedKey::Of(id))) return *feed;
  return OpenFeed(core_, turn, id, core_.self_path(), /*applied=*/true);
}

void Origin::Append(Turn& turn, FeedState& feed, v1::BatchHeader header, uint64_t records,
                    std::string payload) {
  const v1::Position& head = feed.record.head();
  *header.mutable_feed() = feed.record.feed();
  if (!header.has_epoch()) {
    *header.mutable_epoch() = head.epoch();
    header.set_prev(head.sequence());
  }
  header.set_last(header.prev() + records);
  header.set_prev_hash(head.chain_hash());
  header.set_signer_chain(core_.own_chain_digest);
  absl::Time signed_at = std::max(turn.now, TimeOf(feed.record.last_signed_at()));
  // After a clock that was wrong only a new epoch goes back.
  if (header.prev() == 0 && signed_at > turn.now + absl::Seconds(kClockAheadSeconds))
    signed_at = turn.now;
  *header.mutable_signed_at() = ToTimestamp(signed_at);
  header.set_compression(v1::COMPRESSION_NONE);
  if (header.encoding() != v1::ENCODING_SORTED_ROWS) {
    v1::Compression compression;
    payload = EncodePayload(payload, &compression);
    header.set_compression(compression);
  }
  header.set_sealing(v1::SEALING_NONE);

  ParsedBatch parsed;
  v1::SignedBatch batch = SealBatch(std::move(header), std::move(payload), core_.identity.key,
                                    core_.chains.network(), &parsed.chain_hash);
  GT_CHECK(parsed.header.ParseFromString(batch.header()));
  parsed.key = feed.key;
  AppendBatch(core_, turn, feed, parsed, batch, nullptr);
}

void Origin::OpenEpoch(Turn& turn, FeedState& feed, const v1::DatasetSchema* schema) {
  v1::EpochOpened opened;
  const v1::Position& head = feed.record.head();
  if (head.epoch().number() > 0) *opened.mutable_predecessor() = head;
  v1::BatchHeader header;
  header.mutable_epoch()->set_number(std::max(feed.epoch_number_max, head.epoch().number()) + 1);
  header.mutable_epoch()->set_id(core_.random(16));
  header.set_prev(0);
  header.set_push_end(true);
  feed.epoch_opened_at = turn.now;
  if (feed.kind() != v1::FEED_KIND_ROWS) {
    v1::Records records;
    *records.add_records()->mutable_epoch_opened() = opened;
    header.set_encoding(v1::ENCODING_RECORDS);
    header.set_commit(feed.record.commit());
    return Append(turn, feed, std::move(header), 1, records.SerializeAsString());
  }
  v1::RowBatch rows;
  rows.set_opened(opened.SerializeAsString());
  rows.set_schema(schema != nullptr ? schema->SerializeAsString() : feed.table->record().schema());
  v1::DatasetSchema parsed;
  parsed.ParseFromString(rows.schema());
  header.set_schema_version(parsed.version());
  header.set_encoding(v1::ENCODING_ROWS);
  // Commit 0 is the empty dataset; an epoch opened later is a commit of its own, that changes no
  // row.
  header.set_commit(head.epoch().number() > 0 ? feed.record.commit() + 1 : 0);
  header.set_rows(feed.table->record().rows());
  Append(turn, feed, std::move(header), 2, rows.SerializeAsString());
}

// --- record feeds --------------------------------------------------------------------------------

void Origin::On(Turn& turn, AppendRecords event) {
  FeedState& feed = OwnFeed(turn, event.kind, "");
  if (absl::Status may = MaySign(feed); !may.ok()) return Finish(turn, event.token, std::move(may));
  if (event.records.empty()) {
    turn.writes().Append(std::move(event.extra));
    return FinishWhenDurable(turn, event.token, feed);
  }
  if (feed.record.head().epoch().number() == 0) OpenEpoch(turn, feed, nullptr);
  v1::Records records;
  for (v1::Record& record : event.records) *records.add_records() = std::move(record);
  v1::BatchHeader header;
  header.set_encoding(v1::ENCODING_RECORDS);
  header.set_commit(feed.record.commit() + 1);
  header.set_push_end(true);
  header.set_author(event.author);
  Append(turn, feed, std::move(header), static_cast<uint64_t>(records.records_size()),
         records.SerializeAsString());
  turn.writes().Append(std::move(event.extra));
  FinishWhenDurable(turn, event.token, feed);
}

// --- rows feeds ----------------------------------------------------------------------------------

void Origin::On(Turn& turn, OpenRows event) {
  FeedState& feed = OwnFeed(turn, v1::FEED_KIND_ROWS, event.resource);
  if (absl::Status may = MaySign(feed); !may.ok()) return Finish(turn, event.token, std::move(may));
  if (feed.push.has_value()) {
    return Finish(turn, event.token,
                  Error(absl::StatusCode::kFailedPrecondition, "push_open",
                        "a push of this dataset is still being taken in", event.resource,
                        "try again when it has ended"));
  }
  if (feed.record.closed()) {
    return Finish(turn, event.token,
                  Error(absl::StatusCode::kFailedPrecondition, "dataset_closed",
                        "this dataset has ended, nothing may follow its end", event.resource,
                        "bind the data to a new resource"));
  }
  // Shared again it says so with a record: those who were refused learn it by what comes.
  const bool shared_again =
      event.shared && !feed.record.shared() && feed.record.head().epoch().number() != 0;
  feed.record.set_shared(event.shared);
  if (feed.record.head().epoch().number() == 0) {
    OpenEpoch(turn, feed, &event.schema);
  } else if (shared_again || event.schema.SerializeAsString() != feed.table->record().schema()) {
    v1::RowBatch rows;
    rows.set_schema(event.schema.SerializeAsString());
    v1::BatchHeader header;
    header.set_encoding(v1::ENCODING_ROWS);
    header.set_schema_version(event.schema.version());
    header.set_commit(feed.record.commit() + 1);
    header.set_push_end(true);
    header.set_rows(feed.table->record().rows());
    Append(turn, feed, std::move(header), 1, rows.SerializeAsString());
  } else {
    SaveFeed(core_, turn, feed);
  }
  FinishWhenDurable(turn, event.token, feed);
}

void Origin::On(Turn& turn, CloseRows event) {
  v1::FeedId id;
  id.set_origin(core_.self_id());
  id.set_kind(v1::FEED_KIND_ROWS);
  id.set_resource(event.resource);
  FeedState* feed = core_.Find(FeedKey::Of(id));
  if (feed == nullptr || feed->record.closed()) return Finish(turn, event.token, absl::OkStatus());
  if (absl::Status may = MaySign(*feed); !may.ok())
    return Finish(turn, event.token, std::move(may));
  if (feed->push.has_value()) {
    return Finish(turn, event.token,
                  Error(absl::StatusCode::kFailedPrecondition, "push_open",
                        "a push of this dataset is still being taken in", event.resource,
                        "try again when it has ended"));
  }
  v1::Records records;
  records.add_records()->mutable_feed_closed()->set_final_hash(feed->record.head().chain_hash());
  v1::BatchHeader header;
  header.set_encoding(v1::ENCODING_RECORDS);
  header.set_commit(feed->record.commit() + 1);
  header.set_push_end(true);
  header.set_rows(feed->table->record().rows());
  Append(turn, *feed, std::move(header), 1, records.SerializeAsString());
  FinishWhenDurable(turn, event.token, *feed);
}

void Origin::On(Turn& turn, PushRows event) {
  FeedState* feed = core_.Find(event.feed);
  auto refuse = [&](absl::StatusCode code, absl::string_view reason, absl::string_view text) {
    Finish(turn, event.token,
           Error(code, reason, text, feed == nullptr ? "" : feed->record.feed().resource(),
                 "try again"));
  };
  if (feed == nullptr || !feed->own || feed->record.closed()) {
    return refuse(absl::StatusCode::kNotFound, "dataset_unknown",
                  "there is no such dataset at this node");
  }
  if (absl::Status may = MaySign(*feed); !may.ok())
    return Finish(turn, event.token, std::move(may));
  if (feed->push.has_value() || feed->held_push.has_value()) {
    return refuse(absl::StatusCode::kFailedPrecondition, "push_open",
                  "another push of this dataset is being taken in");
  }
  if (feed->table->record().commit() != event.base_commit) {
    return refuse(absl::StatusCode::kFailedPrecondition, "base_moved",
                  "the dataset has changed meanwhile");
  }
  if (event.staged == 0 && RowsIn(event.payload) == 0) {
    return Finish(turn, event.token,
                  Error(absl::StatusCode::kInvalidArgument, "push_empty", "a push without a change",
                        feed->record.feed().resource()));
  }
  if (feed->table->crowded() && !feed->merge_failed) {
    feed->held_push = std::move(event);
    return;
  }
  storage::v1::PendingPush push;
  push.set_push_id(event.push_id);
  push.set_commit(feed->record.commit() + 1);
  push.set_payloads(event.staged);
  push.set_author(event.author);
  *push.mutable_record() = std::move(event.record);
  push.set_rows_after(event.rows_after);
  feed->push = std::move(push);
  feed->push_token = event.token;
  if (event.staged == 0) {
    return AppendPushBatch(turn, *feed, std::move(event.payload), /*end=*/true, event.joined);
  }
  GT_CHECK(event.joined.empty());
  // From here on the push is promised: a restart goes on with it.
  turn.writes().Put(PendingPushKey(feed->key), feed->push->SerializeAsString());
  ContinuePush(turn, *feed);
}

void Origin::On(Turn& turn, const AwaitPush& event) {
  FeedState* feed = core_.Find(event.feed);
  if (feed != nullptr && feed->push.has_value() && feed->push->push_id() == event.push_id) {
    feed->push_awaited.push_back(event.token);
    return;
  }
  // Its end may be ordered and not durable yet.
  turn.when_durable.push_back(
      [this, token = event.token](Turn& later) { Finish(later, token, absl::OkStatus()); });
}

void Origin::ContinuePush(Turn& turn, FeedState& feed) {
  if (!feed.push.has_value() || feed.push->payloads() == 0) return;
  feed.push_stalled = !MaySign(feed).ok();
  if (feed.push_stalled) return;
  storage::v1::PendingPush& push = *feed.push;
  std::string payload;
  absl::Status read = core_.store->Get(StagedKey(feed.key, push.push_id(), push.next()), &payload);
  if (!read.ok()) {
    turn.Alarm(absl::StrCat("staged rows of a push of ", feed.record.feed().resource(),
                            " cannot be read: ", std::string(read.message())));
    return;
  }
  push.set_next(push.next() + 1);
  const bool end = push.next() == push.payloads();
  if (!end) turn.writes().Put(PendingPushKey(feed.key), push.SerializeAsString());
  AppendPushBatch(turn, feed, std::move(payload), end);
  if (end) return;
  turn.when_durable.push_back([this, key = feed.key](Turn& later) {
    if (FeedState* state = core_.Find(key)) ContinuePush(later, *state);
  });
}

void Origin::AppendPushBatch(Turn& turn, FeedState& feed, std::string payload, bool end,
                             const std::vector<EndedPush>& joined) {
  storage::v1::PendingPush& push = *feed.push;
  const uint64_t rows = RowsIn(payload);
  v1::BatchHeader header;
  header.set_encoding(SortedRows::IsBlock(payload) ? v1::ENCODING_SORTED_ROWS : v1::ENCODING_ROWS);
  if (header.encoding() != core_.RowsEncoding() && SortedRows::IsBlock(payload)) {
    v1::RowBatch unpacked;
    GT_CHECK(UnpackBlock(payload, &unpacked).ok());
    payload = unpacked.SerializeAsString();
    header.set_encoding(v1::ENCODING_ROWS);
  }
  header.set_commit(push.commit());
  header.set_push_id(push.push_id());
  header.set_push_end(end);
  header.set_author(push.author());
  header.set_schema_version(feed.record.schema_version());
  for (const EndedPush& other : joined) header.add_joined_push_ids(other.push_id);
  if (end) header.set_rows(push.rows_after());
  Append(turn, feed, std::move(header), rows, std::move(payload));
  if (!end) return;

  for (const EndedPush& other : joined) KeepResult(turn, feed, other.push_id, other.record);
  KeepResult(turn, feed, push.push_id(), push.record());
  if (push.payloads() > 0) {
    turn.writes().Delete(PendingPushKey(feed.key));
    turn.writes().DeleteRange(StagedPrefix(feed.key), PrefixEnd(StagedPrefix(feed.key)));
  }
  FinishWhenDurable(turn, feed.push_token, feed);
  for (Token token : std::exchange(feed.push_awaited, {})) FinishWhenDurable(turn, token, feed);
  feed.push.reset();
  feed.push_token = 0;
}

void Origin::KeepResult(Turn& turn, const FeedState& feed, const std::string& push_id,
                        storage::v1::PushRecord record) {
  record.mutable_response()->set_commit(feed.record.commit());
  *record.mutable_response()->mutable_position() = feed.record.head();
  *record.mutable_at() = ToTimestamp(turn.now);
  turn.writes().Put(PushKey(feed.key, push_id), record.SerializeAsString());
  turn.writes().Put(
      PushAgeKey(static_cast<uint64_t>(absl::ToUnixMillis(turn.now)), feed.key, push_id), "");
}

void Origin::ResumePushes(Turn& turn) {
  for (auto& [key, feed] : core_.feeds) {
    if (feed.push.has_value()) ContinuePush(turn, feed);
  }
}

// --- results -------------------------------------------------------------------------------------

void Origin::Finish(Turn& turn, Token token, absl::Status status) {
  if (token != 0)
    turn.effects.writes_done.push_back(
        {.token = token, .status = std::move(status), .position = {}});
}

void Origin::FinishWhenDurable(Turn& turn, Token token, const FeedState& feed) {
  if (token == 0) return;
  turn.when_durable.push_back(
      [token, position = feed.record.head(), commit = feed.record.commit()](Turn& later) {
        later.effects.writes_done.push_back(
            {.token = token, .status = absl::OkStatus(), .position = position, .commit = commit});
      });
}

}  // namespace guantong
