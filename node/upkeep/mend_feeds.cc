#include "node/upkeep/mend_feeds.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/block_pins.h"
#include "catalog/demand.h"
#include "catalog/facts.h"
#include "catalog/keys.h"
#include "catalog/table.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/entry.pb.h"
#include "node/upkeep/feed_replay.h"

namespace guantong {
namespace {

// Facts of this node alone: no other node can give them back.
constexpr struct {
  char kind;
  const char* text;
} kLocalFacts[] = {{'D', "目录草稿 (drafts)"},
                   {'r', "审核中的草稿 (drafts under approval)"},
                   {'a', "条目办理记录 (what was done to entries)"},
                   {'v', "条目历史版本 (versions of entries)"},
                   {'p', "人员 (persons)"},
                   {'k', "人员密钥 (keys of persons)"},
                   {'S', "已发流水号 (serials given)"},
                   {'P', "推送结果 (push results)"},
                   {'G', "进行中的推送 (pushes being taken in)"},
                   {'H', "进行中的推送 (rows of pushes being taken in)"},
                   {'I', "订阅 (subscriptions)"},
                   {'K', "入网令牌 (tokens)"},
                   {'U', "部门 (departments)"},
                   {'W', "被取代的记录 (superseded records)"},
                   {'d', "迁走的节点 (nodes that went elsewhere)"},
                   {'X', "节点记事 (node facts)"}};

class FeedMender {
 public:
  FeedMender(Store* store, const Identity& identity, absl::Span<const LostRange> lost,
             v1::Damage* damage)
      : store_(*store), identity_(identity), lost_(lost), damage_(*damage) {}

  absl::Status Run() {
    GT_RETURN_IF_ERROR(MendOrphans());
    GT_RETURN_IF_ERROR(LoadPins(
        store_, [&](const FeedKey& key) { return &pins_.try_emplace(key, key).first->second; }));
    std::vector<std::string> records;
    const std::string feeds = KindPrefix('F');
    auto cursor = store_.Scan(feeds, PrefixEnd(feeds));
    for (; cursor->Valid(); cursor->Next()) records.emplace_back(cursor->value());
    GT_RETURN_IF_ERROR(cursor->status());
    for (const std::string& bytes : records) {
      storage::v1::FeedRecord record;
      if (!record.ParseFromString(bytes)) continue;
      const FeedKey key = FeedKey::Of(record.feed());
      GT_RETURN_IF_ERROR(MendFeed(key, std::move(record)));
    }
    GT_RETURN_IF_ERROR(MendIndices());
    for (const auto& local : kLocalFacts) {
      if (Hit(KindPrefix(local.kind))) damage_.add_lost(local.text);
    }
    return absl::OkStatus();
  }

 private:
  bool Hit(absl::string_view prefix) const {
    return std::any_of(lost_.begin(), lost_.end(),
                       [&](const LostRange& range) { return Touches(range, prefix); });
  }

  v1::DamagedFeed* Report(const FeedKey& key, const v1::FeedId& feed, const char* part,
                          const char* cure, absl::string_view text) {
    v1::DamagedFeed* mended = damage_.add_feeds();
    *mended->mutable_feed() = feed;
    mended->set_feed_key(HexOf(key.bytes()));
    mended->set_part(part);
    mended->set_cure(cure);
    mended->set_text(std::string(text));
    return mended;
  }

  absl::Status Commit(const WriteSet& writes) { return store_.Commit({&writes, 1}); }

  // --- a feed whose record is there -------------------------------------------------------------

  absl::Status MendFeed(const FeedKey& key, storage::v1::FeedRecord record) {
    WriteSet writes;
    const bool pinned = pins_.count(key) > 0 &&
                        (Hit(LogPrefix(key)) || Hit(LogBlocksPrefix(key)) ||
                         Hit(OwnBlocksPrefix(key)) || Hit(KindPrefix('C')) || Derived(key, record));
    if (Hit(ManifestKey(key)) || Hit(ChunkPrefix(key)) || Hit(ChunkNamesPrefix(key)) ||
        Hit(LeftPrefix(key)) || pinned) {
      DropSnapshot(key, &writes);
      Report(key, record.feed(), "snapshot", "dropped",
             "快照重新生成或取得 (made or fetched again)");
    }
    LogExtent extent;
    if (Hit(LogPrefix(key)) || Hit(LogBlocksPrefix(key)) || Hit(KindPrefix('C')) ||
        Derived(key, record)) {
      GT_ASSIGN_OR_RETURN(extent, MeasureLog(store_, key, record));
      if (extent.cut) ShortenLog(key, extent, &record, &writes);
    }
    const bool derived = Derived(key, record);
    const bool awaited = derived && LogBringsBlocks(key, record);
    // What was left for a snapshot may not be known any more.
    const bool left = record.applied() && Hit(LeftPrefix(key));
    if ((extent.cut || left) && !derived)
      GT_RETURN_IF_ERROR(DropUnheldBlocks(key, record.log_from(), &writes));
    if (derived && extent.whole()) {
      GT_RETURN_IF_ERROR(Commit(std::exchange(writes, WriteSet())));
      if (absl::Status replayed = ReplayLog(&store_, key, record); replayed.ok()) {
        Report(key, record.feed(), PartOf(record), "replayed",
               "由完整的日志重建 (made again from the whole log)");
      } else {
        Lose(key, &record, replayed.message(), &writes);
      }
    } else if (awaited) {
      AwaitBlocks(key, &record, &writes);
    } else if (derived) {
      Lose(key, &record, "日志已不完整 (the log does not reach back to the beginning)", &writes);
    }
    if (!writes.empty()) GT_RETURN_IF_ERROR(Commit(writes));
    return absl::OkStatus();
  }

  // Rows or facts of it may be gone.
  bool Derived(const FeedKey& key, const storage::v1::FeedRecord& record) const {
    if (record.feed().kind() == v1::FEED_KIND_ROWS) {
      return record.applied() &&
             (Hit(RowsPrefix(key)) || Hit(BlockEntriesPrefix(key)) || Hit(TableKey(key)) ||
              Hit(SnapshotProgressKey(key)) ||
              ((Hit(OwnBlocksPrefix(key)) || Hit(LogBlocksPrefix(key))) && !BlocksAreThere(key)));
    }
    return Hit(MemberPrefix(key)) || Hit(EntryPrefix(key)) || Hit(SnapshotProgressKey(key));
  }

  // Whether each block that its table needs is there, or came by a batch of the log that `suits`;
  // false, too, where that cannot be said.
  bool BlocksAreThere(const FeedKey& key, const std::function<bool(BatchMark at)>& suits) const {
    const std::string entries = BlockEntriesPrefix(key);
    const std::string own = OwnBlocksPrefix(key);
    auto entry = store_.Scan(entries, PrefixEnd(entries));
    for (; entry->Valid(); entry->Next()) {
      storage::v1::BlockEntry block;
      if (!block.ParseFromArray(entry->value().data(), static_cast<int>(entry->value().size())))
        return false;
      const bool logged = block.epoch() != 0;
      std::string bytes;
      const absl::Status got =
          store_.Get(logged ? LogBlockKey(key, block.epoch(), block.last())
                            : absl::StrCat(own, entry->key().substr(entries.size())),
                     &bytes);
      if (!got.ok() && !(logged && suits({block.epoch(), block.last()}))) return false;
    }
    return entry->status().ok();
  }
  // None was in what is lost, or all have been mended.
  bool BlocksAreThere(const FeedKey& key) const {
    return BlocksAreThere(key, [](BatchMark) { return false; });
  }

  // Own rows of which nothing is gone but blocks of batches that the log held: they are there again
  // when it reaches back to where it did.
  bool LogBringsBlocks(const FeedKey& key, const storage::v1::FeedRecord& record) const {
    if (!record.own() || record.feed().kind() != v1::FEED_KIND_ROWS || Hit(RowsPrefix(key)) ||
        Hit(BlockEntriesPrefix(key)) || Hit(TableKey(key)) || !record.has_log_lost_from() ||
        (record.incomplete_since() != 0 && !record.blocks_awaited())) {
      return false;
    }
    const v1::Position& from = record.log_lost_from();
    return BlocksAreThere(
        key, [&](BatchMark at) { return at > BatchMark(from.epoch().number(), from.sequence()); });
  }

  void AwaitBlocks(const FeedKey& key, storage::v1::FeedRecord* record, WriteSet* writes) {
    record->set_blocks_awaited(true);
    record->set_incomplete_since(std::max<uint64_t>(1, record->head().sequence()));
    record->set_fault_text(
        "数据文件损坏，缺失的数据块正向邻居取回，取齐后即可读出 (blocks of rows were lost with a "
        "damaged "
        "file; neighbours are asked for them, and it is read again when they are back)");
    Report(
        key, record->feed(), PartOf(*record), "fetched",
        "缺失的数据块随日志向邻居取回 (lost blocks come back from the neighbours, with the log)");
    writes->Put(FeedRecordKey(key), record->SerializeAsString());
  }

  static const char* PartOf(const storage::v1::FeedRecord& record) {
    return record.feed().kind() == v1::FEED_KIND_ROWS ? "table" : "facts";
  }

  void ShortenLog(const FeedKey& key, const LogExtent& extent, storage::v1::FeedRecord* record,
                  WriteSet* writes) {
    writes->DeleteRange(LogPrefix(key),
                        LogKey(key, extent.from.epoch().number(), extent.from.sequence() + 1));
    if (!record->has_log_lost_from()) *record->mutable_log_lost_from() = record->log_from();
    *record->mutable_log_from() = extent.from;
    record->set_log_bytes(extent.bytes);
    record->set_log_batches(extent.batches);
    writes->Put(FeedRecordKey(key), record->SerializeAsString());
    v1::DamagedFeed* mended = Report(key, record->feed(), "log", "shortened",
                                     "日志从损坏处之后开始，缺失部分向邻居取回 (the log begins "
                                     "behind the damage; what is gone is asked of the neighbours)");
    mended->set_from(extent.gone_from);
    mended->set_to(extent.gone_to);
  }

  // Blocks that the log alone needed, up to `from`, and those of runs that are gone.
  absl::Status DropUnheldBlocks(const FeedKey& key, const v1::Position& from,
                                WriteSet* writes) const {
    GT_ASSIGN_OR_RETURN(const TableWriter table, TableWriter::Load(store_, key));
    const std::string prefix = LogBlocksPrefix(key);
    const auto cursor =
        store_.Scan(prefix, LogBlockKey(key, from.epoch().number(), from.sequence() + 1));
    for (; cursor->Valid(); cursor->Next()) {
      const absl::string_view mark = cursor->key().substr(prefix.size());
      if (!table.Holds({ReadBigEndian64(mark), ReadBigEndian64(mark.substr(8))}))
        writes->Delete(std::string(cursor->key()));
    }
    GT_RETURN_IF_ERROR(cursor->status());
    std::set<uint32_t> runs;
    for (const storage::v1::RunInfo& info : table.record().infos()) runs.insert(info.run());
    std::string behind = OwnBlocksPrefix(key);
    for (const uint32_t run : runs) {
      const std::string own = OwnBlockPrefix(key, run);
      if (behind < own) writes->DeleteRange(behind, own);
      behind = PrefixEnd(own);
    }
    writes->DeleteRange(behind, PrefixEnd(OwnBlocksPrefix(key)));
    return absl::OkStatus();
  }

  // What cannot be made again here.
  void Lose(const FeedKey& key, storage::v1::FeedRecord* record, absl::string_view why,
            WriteSet* writes) {
    record->set_blocks_awaited(false);
    record->set_incomplete_since(std::max<uint64_t>(1, record->head().sequence()));
    record->set_fault_text(absl::StrCat(
        "数据文件损坏，部分内容缺失 (part of it was lost with a damaged file): ", why));
    if (record->own()) {
      Report(key, record->feed(), PartOf(*record), "none",
             absl::StrCat("本节点自己的数据缺失一部分，不再读出：用 guantong restore "
                          "从备份恢复 (part of this node's own data is lost, and it is not read "
                          "any more: restore a backup): ",
                          why));
    } else {
      // A table with holes must not be read as if it were whole.
      if (record->feed().kind() == v1::FEED_KIND_ROWS) DropTable(key, *record, writes);
      DropSnapshot(key, writes);
      Report(key, record->feed(), PartOf(*record), "fetched",
             "从上级或下级以快照重新取得 (fetched again as a snapshot)");
    }
    writes->Put(FeedRecordKey(key), record->SerializeAsString());
  }

  void DropTable(const FeedKey& key, const storage::v1::FeedRecord& record,
                 WriteSet* writes) const {
    const v1::Position& log_from = record.log_from();
    RemoveTable(key, {log_from.epoch().number(), log_from.sequence()}, writes);
  }
  void DropSnapshot(const FeedKey& key, WriteSet* writes) {
    writes->DeleteRange(ChunkPrefix(key), PrefixEnd(ChunkPrefix(key)));
    writes->Delete(ManifestKey(key));
    writes->Delete(SnapshotProgressKey(key));
    const auto pins = pins_.find(key);
    if (pins == pins_.end()) return;
    pins->second.Unname([](const std::string&) { return false; }, writes);
    pins->second.Settle(writes);
  }

  // --- a feed whose record is gone --------------------------------------------------------------

  // Feeds of which there is something under these kinds, each looked at once.
  absl::Status KeysOf(char kind, std::set<FeedKey>* keys) const {
    std::string from = KindPrefix(kind);
    const std::string end = PrefixEnd(from);
    while (true) {
      const auto cursor = store_.Scan(from, end);
      if (!cursor->Valid()) return cursor->status();
      const FeedKey key = FeedKey::FromBytes(cursor->key().substr(1, kFeedKeyBytes));
      keys->insert(key);
      from = PrefixEnd(KindPrefix(kind) + key.str());
    }
  }

  absl::Status MendOrphans() {
    if (!Hit(KindPrefix('F'))) return absl::OkStatus();
    std::set<FeedKey> keys;
    for (const char kind : {'L', 'T', 'R', 'V', 'M', 'E'}) GT_RETURN_IF_ERROR(KeysOf(kind, &keys));
    for (const FeedKey& key : keys) {
      std::string bytes;
      const absl::Status got = store_.Get(FeedRecordKey(key), &bytes);
      if (!absl::IsNotFound(got)) {
        GT_RETURN_IF_ERROR(got);
        continue;
      }
      storage::v1::FeedRecord record;
      GT_RETURN_IF_ERROR(RecordFromLog(store_, key, &record));
      const bool own = record.has_feed() && record.feed().origin() == identity_.self.node_id;
      WriteSet writes;
      if (own) {
        GT_RETURN_IF_ERROR(CompleteOwn(key, &record));
        writes.Put(FeedRecordKey(key), record.SerializeAsString());
        Report(key, record.feed(), "record", "rebuilt", "由日志重建 (made again from the log)");
      } else {
        DropAll(key, &writes);
        Report(key, record.feed(), "record", "dropped",
               "从邻居重新取得 (fetched again from a neighbour)");
      }
      GT_RETURN_IF_ERROR(Commit(writes));
    }
    return absl::OkStatus();
  }

  // What the log does not say of a feed of this node.
  absl::Status CompleteOwn(const FeedKey& key, storage::v1::FeedRecord* record) const {
    record->set_own(true);
    record->set_origin_path(identity_.self.path.text());
    if (record->feed().kind() != v1::FEED_KIND_ROWS) return absl::OkStatus();
    record->set_applied(true);
    const absl::Status walked =
        WalkLog(store_, key, [&](const ParsedBatch& parsed, const v1::SignedBatch& batch) {
          v1::Records records;
          if (parsed.header.encoding() != v1::ENCODING_RECORDS) return absl::OkStatus();
          GT_ASSIGN_OR_RETURN(const std::string payload,
                              DecodePayload(parsed.header.compression(), batch.payload()));
          if (!records.ParseFromString(payload)) return absl::OkStatus();
          for (const v1::Record& one : records.records())
            record->set_closed(record->closed() || one.has_feed_closed());
          return absl::OkStatus();
        });
    GT_RETURN_IF_ERROR(walked);
    v1::FeedId catalogue;
    catalogue.set_origin(identity_.self.node_id);
    catalogue.set_kind(v1::FEED_KIND_CATALOG_OPEN);
    const std::string code =
        record->feed().resource().substr(0, record->feed().resource().find(':'));
    std::string bytes;
    v1::CatalogEntry entry;
    record->set_shared(store_.Get(EntryKey(FeedKey::Of(catalogue), code), &bytes).ok() &&
                       entry.ParseFromString(bytes) &&
                       entry.sharing().type() == v1::SHARING_TYPE_UNCONDITIONAL);
    return absl::OkStatus();
  }

  void DropAll(const FeedKey& key, WriteSet* writes) {
    DropTable(key, {}, writes);
    DropSnapshot(key, writes);
    for (const std::string& prefix :
         {LogPrefix(key), LogBlocksPrefix(key), MemberPrefix(key), EntryPrefix(key)}) {
      writes->DeleteRange(prefix, PrefixEnd(prefix));
    }
  }

  // --- indices ----------------------------------------------------------------------------------

  // They follow from the facts.
  absl::Status MendIndices() {
    if (Hit(KindPrefix('m')) || Hit(KindPrefix('F'))) GT_RETURN_IF_ERROR(MendIndex('M', 'm'));
    if (Hit(KindPrefix('J')) || Hit(KindPrefix('j')) || Hit(KindPrefix('F')))
      GT_RETURN_IF_ERROR(MendIndex('E', 'J'));
    if (Hit(KindPrefix('q')) || Hit(KindPrefix('f')) || Hit(KindPrefix('F')))
      GT_RETURN_IF_ERROR(MendIndex('E', 'q'));
    return absl::OkStatus();
  }

  absl::Status MendIndex(char facts, char index) {
    WriteSet writes;
    writes.DeleteRange(KindPrefix(index), PrefixEnd(KindPrefix(index)));
    const char other = index == 'J' ? 'j' : index == 'q' ? 'f' : index;
    writes.DeleteRange(KindPrefix(other), PrefixEnd(KindPrefix(other)));
    auto cursor = store_.Scan(KindPrefix(facts), PrefixEnd(KindPrefix(facts)));
    for (; cursor->Valid(); cursor->Next()) {
      const FeedKey key = FeedKey::FromBytes(cursor->key().substr(1, kFeedKeyBytes));
      const absl::string_view name = cursor->key().substr(1 + kFeedKeyBytes);
      if (facts == 'M') {
        writes.Put(MemberIndexKey(name, key), "");
        continue;
      }
      std::string bytes;
      storage::v1::FeedRecord record;
      if (!store_.Get(FeedRecordKey(key), &bytes).ok() || !record.ParseFromString(bytes)) continue;
      v1::Demand demand;
      if (index == 'q' && record.feed().kind() == v1::FEED_KIND_DEMANDS &&
          demand.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()))) {
        for (const std::string& held : IndexOfDemand(key, demand).held) writes.Put(held, "");
      }
      if (index == 'J' && record.feed().kind() == v1::FEED_KIND_CATALOG_OPEN) {
        writes.Put(EntryIndexKey(name, key), "");
        v1::CatalogEntry entry;
        if (entry.ParseFromArray(cursor->value().data(),
                                 static_cast<int>(cursor->value().size()))) {
          for (const std::string& alias : entry.aliases())
            writes.Put(AliasKey(alias, key), entry.code());
        }
      }
    }
    GT_RETURN_IF_ERROR(cursor->status());
    return Commit(writes);
  }

  Store& store_;
  const Identity& identity_;
  const absl::Span<const LostRange> lost_;
  v1::Damage& damage_;
  std::map<FeedKey, BlockPins> pins_;
};

}  // namespace

absl::Status MendFeeds(Store* store, const Identity& identity, absl::Span<const LostRange> lost,
                       v1::Damage* damage) {
  return FeedMender(store, identity, lost, damage).Run();
}

}  // namespace guantong
