#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/memory_store.h"
#include "tests/unit/row_batches.h"

namespace guantong {
namespace {

constexpr TableOptions kFewRows{.puts_rows_max = 2};

// Everything a table can meet, in random order. Writes queue up as they do before the commit
// thread, the process restarts at any point from what is committed, and after each commit readers
// must see exactly the last push end of it.
class RandomLife {
 public:
  explicit RandomLife(uint32_t seed) : random_(seed) {}

  void Live(int steps) {
    for (int step = 0; step < steps; ++step) {
      switch (Pick(17)) {
        case 0:
        case 1:
        case 2:
          if (!ordered_.open) PushDirect();
          break;
        case 3:
        case 4:
          PushOpen(false);
          break;
        case 5:
          PushOpen(true);
          break;
        case 6:
        case 7:
          if (queue_.empty()) Merge();
          break;
        case 8:
          Snapshot();
          break;
        case 9:
          if (Pick(5) == 0) Abandon();
          break;
        case 10:
          CommitQueue();
          break;
        case 11:
          if (Pick(4) == 0) Restart();
          break;
        case 12:
          if (!ordered_.open) PushDirect();
          break;
        case 13:
          if (Pick(4) == 0) TrimLog();
          break;
        case 14:
          BeginMaking();
          break;
        case 15:
          if (Pick(3) == 0) EndMaking();
          break;
        case 16:
          if (Pick(6) == 0) DropNames();
          break;
      }
    }
    EndMaking();
    CommitQueue();
    while (writer_.needs_merge()) Merge();
    REQUIRE(Content() == committed_.rows);
    DropNames();
    CommitQueue();
    CHECK(writer_.pins().empty());
    CHECK(Under(ChunkNamesPrefix(kFeed)).empty());
    CHECK(Under(LeftPrefix(kFeed)).empty());
  }

  int named() const { return named_; }

 private:
  struct Model {
    Rows rows;                 // visible
    std::optional<Rows> open;  // rows as they will be at the push end
    std::optional<Rows> staged;
    bool staged_blocks = false;
    uint64_t commit = 0;
    uint64_t log_from = 0;
    uint64_t log_to = 0;
    std::set<uint64_t> blocks;  // batches that came as such
  };

  uint32_t Pick(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

  Changes RandomChanges() {
    Changes changes;
    for (uint32_t n = Pick(8); n > 0; --n) {
      const std::string key = absl::StrCat("k", 10 + Pick(30));
      if (Pick(3) == 0) {
        changes[key] = std::nullopt;
      } else {
        changes[key] = absl::StrCat("v", next_value_++);
      }
    }
    return changes;
  }

  void Queue(WriteSet writes) { queue_.emplace_back(std::move(writes), ordered_); }

  void PushDirect() {
    const Changes changes = RandomChanges();
    Enact(changes, &ordered_.rows);
    Batch(HeaderOf(++ordered_.commit, ordered_.rows.size(), true), changes);
  }

  void PushOpen(bool end) {
    const Changes changes = RandomChanges();
    if (!ordered_.open && end) return;
    if (!ordered_.open) ordered_.open = ordered_.rows;
    Enact(changes, &*ordered_.open);
    if (end) {
      ordered_.rows = *std::move(ordered_.open);
      ordered_.open.reset();
      ++ordered_.commit;
    }
    Batch(HeaderOf(ordered_.commit, ordered_.rows.size(), end), changes);
  }

  // The next of the log, as a block or in the old way.
  void Batch(v1::BatchHeader header, const Changes& changes) {
    header.mutable_epoch()->set_number(1);
    header.set_last(++ordered_.log_to);
    WriteSet writes;
    if (!changes.empty() && writer_.record().open_runs_size() < kOpenRunsMax && Pick(3) > 0) {
      const std::string block = BlockOf(changes);
      header.set_encoding(v1::ENCODING_SORTED_ROWS);
      REQUIRE(writer_.ApplyBlock(header, block, &writes).ok());
      writes.Put(LogBlockKey(kFeed, 1, ordered_.log_to), block);
      ordered_.blocks.insert(ordered_.log_to);
    } else {
      REQUIRE(writer_.Apply(header, BatchOf(changes), &writes).ok());
    }
    Queue(std::move(writes));
  }

  BatchMark LogFrom() const { return {1, ordered_.log_from}; }

  void TrimLog() {
    WriteSet writes;
    const uint64_t to = ordered_.log_from + Pick(8);
    while (ordered_.log_from < std::min(to, committed_.log_to)) {
      const BatchMark mark{1, ++ordered_.log_from};
      writer_.LogLetsGo(mark, &writes);
    }
    Queue(std::move(writes));
  }

  std::map<std::string, std::string> Under(const std::string& prefix) const {
    std::map<std::string, std::string> found;
    const auto cursor = store_->Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next())
      found.emplace(cursor->key().substr(prefix.size()), cursor->value());
    return found;
  }

  // Every block has an owner, and who owns one finds it. All is committed.
  void CheckBlocks() {
    std::set<uint64_t> stored;
    for (const auto& [tail, block] : Under(LogBlocksPrefix(kFeed))) {
      const uint64_t last = ReadBigEndian64(absl::string_view(tail).substr(8));
      stored.insert(last);
      REQUIRE((last > ordered_.log_from || writer_.Holds({1, last}) ||
               writer_.pins().Left(LogBlockKey(kFeed, 1, last))));
    }
    for (const uint64_t last : ordered_.blocks) {
      if (last > ordered_.log_from && last <= ordered_.log_to) REQUIRE(stored.count(last) == 1);
    }
    for (const auto& [tail, block] : Under(OwnBlocksPrefix(kFeed)))
      REQUIRE(writer_.Stands(OwnBlocksPrefix(kFeed) + tail, LogFrom()));
    const auto names = Under(ChunkNamesPrefix(kFeed));
    for (const auto& [hash, block] : names) {
      std::string bytes;
      REQUIRE(writer_.pins().Find(hash) != nullptr);
      REQUIRE(*writer_.pins().Find(hash) == block);
      REQUIRE(store_->Get(block, &bytes).ok());
      REQUIRE(Sha256(bytes) == hash);
    }
    for (const auto& [what, nothing] : Under(LeftPrefix(kFeed))) {
      REQUIRE(writer_.pins().Left(what));
      const bool named = std::any_of(names.begin(), names.end(), [&what = what](const auto& name) {
        return absl::StartsWith(name.second, what);
      });
      REQUIRE((named || making_));
    }
  }

  void BeginMaking() {
    if (making_) return;
    making_ = true;
    switched_ = false;
    writer_.pins().LeaveAll();
    CommitQueue();
    // The worker begins a little later.
    for (uint32_t n = Pick(3); n > 0 && !ordered_.open; --n) PushDirect();
    CommitQueue();
    reader_ = store_->Snapshot();
  }

  static std::vector<std::string> VisibleBlocks(const Reader& reader) {
    std::vector<std::string> blocks;
    const auto table = TableReader::Open(reader, kFeed);
    if (!table.ok()) return blocks;
    for (const storage::v1::RunInfo& run : VisibleRuns(table->record())) {
      const std::string prefix = BlockEntryPrefix(kFeed, run.run());
      auto cursor = reader.Scan(prefix, PrefixEnd(prefix));
      for (; run.blocks() && cursor->Valid(); cursor->Next()) {
        storage::v1::BlockEntry entry;
        REQUIRE(entry.ParseFromString(std::string(cursor->value())));
        blocks.push_back(entry.epoch() == 0
                             ? OwnBlockKey(kFeed, run.run(), cursor->key().substr(prefix.size()))
                             : LogBlockKey(kFeed, entry.epoch(), entry.last()));
      }
    }
    return blocks;
  }

  void EndMaking() {
    if (!making_) return;
    making_ = false;
    WriteSet writes;
    std::vector<ChunkName> names;
    bool stand = true;
    for (const std::string& block : VisibleBlocks(*reader_)) {
      std::string bytes;
      REQUIRE(reader_->Get(block, &bytes).ok());
      if (Pick(3) == 0) continue;
      names.push_back({.hash = Sha256(bytes), .block = block});
      stand &= writer_.Stands(block, LogFrom());
    }
    REQUIRE((stand || switched_));
    if (stand) {
      std::set<std::string> stay;
      for (const ChunkName& name : names) stay.insert(name.hash);
      writer_.pins().Unname([&](const std::string& hash) { return stay.count(hash) > 0; }, &writes);
      for (const ChunkName& name : names) writer_.pins().Name(name, &writes);
      named_ += static_cast<int>(names.size());
    }
    writer_.pins().Settle(&writes);
    reader_.reset();
    Queue(std::move(writes));
  }

  void DropNames() {
    WriteSet writes;
    writer_.pins().Unname([](const std::string&) { return false; }, &writes);
    if (!making_) writer_.pins().Settle(&writes);
    Queue(std::move(writes));
  }

  void Abandon() {
    WriteSet writes;
    writer_.AbandonOpenPush(LogFrom(), &writes);
    ordered_.open.reset();
    Queue(std::move(writes));
  }

  void Snapshot() {
    WriteSet writes;
    if (!ordered_.staged || Pick(6) == 0) {
      writer_.BeginStaging(&writes);
      ordered_.staged = Rows();
      ordered_.staged_blocks = Pick(2) == 0;
    } else if (Pick(3) == 0) {
      ordered_.rows = *std::move(ordered_.staged);
      ordered_.staged.reset();
      ordered_.open.reset();
      writer_.Switch(ManifestOf(++ordered_.commit, ordered_.rows.size()), &writes);
      // The log begins anew.
      writes.DeleteRange(LogBlocksPrefix(kFeed), PrefixEnd(LogBlocksPrefix(kFeed)));
      writer_.pins().LogBlocksGone(&writes);
      switched_ = true;
      ordered_.log_from = ordered_.log_to;
    } else {
      Changes chunk;
      for (const auto& [key, row] : RandomChanges()) {
        if (ordered_.staged_blocks && !ordered_.staged->empty() &&
            key <= ordered_.staged->rbegin()->first)
          continue;
        chunk[key] = row.value_or("staged");
      }
      if (ordered_.staged_blocks && chunk.empty()) return;
      Enact(chunk, &*ordered_.staged);
      const std::string block = ordered_.staged_blocks ? BlockOf(chunk) : "";
      REQUIRE((ordered_.staged_blocks ? writer_.StageBlock(Sha256(block), block, &writes)
                                      : writer_.Stage(BatchOf(chunk), &writes))
                  .ok());
    }
    Queue(std::move(writes));
  }

  void Merge() {
    WriteSet writes;
    REQUIRE(writer_.MergeStep(*store_, 1 + Pick(6), LogFrom(), &writes).ok());
    Queue(std::move(writes));
    CommitQueue();
  }

  void CommitQueue() {
    while (!queue_.empty()) {
      CommitOne();
      REQUIRE(Content() == committed_.rows);
    }
    CheckBlocks();
  }

  void CommitOne() {
    REQUIRE(store_->Commit({queue_.front().first}).ok());
    committed_ = queue_.front().second;
    queue_.pop_front();
  }

  // Loses what is not committed yet, wherever in the queue that begins.
  void Restart() {
    for (uint32_t n = Pick(static_cast<uint32_t>(queue_.size()) + 1); n > 0; --n) CommitOne();
    queue_.clear();
    reader_.reset();
    store_ = store_->Clone();
    ordered_ = committed_;
    auto loaded = TableWriter::Load(*store_, kFeed, kFewRows);
    REQUIRE(loaded.ok());
    writer_ = *std::move(loaded);
    REQUIRE(LoadPins(*store_, [this](const FeedKey& feed) {
              return feed == kFeed ? &writer_.pins() : nullptr;
            }).ok());
    making_ = false;
    WriteSet writes;
    writer_.pins().Settle(&writes);
    Queue(std::move(writes));
    REQUIRE(Content() == committed_.rows);
  }

  Rows Content() {
    const auto table = TableReader::Open(*store_, kFeed);
    if (!table.ok()) return {};
    REQUIRE(table->record().rows() == committed_.rows.size());
    Rows rows = RowsOf(*store_);
    const std::string key = absl::StrCat("k", 10 + Pick(30));
    std::string row;
    REQUIRE(table->Get(key, &row).ok() == (rows.count(key) > 0));
    if (rows.count(key) > 0) REQUIRE(row == rows[key]);
    const std::string begin = absl::StrCat("k", 10 + Pick(30)),
                      end = absl::StrCat("k", 10 + Pick(30));
    Rows part;
    if (begin < end) part = Rows(rows.lower_bound(begin), rows.lower_bound(end));
    REQUIRE(RowsOf(*store_, begin, end) == part);
    return rows;
  }

  std::mt19937 random_;
  std::unique_ptr<MemoryStore> store_ = std::make_unique<MemoryStore>();
  TableWriter writer_{kFeed, {}, kFewRows};
  Model ordered_;
  Model committed_;
  std::deque<std::pair<WriteSet, Model>> queue_;
  int next_value_ = 0;
  bool making_ = false;    // a snapshot
  bool switched_ = false;  // to one of another, since that began
  std::unique_ptr<Reader> reader_;
  int named_ = 0;
};

TEST_CASE("table: readers see whole pushes through any life of a table") {
  int named = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    RandomLife life(seed);
    life.Live(300);
    named += life.named();
  }
  CHECK(named > 100);
}

}  // namespace
}  // namespace guantong
