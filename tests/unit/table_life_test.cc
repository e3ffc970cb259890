#include <deque>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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
      switch (Pick(14)) {
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
      }
    }
    CommitQueue();
    while (writer_.needs_merge()) Merge();
    REQUIRE(Content() == committed_.rows);
    CheckBlocks();
  }

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
      if (!writer_.Holds(mark)) writes.Delete(LogBlockKey(kFeed, mark.first, mark.second));
    }
    Queue(std::move(writes));
  }

  // Every block has an owner, and who owns one finds it.
  void CheckBlocks() {
    std::set<uint64_t> stored;
    const std::string prefix = LogBlocksPrefix(kFeed);
    const auto cursor = store_->Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      const uint64_t last = ReadBigEndian64(cursor->key().substr(cursor->key().size() - 8));
      stored.insert(last);
      REQUIRE((last > ordered_.log_from || writer_.Holds({1, last})));
    }
    for (const uint64_t last : ordered_.blocks) {
      if (last > ordered_.log_from && last <= ordered_.log_to) REQUIRE(stored.count(last) == 1);
    }
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
      REQUIRE((ordered_.staged_blocks ? writer_.StageBlock(BlockOf(chunk), &writes)
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
    store_ = store_->Clone();
    ordered_ = committed_;
    auto loaded = TableWriter::Load(*store_, kFeed, kFewRows);
    REQUIRE(loaded.ok());
    writer_ = *std::move(loaded);
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
};

TEST_CASE("table: readers see whole pushes through any life of a table") {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    RandomLife(seed).Live(300);
  }
}

}  // namespace
}  // namespace guantong
