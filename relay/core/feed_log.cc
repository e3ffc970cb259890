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

namespace guantong {

namespace {

Bytes FrameOf(v1::SignedBatch batch) {
  v1::Frame frame;
  *frame.mutable_batch() = std::move(batch);
  return std::make_shared<const std::string>(frame.SerializeAsString());
}

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

void ForgetTail(Core& core, FeedState& feed) {
  for (const TailBatch& old : feed.tail) core.tail_bytes -= old.frame->size();
  feed.tail.clear();
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

// Before the log goes: what a new epoch does not continue stays, to be listed.
void SetAsideBeyond(Core& core, Turn& turn, FeedState& feed, const v1::Manifest& manifest) {
  const v1::Position& head = feed.record.head();
  const v1::Position* cut = nullptr;
  for (const v1::Position& end : manifest.cuts()) {
    if (end.epoch().number() <= head.epoch().number()) cut = &end;
  }
  if (cut == nullptr) return;
  const bool apart =
      cut->epoch().number() == head.epoch().number() && Locate(core, feed, *cut) == Place::kFork;
  if (!apart && !BeyondCuts(manifest.cuts(), head)) return;
  *feed.record.mutable_superseded() = head;
  // Where both histories have the cut, what comes after it is superseded; else they part somewhere
  // before, and all that is held is kept.
  std::string from = LogPrefix(feed.key);
  if (!apart || feed.record.log_bytes() > kSupersededBytesMax) {
    from = LogKey(feed.key, cut->epoch().number(), cut->sequence() + 1);
  }
  auto cursor = core.store->Scan(from, PrefixEnd(LogPrefix(feed.key)));
  for (; cursor->Valid(); cursor->Next()) {
    const absl::StatusOr<v1::SignedBatch> batch =
        ReadLogged(*core.store, feed.key, cursor->value());
    v1::BatchHeader header;
    if (!batch.ok() || !header.ParseFromString(batch->header())) continue;
    SetAside(core, turn, feed, header, *batch);
  }
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

std::optional<TailBatch> NextBatch(const Core& core, const FeedState& feed, uint64_t epoch,
                                   uint64_t sequence, bool* gone) {
  *gone = false;
  const Mark durable = MarkOf(feed.durable);
  if (durable <= Mark{epoch, sequence}) return std::nullopt;
  auto follows = [&](uint64_t e, uint64_t prev) {
    return e == epoch ? prev == sequence : e > epoch && prev == 0;
  };
  auto it = std::upper_bound(feed.tail.begin(), feed.tail.end(), std::make_pair(epoch, sequence),
                             [](const std::pair<uint64_t, uint64_t>& at, const TailBatch& batch) {
                               return at < std::make_pair(batch.epoch, batch.last);
                             });
  // Only the whole log shows that an epoch's first batch is the next one.
  if (it != feed.tail.end() && it->epoch == epoch && it->prev == sequence) {
    if (durable < Mark{it->epoch, it->last}) return std::nullopt;
    return *it;
  }
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

bool IsSuperseded(const Core& core, const FeedState& feed, const v1::Position& position) {
  const storage::v1::FeedRecord& record = feed.record;
  if (position.epoch().number() == 0 || position.epoch().number() >= record.head().epoch().number())
    return false;
  if (BeyondCuts(record.cuts(), position)) return true;
  // Within what the log still holds, a place where no batch ends or another one does.
  return MarkOf(position) > MarkOf(record.log_from()) &&
         Locate(core, feed, position) == Place::kGone;
}

bool SetAside(Core& core, Turn& turn, FeedState& feed, const v1::BatchHeader& header,
              const v1::SignedBatch& batch) {
  const std::string key = SupersededKey(feed.key, header.epoch().number(), header.last());
  std::string held;
  if (core.store->Get(key, &held).ok()) return false;
  std::string bytes = batch.SerializeAsString();
  if (feed.record.superseded_bytes() + bytes.size() > kSupersededBytesMax) return false;
  feed.record.set_superseded_batches(feed.record.superseded_batches() + 1);
  feed.record.set_superseded_bytes(feed.record.superseded_bytes() + bytes.size());
  core.chains.Keep(header.signer_chain(), &turn.writes());
  turn.writes().Put(key, std::move(bytes));
  return true;
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

void TrimLog(Core& core, Turn& turn, FeedState& feed, uint64_t keep) {
  storage::v1::FeedRecord& record = feed.record;
  const std::string begin = LogPrefix(feed.key);
  // What an earlier turn has trimmed may still be on its way out of the store.
  const v1::Position& from = record.log_from();
  auto cursor = core.store->Scan(LogKey(feed.key, from.epoch().number(), from.sequence() + 1),
                                 PrefixEnd(begin));
  std::string end;
  for (; cursor->Valid() && record.log_bytes() > keep; cursor->Next()) {
    const absl::StatusOr<LoggedHead> head = ReadLoggedHead(cursor->value());
    if (!head.ok()) break;
    // The newest durable batch stays: positions are compared with it.
    if (SamePosition(head->position, feed.durable)) break;
    record.set_log_bytes(record.log_bytes() - std::min<uint64_t>(record.log_bytes(), head->bytes));
    record.set_log_batches(record.log_batches() - 1);
    *record.mutable_log_from() = head->position;
    const Mark mark = MarkOf(head->position);
    end = LogKey(feed.key, mark.first, mark.second + 1);
    if (!head->block || (feed.table.has_value() && feed.table->Holds(mark))) continue;
    turn.writes().Delete(LogBlockKey(feed.key, mark.first, mark.second));
  }
  if (end.empty()) return;
  record.clear_log_lost_from();
  turn.writes().DeleteRange(begin, end);
  SaveFeed(core, turn, feed);
}

void DeleteLog(const Core& core, const FeedState& feed, WriteSet* writes) {
  if (!feed.table.has_value()) {
    writes->DeleteRange(LogBlocksPrefix(feed.key), PrefixEnd(LogBlocksPrefix(feed.key)));
  } else {
    auto cursor = core.store->Scan(LogPrefix(feed.key), PrefixEnd(LogPrefix(feed.key)));
    for (; cursor->Valid(); cursor->Next()) {
      const absl::StatusOr<LoggedHead> head = ReadLoggedHead(cursor->value());
      if (!head.ok() || !head->block || feed.table->Holds(MarkOf(head->position))) continue;
      const Mark mark = MarkOf(head->position);
      writes->Delete(LogBlockKey(feed.key, mark.first, mark.second));
    }
  }
  writes->DeleteRange(LogPrefix(feed.key), PrefixEnd(LogPrefix(feed.key)));
}

void CutLog(Core& core, Turn& turn, FeedState& feed) {
  DeleteLog(core, feed, &turn.writes());
  turn.writes().DeleteRange(ChunkPrefix(feed.key), PrefixEnd(ChunkPrefix(feed.key)));
  turn.writes().Delete(ManifestKey(feed.key));
  ForgetTail(core, feed);
  *feed.record.mutable_log_from() = feed.record.head();
  feed.record.clear_log_lost_from();
  feed.record.set_log_bytes(0);
  feed.record.set_log_batches(0);
  feed.held.reset();
  feed.chunk_bytes = 0;
  SaveFeed(core, turn, feed);
}

void MoveTo(Core& core, Turn& turn, FeedState& feed, const v1::Manifest& manifest) {
  storage::v1::FeedRecord& record = feed.record;
  if (record.head().epoch().number() != 0 &&
      record.head().epoch().id() != manifest.at().epoch().id()) {
    SetAsideBeyond(core, turn, feed, manifest);
  }
  turn.writes().DeleteRange(LogPrefix(feed.key), PrefixEnd(LogPrefix(feed.key)));
  turn.writes().DeleteRange(LogBlocksPrefix(feed.key), PrefixEnd(LogBlocksPrefix(feed.key)));
  ForgetTail(core, feed);
  *record.mutable_cuts() = manifest.cuts();
  *record.mutable_head() = manifest.at();
  *record.mutable_log_from() = manifest.at();
  record.clear_log_lost_from();
  *record.mutable_visible() = manifest.at();
  record.set_commit(manifest.commit());
  record.set_visible_commit(manifest.commit());
  record.set_log_bytes(0);
  record.set_log_batches(0);
  record.set_schema_version(manifest.schema_version());
  record.set_closed(false);  // by an epoch that this one has cut off
  record.set_incomplete_since(0);
  record.clear_fault_text();
  record.set_signer_chain(manifest.signer_chain());
  *record.mutable_last_signed_at() = manifest.signed_at();
  *record.mutable_received_at() = ToTimestamp(turn.now);
  feed.epoch_number_max = std::max(feed.epoch_number_max, manifest.at().epoch().number());
  feed.wants_snapshot = false;
  feed.snapshot_from = {};
  core.repairing.erase(feed.key);
  SaveFeed(core, turn, feed);
}

void DropFeed(Core& core, Turn& turn, const FeedKey& key) {
  FeedState* feed = core.Find(key);
  if (feed == nullptr) return;
  WriteSet& writes = turn.writes();
  writes.Delete(FeedRecordKey(key));
  writes.DeleteRange(LogPrefix(key), PrefixEnd(LogPrefix(key)));
  writes.DeleteRange(LogBlocksPrefix(key), PrefixEnd(LogBlocksPrefix(key)));
  writes.DeleteRange(SupersededPrefix(key), PrefixEnd(SupersededPrefix(key)));
  writes.DeleteRange(ChunkPrefix(key), PrefixEnd(ChunkPrefix(key)));
  writes.Delete(ManifestKey(key));
  writes.Delete(SnapshotProgressKey(key));
  if (feed->table.has_value()) feed->table->Drop(MarkOf(feed->record.log_from()), &writes);
  if (feed->kind() != v1::FEED_KIND_ROWS) {
    if (absl::Status dropped = DropRecords(*core.store, feed->record.feed(), &writes);
        !dropped.ok()) {
      turn.Alarm(absl::StrCat("facts of feed ", HexOf(key.bytes()),
                              " could not be removed: ", std::string(dropped.message())));
    }
  }
  ForgetTail(core, *feed);
  if (core.IsBelow(feed->origin_path)) --core.feeds_below[core.ChildToward(feed->origin_path)];
  for (auto& [link, peer] : core.peers) {
    auto it = peer.outgoing.find(key);
    if (it == peer.outgoing.end()) continue;
    peer.Forget(it->second);
    peer.active.erase(key);
    peer.outgoing.erase(it);
  }
  core.repairing.erase(key);
  core.recovering.erase(key);
  core.disputed.erase(key);
  core.merging.erase(key);
  core.feeds.erase(key);
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
