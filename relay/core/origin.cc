#include "relay/core/origin.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "relay/core/feed_log.h"

namespace guantong {

namespace {

// A neighbour that claims to hold more and never shows it must not stop an origin for good.
constexpr absl::Duration kRecoverWithin = absl::Seconds(30);
// Against a neighbour that reports forks to make us open epochs.
constexpr absl::Duration kEpochEvery = absl::Minutes(1);

absl::Status Recovering(const FeedState& feed) {
  return Error(absl::StatusCode::kUnavailable, "feed_recovering",
               "this node takes back records of its own that a neighbour still holds",
               feed.record.feed().resource(), "try again in a few seconds; see `guantong feeds`");
}

}  // namespace

FeedState& Origin::OwnFeed(Turn& turn, v1::FeedKind kind, const std::string& resource) {
  v1::FeedId id;
  id.set_origin(core_.self_id());
  id.set_kind(kind);
  id.set_resource(resource);
  if (FeedState* feed = core_.Find(FeedKey::Of(id))) return *feed;
  return OpenFeed(core_, turn, id, core_.self_path(), /*applied=*/true);
}

void Origin::Append(Turn& turn, FeedState& feed, v1::BatchHeader header, uint64_t records,
                    const std::string& plain_payload) {
  const v1::Position& head = feed.record.head();
  *header.mutable_feed() = feed.record.feed();
  if (!header.has_epoch()) {
    *header.mutable_epoch() = head.epoch();
    header.set_prev(head.sequence());
  }
  header.set_last(header.prev() + records);
  header.set_prev_hash(head.chain_hash());
  header.set_signer_chain(core_.own_chain_digest);
  const absl::Time signed_at = std::max(turn.now, TimeOf(feed.record.last_signed_at()));
  *header.mutable_signed_at() = ToTimestamp(signed_at);
  v1::Compression compression;
  std::string payload = EncodePayload(plain_payload, &compression);
  header.set_compression(compression);
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
  // Commit 0 is the empty dataset; an epoch opened later is a commit of its own, that changes no row.
  header.set_commit(head.epoch().number() > 0 ? feed.record.commit() + 1 : 0);
  header.set_rows(feed.table->record().rows());
  Append(turn, feed, std::move(header), 2, rows.SerializeAsString());
}

// --- record feeds ---------------------------------------------------------------------------------------------

void Origin::On(Turn& turn, AppendRecords event) {
  FeedState& feed = OwnFeed(turn, event.kind, "");
  if (feed.recover_to.has_value()) return Finish(turn, event.token, Recovering(feed));
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

// --- rows feeds -----------------------------------------------------------------------------------------------

void Origin::On(Turn& turn, OpenRows event) {
  FeedState& feed = OwnFeed(turn, v1::FEED_KIND_ROWS, event.resource);
  if (feed.recover_to.has_value()) return Finish(turn, event.token, Recovering(feed));
  if (feed.push.has_value()) {
    return Finish(turn, event.token,
                  Error(absl::StatusCode::kFailedPrecondition, "push_open",
                        "a push of this dataset is still being taken in", event.resource, "try again when it has ended"));
  }
  feed.record.set_shared(event.shared);
  if (feed.record.head().epoch().number() == 0) {
    OpenEpoch(turn, feed, &event.schema);
  } else if (event.schema.SerializeAsString() != feed.table->record().schema()) {
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
  if (feed->push.has_value()) {
    return Finish(turn, event.token,
                  Error(absl::StatusCode::kFailedPrecondition, "push_open",
                        "a push of this dataset is still being taken in", event.resource, "try again when it has ended"));
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
           Error(code, reason, text, feed == nullptr ? "" : feed->record.feed().resource(), "try again"));
  };
  if (feed == nullptr || !feed->own || feed->record.closed()) {
    return refuse(absl::StatusCode::kNotFound, "dataset_unknown", "there is no such dataset at this node");
  }
  if (feed->recover_to.has_value()) return Finish(turn, event.token, Recovering(*feed));
  if (feed->push.has_value()) {
    return refuse(absl::StatusCode::kFailedPrecondition, "push_open", "another push of this dataset is being taken in");
  }
  if (feed->table->record().commit() != event.base_commit) {
    return refuse(absl::StatusCode::kFailedPrecondition, "base_moved", "the dataset has changed meanwhile");
  }
  storage::v1::PendingPush push;
  push.set_push_id(event.push_id);
  push.set_commit(feed->record.commit() + 1);
  push.set_payloads(event.staged);
  push.set_author(event.author);
  *push.mutable_record() = std::move(event.record);
  push.mutable_record()->mutable_response()->set_commit(push.commit());
  push.set_rows_after(event.rows_after);
  feed->push = std::move(push);
  feed->push_token = event.token;
  if (event.staged == 0) return AppendPushBatch(turn, *feed, event.payload, /*end=*/true);
  // From here on the push is promised: a restart goes on with it.
  turn.writes().Put(PendingPushKey(feed->key), feed->push->SerializeAsString());
  ContinuePush(turn, *feed);
}

void Origin::ContinuePush(Turn& turn, FeedState& feed) {
  if (!feed.push.has_value() || feed.push->payloads() == 0 || feed.recover_to.has_value()) return;
  storage::v1::PendingPush& push = *feed.push;
  std::string payload;
  absl::Status read = core_.store->Get(StagedKey(feed.key, push.push_id(), push.next()), &payload);
  if (!read.ok()) {
    turn.Alarm(absl::StrCat("staged rows of a push of ", feed.record.feed().resource(), " cannot be read: ",
                            std::string(read.message())));
    return;
  }
  push.set_next(push.next() + 1);
  const bool end = push.next() == push.payloads();
  if (!end) turn.writes().Put(PendingPushKey(feed.key), push.SerializeAsString());
  AppendPushBatch(turn, feed, payload, end);
  if (end) return;
  turn.when_durable.push_back([this, key = feed.key](Turn& later) {
    if (FeedState* state = core_.Find(key)) ContinuePush(later, *state);
  });
}

void Origin::AppendPushBatch(Turn& turn, FeedState& feed, const std::string& payload, bool end) {
  storage::v1::PendingPush& push = *feed.push;
  v1::RowBatch rows;
  rows.ParseFromString(payload);
  v1::BatchHeader header;
  header.set_encoding(v1::ENCODING_ROWS);
  header.set_commit(push.commit());
  header.set_push_id(push.push_id());
  header.set_push_end(end);
  header.set_author(push.author());
  header.set_schema_version(feed.record.schema_version());
  if (end) header.set_rows(push.rows_after());
  Append(turn, feed, std::move(header), static_cast<uint64_t>(rows.changes_size()), payload);
  if (!end) return;

  storage::v1::PushRecord record = push.record();
  *record.mutable_response()->mutable_position() = feed.record.head();
  *record.mutable_at() = ToTimestamp(turn.now);
  turn.writes().Put(PushKey(feed.key, push.push_id()), record.SerializeAsString());
  turn.writes().Put(PushAgeKey(static_cast<uint64_t>(absl::ToUnixMillis(turn.now)), feed.key, push.push_id()), "");
  if (push.payloads() > 0) {
    turn.writes().Delete(PendingPushKey(feed.key));
    turn.writes().DeleteRange(StagedPrefix(feed.key), PrefixEnd(StagedPrefix(feed.key)));
  }
  FinishWhenDurable(turn, feed.push_token, feed);
  feed.push.reset();
  feed.push_token = 0;
}

void Origin::ResumePushes(Turn& turn) {
  for (auto& [key, feed] : core_.feeds) {
    if (feed.push.has_value()) ContinuePush(turn, feed);
  }
}

// --- behind, forked -------------------------------------------------------------------------------------------

void Origin::FoundBehind(Turn& turn, Peer& peer, FeedState& feed, const v1::Position& theirs) {
  // Our own memory knows better than a message that was overtaken.
  const v1::Position& head = feed.record.head();
  if (std::make_pair(theirs.epoch().number(), theirs.sequence()) <=
      std::make_pair(head.epoch().number(), head.sequence())) {
    return;
  }
  feed.epoch_number_max = std::max(feed.epoch_number_max, theirs.epoch().number());
  if (!feed.recover_to.has_value()) {
    turn.Alarm(absl::StrCat("feed ", feed.record.feed().resource(), " kind ", feed.kind(), ": ",
                            DisplayPath(peer.who.path), " holds records of ours up to ", theirs.sequence(),
                            ", we end at ", head.sequence(), "; taking them back"));
    feed.recover_since = turn.now;
  }
  if (!feed.recover_to.has_value() ||
      std::make_pair(theirs.epoch().number(), theirs.sequence()) >
          std::make_pair(feed.recover_to->epoch().number(), feed.recover_to->sequence())) {
    feed.recover_to = theirs;
  }
  v1::Frame frame;
  *frame.mutable_fetch()->mutable_feed() = feed.record.feed();
  if (feed.durable.epoch().number() > 0) *frame.mutable_fetch()->mutable_after() = feed.durable;
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
}

void Origin::Recovered(Turn& turn, FeedState& feed) {
  if (!feed.recover_to.has_value()) return;
  feed.recover_since = turn.now;
  const v1::Position& head = feed.record.head();
  if (std::make_pair(head.epoch().number(), head.sequence()) <
      std::make_pair(feed.recover_to->epoch().number(), feed.recover_to->sequence())) {
    return;
  }
  feed.recover_to.reset();
  OpenEpoch(turn, feed, nullptr);
  turn.Alarm(absl::StrCat("feed ", feed.record.feed().resource(), " kind ", feed.kind(),
                          ": own records taken back, epoch ", feed.record.head().epoch().number(), " opened"));
}

void Origin::FoundFork(Turn& turn, FeedState& feed) {
  if (feed.recover_to.has_value() || feed.record.head().epoch().number() == 0) return;
  if (turn.now - feed.epoch_opened_at < kEpochEvery) return;
  feed.record.set_forks(feed.record.forks() + 1);
  *feed.record.mutable_superseded() = feed.record.head();
  OpenEpoch(turn, feed, nullptr);
  if (feed.push.has_value()) {
    // The epoch cut the push off: all of it goes again, its payloads are still staged.
    feed.push->set_next(0);
    feed.push->set_commit(feed.record.commit() + 1);
  }
  turn.Alarm(absl::StrCat("feed ", feed.record.feed().resource(), " kind ", feed.kind(),
                          ": a neighbour holds another history of it; epoch ",
                          feed.record.head().epoch().number(), " opened, copies load it anew"));
}

void Origin::CheckRecoveries(Turn& turn) {
  for (auto& [key, feed] : core_.feeds) {
    if (!feed.recover_to.has_value() || turn.now - feed.recover_since < kRecoverWithin) continue;
    turn.Alarm(absl::StrCat("feed ", feed.record.feed().resource(), " kind ", feed.kind(),
                            ": records up to ", feed.recover_to->sequence(),
                            " were announced and never came; going on without them in a new epoch"));
    *feed.record.mutable_superseded() = *feed.recover_to;
    feed.recover_to.reset();
    OpenEpoch(turn, feed, nullptr);
  }
}

// --- results --------------------------------------------------------------------------------------------------

void Origin::Finish(Turn& turn, Token token, absl::Status status) {
  if (token != 0) turn.effects.writes_done.push_back({.token = token, .status = std::move(status), .position = {}});
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
