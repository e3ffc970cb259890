#include "relay/core/log_cuts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/batch.h"
#include "catalog/logged.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_reads.h"

namespace guantong {

namespace {

void ForgetTail(Core& core, FeedState& feed) {
  for (const TailBatch& old : feed.tail) core.tail_bytes -= old.frame->size();
  feed.tail.clear();
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

// The block of a batch that leaves the log.
void LetGo(FeedState& feed, Mark mark, WriteSet* writes) {
  if (feed.table.has_value()) return feed.table->LogLetsGo(mark, writes);
  writes->Delete(LogBlockKey(feed.key, mark.first, mark.second));
}

}  // namespace

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

void LeaveLogDamage(storage::v1::FeedRecord& record) {
  record.clear_log_lost_from();
  if (!record.blocks_awaited()) return;
  record.set_blocks_awaited(false);
  record.set_fault_text(
      "数据文件损坏，缺失的数据块没有取回：从备份恢复 (blocks of rows were lost with a damaged "
      "file and "
      "could not be fetched back: restore a backup)");
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
    if (head->block) LetGo(feed, mark, &turn.writes());
  }
  if (end.empty()) return;
  LeaveLogDamage(record);
  turn.writes().DeleteRange(begin, end);
  SaveFeed(core, turn, feed);
}

void DeleteLog(const Core& core, FeedState& feed, WriteSet* writes) {
  if (!feed.table.has_value()) {
    writes->DeleteRange(LogBlocksPrefix(feed.key), PrefixEnd(LogBlocksPrefix(feed.key)));
  } else {
    auto cursor = core.store->Scan(LogPrefix(feed.key), PrefixEnd(LogPrefix(feed.key)));
    for (; cursor->Valid(); cursor->Next()) {
      const absl::StatusOr<LoggedHead> head = ReadLoggedHead(cursor->value());
      if (head.ok() && head->block) LetGo(feed, MarkOf(head->position), writes);
    }
  }
  writes->DeleteRange(LogPrefix(feed.key), PrefixEnd(LogPrefix(feed.key)));
}

void CutLog(Core& core, Turn& turn, FeedState& feed) {
  DeleteLog(core, feed, &turn.writes());
  DropSnapshot(feed, &turn.writes());
  ForgetTail(core, feed);
  *feed.record.mutable_log_from() = feed.record.head();
  LeaveLogDamage(feed.record);
  feed.record.set_log_bytes(0);
  feed.record.set_log_batches(0);
  SaveFeed(core, turn, feed);
}

void DropSnapshot(FeedState& feed, WriteSet* writes) {
  writes->DeleteRange(ChunkPrefix(feed.key), PrefixEnd(ChunkPrefix(feed.key)));
  writes->Delete(ManifestKey(feed.key));
  feed.held.reset();
  feed.chunk_bytes = 0;
  if (!feed.table.has_value()) return;
  BlockPins& pins = feed.table->pins();
  pins.Unname([](const std::string&) { return false; }, writes);
  // One that is being made may name what is left.
  if (!pins.leaves_all()) pins.Settle(writes);
}

void MoveTo(Core& core, Turn& turn, FeedState& feed, const v1::Manifest& manifest) {
  storage::v1::FeedRecord& record = feed.record;
  if (record.head().epoch().number() != 0 &&
      record.head().epoch().id() != manifest.at().epoch().id()) {
    SetAsideBeyond(core, turn, feed, manifest);
  }
  turn.writes().DeleteRange(LogPrefix(feed.key), PrefixEnd(LogPrefix(feed.key)));
  turn.writes().DeleteRange(LogBlocksPrefix(feed.key), PrefixEnd(LogBlocksPrefix(feed.key)));
  if (feed.table.has_value()) feed.table->pins().LogBlocksGone(&turn.writes());
  ForgetTail(core, feed);
  *record.mutable_cuts() = manifest.cuts();
  *record.mutable_head() = manifest.at();
  *record.mutable_log_from() = manifest.at();
  LeaveLogDamage(record);
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

}  // namespace guantong
