#include "relay/core/feed_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/feed_kind.h"
#include "catalog/logged.h"
#include "catalog/sorted_rows.h"
#include "relay/core/log_cuts.h"
#include "relay/core/log_reads.h"

namespace guantong {

namespace {

void Remember(Core& core, FeedState& feed, TailBatch batch) {
  core.tail_bytes += batch.frame->size();
  feed.tail.push_back(std::move(batch));
  // The oldest of the same feed go first: what is hot is written now.
  while (core.tail_bytes > kTailBytesMax && feed.tail.size() > 1) {
    core.tail_bytes -= feed.tail.front().frame->size();
    feed.tail.pop_front();
  }
  if (core.tail_bytes <= kTailBytesMax) return;
  for (auto& [key, other] : core.feeds) {
    if (&other == &feed) continue;
    for (const TailBatch& old : other.tail) core.tail_bytes -= old.frame->size();
    other.tail.clear();
  }
}

// The rows of the batch; control records of a rows feed travel as Records.
absl::Status ApplyRows(Turn& turn, FeedState& feed, const v1::BatchHeader& header,
                       const std::string& payload) {
  if (header.encoding() == v1::ENCODING_SORTED_ROWS) {
    GT_RETURN_IF_ERROR(feed.table->ApplyBlock(header, payload, &turn.writes()));
    feed.record.set_records_received(feed.record.records_received() + header.last() -
                                     header.prev());
    return absl::OkStatus();
  }
  if (header.encoding() == v1::ENCODING_RECORDS) {
    v1::Records records;
    if (!records.ParseFromString(payload)) {
      return Error(absl::StatusCode::kFailedPrecondition, "payload_unreadable",
                   "records do not parse");
    }
    for (const v1::Record& record : records.records()) {
      if (record.has_feed_closed()) feed.record.set_closed(true);
    }
    return absl::OkStatus();
  }
  v1::RowBatch rows;
  if (header.encoding() != v1::ENCODING_ROWS || !rows.ParseFromString(payload)) {
    return Error(absl::StatusCode::kFailedPrecondition, "payload_unreadable", "rows do not parse");
  }
  // An epoch begins with its opening and the schema.
  const uint64_t first = header.prev() == 0 ? 2 : rows.schema().empty() ? 0 : 1;
  const uint64_t counted = static_cast<uint64_t>(rows.changes_size()) + first;
  if (counted != header.last() - header.prev()) {
    return Error(absl::StatusCode::kFailedPrecondition, "payload_miscounted",
                 absl::StrCat("a batch holds ", counted, " records and numbers ",
                              header.last() - header.prev()));
  }
  // Rows that travelled, as decoded here; schema and epoch are records of the feed and no rows.
  feed.record.set_records_received(feed.record.records_received() +
                                   static_cast<uint64_t>(rows.changes_size()));
  return feed.table->Apply(header, rows, &turn.writes());
}

// Where the epoch that ends here is left by the one that follows.
void AddCut(storage::v1::FeedRecord& record, const v1::Position& end) {
  if (end.epoch().number() == 0) return;
  *record.add_cuts() = end;
  if (record.cuts_size() > kCutsMax)
    record.mutable_cuts()->DeleteSubrange(0, record.cuts_size() - kCutsMax);
}

void NoteChild(Core& core, const NodePath& path, size_t feeds) {
  if (!core.IsBelow(path)) return;
  const NodePath child = core.ChildToward(path);
  core.children.insert(child);
  core.feeds_below[child] += feeds;
}

bool KnownKind(v1::FeedKind kind) {
  return kind == v1::FEED_KIND_ROWS || FindRecordKind(kind) != nullptr;
}

absl::Status ApplyFacts(Turn& turn, FeedState& feed, const v1::BatchHeader& header,
                        const v1::SignedBatch& batch) {
  if (header.sealing() > v1::SEALING_NONE || !KnownKind(feed.kind())) return absl::OkStatus();
  // A relay without a table never looks at rows.
  const bool rows =
      header.encoding() == v1::ENCODING_ROWS || header.encoding() == v1::ENCODING_SORTED_ROWS;
  if (feed.kind() == v1::FEED_KIND_ROWS && rows && !feed.table.has_value()) return absl::OkStatus();
  // It is packed within.
  if (feed.kind() == v1::FEED_KIND_ROWS && header.encoding() == v1::ENCODING_SORTED_ROWS &&
      header.compression() == v1::COMPRESSION_NONE) {
    return ApplyRows(turn, feed, header, batch.payload());
  }
  absl::StatusOr<std::string> payload = DecodePayload(header.compression(), batch.payload());
  GT_RETURN_IF_ERROR(payload.status());
  if (feed.kind() == v1::FEED_KIND_ROWS) return ApplyRows(turn, feed, header, *payload);
  v1::Records records;
  if (header.encoding() != v1::ENCODING_RECORDS || !records.ParseFromString(*payload)) {
    return Error(absl::StatusCode::kFailedPrecondition, "payload_unreadable",
                 "records do not parse");
  }
  for (const v1::Record& record : records.records()) {
    if (record.has_feed_closed()) feed.record.set_closed(true);
  }
  CountSkipped(turn, feed,
               ApplyRecords(feed.record.feed(), feed.proved_path, records, &turn.writes()));
  return absl::OkStatus();
}

}  // namespace

absl::Status LoadFeeds(Core& core) {
  const std::string prefix = KindPrefix('F');
  auto cursor = core.store->Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    storage::v1::FeedRecord record;
    if (!record.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()))) {
      return Error(absl::StatusCode::kDataLoss, "store_corrupt", "a feed record does not parse",
                   HexOf(cursor->key()), "restore this node from a backup");
    }
    const FeedKey key = FeedKey::Of(record.feed());
    GT_ASSIGN_OR_RETURN(NodePath origin, NodePath::Parse(record.origin_path()));
    FeedState& feed = core.feeds[key];
    feed.key = key;
    feed.opening = ++core.openings;
    feed.durable = record.head();
    feed.own = record.own();
    feed.epoch_number_max = record.head().epoch().number();
    NoteChild(core, origin, 1);
    feed.origin_path = std::move(origin);
    if (record.applied()) {
      GT_ASSIGN_OR_RETURN(TableWriter table,
                          TableWriter::Load(*core.store, key, core.options.table));
      feed.table.emplace(std::move(table));
    }
    feed.record = std::move(record);

    std::string bytes;
    if (core.store->Get(ManifestKey(key), &bytes).ok()) {
      HeldManifest held{.used_at = core.started_at};
      if (held.signed_manifest.ParseFromString(bytes) &&
          held.manifest.ParseFromString(held.signed_manifest.manifest())) {
        for (const v1::ChunkRef& chunk : held.manifest.chunks())
          feed.chunk_bytes += chunk.bytes();  // at most
        feed.held = std::move(held);
      }
    }
    if (core.store->Get(SnapshotProgressKey(key), &bytes).ok()) feed.wants_snapshot = true;
    if (core.store->Get(PendingPushKey(key), &bytes).ok()) {
      storage::v1::PendingPush push;
      if (push.ParseFromString(bytes)) feed.push = std::move(push);
    }
  }
  GT_RETURN_IF_ERROR(cursor->status());

  v1::FeedId membership;
  membership.set_origin(core.self_id());
  membership.set_kind(v1::FEED_KIND_MEMBERSHIP);
  const std::string members = MemberPrefix(FeedKey::Of(membership));
  cursor = core.store->Scan(members, PrefixEnd(members));
  for (; cursor->Valid(); cursor->Next()) {
    v1::Member member;
    if (!member.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())) ||
        member.removed())
      continue;
    if (absl::StatusOr<NodePath> path = NodePath::Parse(member.path()); path.ok())
      NoteChild(core, *path, 0);
  }
  GT_RETURN_IF_ERROR(cursor->status());

  std::string restored;
  if (core.store->Get(RestoredKey(), &restored).ok())
    core.restored.emplace().ParseFromString(restored);

  const std::string interests = KindPrefix('I');
  cursor = core.store->Scan(interests, PrefixEnd(interests));
  for (; cursor->Valid(); cursor->Next()) {
    storage::v1::StoredInterest interest;
    if (!interest.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
      continue;
    if (!interest.ended()) core.subscriptions[FeedKey::Of(interest.feed())] = interest;
  }
  return cursor->status();
}

FeedState& OpenFeed(Core& core, Turn& turn, const v1::FeedId& id, const NodePath& origin_path,
                    bool applied) {
  const FeedKey key = FeedKey::Of(id);
  FeedState& feed = core.feeds[key];
  feed.key = key;
  feed.opening = ++core.openings;
  feed.opened_at = turn.now;
  *feed.record.mutable_feed() = id;
  feed.record.set_origin_path(origin_path.text());
  feed.origin_path = origin_path;
  feed.record.set_proved_path(origin_path.text());
  feed.proved_path = origin_path;
  NoteChild(core, origin_path, 1);
  feed.own = id.origin() == core.self_id();
  feed.record.set_own(feed.own);
  feed.record.mutable_head()->set_chain_hash(ZeroDigest());
  *feed.record.mutable_log_from() = feed.record.head();
  feed.durable = feed.record.head();
  if (applied && id.kind() == v1::FEED_KIND_ROWS) {
    feed.record.set_applied(true);
    feed.table.emplace(key, storage::v1::TableRecord(), core.options.table);
  }
  SaveFeed(core, turn, feed);
  return feed;
}

void CountSkipped(Turn& turn, FeedState& feed, const SkippedFacts& skipped) {
  if (skipped.refused == 0) return;
  const bool first = feed.record.facts_refused() == 0;
  feed.record.set_facts_refused(feed.record.facts_refused() + skipped.refused);
  feed.record.set_refused_text(skipped.why);
  // Said once: whoever writes such facts may write many.
  if (!first) return;
  turn.Alarm(absl::StrCat(
      "feed ", HexOf(feed.key.bytes()), " of ", DisplayPath(feed.origin_path),
      " says what is not its origin's to say, which is kept and not applied: ", skipped.why));
}

void SaveFeed(Core& core, Turn& turn, FeedState& feed) {
  turn.writes().Put(FeedRecordKey(feed.key), feed.record.SerializeAsString());
  if (!turn.touched.insert(feed.key).second) return;
  ++feed.pending;
  turn.when_durable.push_back([&core, key = feed.key, opening = feed.opening](Turn&) {
    if (FeedState* state = core.Find(key, opening)) --state->pending;
  });
}

void AppendBatch(Core& core, Turn& turn, FeedState& feed, const ParsedBatch& parsed,
                 const v1::SignedBatch& batch, Bytes frame) {
  const v1::BatchHeader& header = parsed.header;
  storage::v1::FeedRecord& record = feed.record;
  const bool new_epoch = header.epoch().number() != record.head().epoch().number();
  if (new_epoch && feed.table.has_value())
    feed.table->AbandonOpenPush(MarkOf(record.log_from()), &turn.writes());
  // A relay may begin in the midst of a feed, where no epoch opens.
  if (new_epoch && header.prev() == 0) {
    if (absl::StatusOr<v1::Position> predecessor = PredecessorOf(header, batch); predecessor.ok()) {
      AddCut(record, *predecessor);
    }
  }

  // A fact that does not apply must not stop the feed: the bytes are verified and others may
  // understand them.
  if (absl::Status applied = ApplyFacts(turn, feed, header, batch);
      !applied.ok() && record.incomplete_since() == 0) {
    record.set_incomplete_since(header.prev() + 1);
    record.set_fault_text(std::string(applied.message()));
    feed.wants_snapshot = !feed.own;
    feed.snapshot_from = {header.epoch().number(), header.last()};
    turn.Alarm(absl::StrCat("feed ", HexOf(feed.key.bytes()), " incomplete since ",
                            header.prev() + 1, ": ", std::string(applied.message())));
  }

  PutLogged(feed.key, feed.own, header, batch, &turn.writes());
  if (feed.table.has_value() && feed.table->needs_merge()) core.merging.insert(feed.key);
  core.chains.Keep(header.signer_chain(), &turn.writes());
  const v1::Position position = PositionOf(header, parsed.chain_hash);
  *record.mutable_head() = position;
  record.set_commit(header.commit());
  if (header.push_end()) {
    record.set_visible_commit(header.commit());
    *record.mutable_visible() = position;
  }
  record.set_log_bytes(record.log_bytes() + batch.payload().size() + batch.header().size());
  record.set_log_batches(record.log_batches() + 1);
  *record.mutable_last_signed_at() = header.signed_at();
  *record.mutable_received_at() = ToTimestamp(turn.now);
  record.set_signer_chain(header.signer_chain());
  if (header.schema_version() > 0) record.set_schema_version(header.schema_version());
  feed.epoch_number_max = std::max(feed.epoch_number_max, header.epoch().number());
  SaveFeed(core, turn, feed);

  if (frame == nullptr) frame = FrameOf(batch);
  Remember(core, feed,
           {.epoch = header.epoch().number(),
            .prev = header.prev(),
            .last = header.last(),
            .signer_chain = header.signer_chain(),
            .frame = std::move(frame)});
  if (feed.transit()) core.transit_grown += batch.payload().size() + batch.header().size();
  if (record.log_bytes() > core.options.feed_log_bytes_max) {
    TrimLog(core, turn, feed, core.options.feed_log_bytes_max / 2);
  }
}

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t nanos = absl::ToUnixNanos(time);
  timestamp.set_seconds(nanos / 1'000'000'000);
  timestamp.set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  return timestamp;
}

}  // namespace guantong
