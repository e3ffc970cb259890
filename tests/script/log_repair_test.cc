// Logs that damage has shortened, and what neighbours give back. The store is left as mending
// leaves it.
#include "catalog/logged.h"
#include "catalog/sorted_rows.h"
#include "catalog/table.h"
#include "guantong/storage/v1/store.pb.h"
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

storage::v1::FeedRecord RecordOf(Stage& stage, const std::string& name, const PlayedDataset& set) {
  std::string bytes;
  REQUIRE(stage.store(name).Get(FeedRecordKey(set.key), &bytes).ok());
  storage::v1::FeedRecord record;
  REQUIRE(record.ParseFromString(bytes));
  return record;
}

std::string LogOf(Stage& stage, const std::string& name, const PlayedDataset& set) {
  std::string log;
  auto cursor = stage.store(name).Scan(LogPrefix(set.key), PrefixEnd(LogPrefix(set.key)));
  for (; cursor->Valid(); cursor->Next()) {
    log += ReadLogged(stage.store(name), set.key, cursor->value())->SerializeAsString();
  }
  return log;
}

// All up to the batch that ends at `sequence` of epoch 1 is gone.
void ShortenLog(Stage& stage, const std::string& name, const PlayedDataset& set,
                uint64_t sequence) {
  storage::v1::FeedRecord record = RecordOf(stage, name, set);
  *record.mutable_log_lost_from() = record.log_from();
  WriteSet writes;
  auto cursor = stage.store(name).Scan(LogPrefix(set.key), LogKey(set.key, 1, sequence + 1));
  for (; cursor->Valid(); cursor->Next()) {
    const absl::StatusOr<LoggedHead> head = ReadLoggedHead(cursor->value());
    REQUIRE(head.ok());
    *record.mutable_log_from() = head->position;
    record.set_log_bytes(record.log_bytes() - head->bytes);
    record.set_log_batches(record.log_batches() - 1);
    writes.Delete(std::string(cursor->key()));
    writes.Delete(LogBlockKey(set.key, 1, head->position.sequence()));
  }
  writes.Put(FeedRecordKey(set.key), record.SerializeAsString());
  REQUIRE(stage.store(name).Commit({&writes, 1}).ok());
  stage.Restart(name);
}

// D has had four pushes; the log of `damaged` has lost all but the last.
struct DamagedPair : Pair {
  explicit DamagedPair(const EngineOptions& options = {}) : Pair(options) {
    for (const char* row : {"k1", "k2", "k3", "k4"}) {
      PushTo(stage, d, {{row, "row"}});
      stage.Settle();
    }
    log = LogOf(stage, "A", d);
    REQUIRE(LogOf(stage, "B", d) == log);
  }
  void Damage(const std::string& damaged) {
    stage.Cut("B", "A");
    stage.Settle();
    ShortenLog(stage, damaged, d, 5);
    stage.Link("B", "A");
    stage.Settle();
    stage.Said();
  }
  std::string log;
};

TEST_CASE("a log that damage has shortened is taken back from a neighbour, from its end") {
  DamagedPair pair;
  pair.Damage("B");
  pair.stage.Pass(absl::Seconds(2));
  CHECK(pair.stage.Said() == Lines(R"(
    B -> A: fetch D back from 1.5 after nothing
    A -> B: batch D 1.5..5
    A -> B: batch D 1.4..4
    A -> B: batch D 1.3..3
    A -> B: batch D 1.1..2
  )"));
  CHECK(LogOf(pair.stage, "B", pair.d) == pair.log);
  const storage::v1::FeedRecord record = RecordOf(pair.stage, "B", pair.d);
  CHECK_FALSE(record.has_log_lost_from());
  CHECK(record.log_from().epoch().number() == 0);
  CHECK(record.log_batches() == RecordOf(pair.stage, "A", pair.d).log_batches());
  CHECK(record.log_bytes() == RecordOf(pair.stage, "A", pair.d).log_bytes());
  CHECK(pair.stage.Noticed("B", "whole again"));
  // And it goes on as before.
  PushTo(pair.stage, pair.d, {{"k5", "row"}});
  pair.stage.Settle();
  CHECK(RowsAt(pair.stage, "B", pair.d) == "k1=row k2=row k3=row k4=row k5=row");
}

TEST_CASE("an origin takes the log of its own feed back from a copy") {
  DamagedPair pair;
  pair.Damage("A");
  pair.stage.Pass(absl::Seconds(2));
  CHECK(LogOf(pair.stage, "A", pair.d) == pair.log);
  CHECK(pair.stage.Noticed("A", "whole again"));
}

// D has two pushes of a block each; of A's table nothing is gone but the first block, and the store
// is left as mending leaves it.
struct LostBlock : Pair {
  LostBlock() {
    for (const char* prefix : {"a", "b"}) {
      SortedRowsBuilder block;
      for (int i = 100; i < 400; ++i) block.Add(absl::StrCat(prefix, i), absl::StrCat("row ", i));
      TableReader table = *TableReader::Open(stage.store("A"), d.key);
      stage.Step("A", PushRows{.feed = d.key,
                               .base_commit = table.record().commit(),
                               .push_id = absl::StrCat("push ", prefix),
                               .payload = block.Finish(),
                               .rows_after = table.record().rows() + 300});
      stage.Settle();
    }
    rows = RowsAt(stage, "A", d);
    REQUIRE(RowsAt(stage, "B", d) == rows);
    log = LogOf(stage, "A", d);
    stage.Cut("B", "A");
    stage.Settle();
    storage::v1::FeedRecord record = RecordOf(stage, "A", d);
    record.set_blocks_awaited(true);
    record.set_incomplete_since(1);
    record.set_fault_text("blocks are awaited");
    WriteSet writes;
    writes.Put(FeedRecordKey(d.key), record.SerializeAsString());
    REQUIRE(stage.store("A").Commit({&writes, 1}).ok());
    ShortenLog(stage, "A", d, record.head().sequence() - 300);
    const auto blocks =
        stage.store("A").Scan(LogBlocksPrefix(d.key), PrefixEnd(LogBlocksPrefix(d.key)));
    REQUIRE(blocks->Valid());
    CHECK(blocks->key() == LogBlockKey(d.key, 1, record.head().sequence()));
    REQUIRE(RowsAt(stage, "A", d) == "no table");
  }
  std::string rows;
  std::string log;
};

TEST_CASE("an origin takes a block of its rows back from a copy, and reads them again") {
  LostBlock lost;
  lost.stage.Link("B", "A");
  lost.stage.Settle();
  lost.stage.Pass(absl::Seconds(2));
  CHECK(RowsAt(lost.stage, "A", lost.d) == lost.rows);
  CHECK(LogOf(lost.stage, "A", lost.d) == lost.log);
  const storage::v1::FeedRecord record = RecordOf(lost.stage, "A", lost.d);
  CHECK_FALSE(record.blocks_awaited());
  CHECK(record.incomplete_since() == 0);
  CHECK(record.fault_text().empty());
  PushTo(lost.stage, lost.d, {{"c", "row"}});
  lost.stage.Settle();
  CHECK(RowsAt(lost.stage, "B", lost.d) == lost.rows + " c=row");
}

TEST_CASE("a block that stayed for a snapshot alone stays when the log has it again") {
  LostBlock lost;
  const std::string block =
      LogBlockKey(lost.d.key, 1, RecordOf(lost.stage, "A", lost.d).head().sequence() - 300);
  WriteSet writes;
  writes.Put(ChunkNameKey(lost.d.key, "hash of the chunk"), block);
  writes.Put(LeftKey(lost.d.key, block), "");
  REQUIRE(lost.stage.store("A").Commit({&writes, 1}).ok());
  lost.stage.Restart("A");
  lost.stage.Link("B", "A");
  lost.stage.Settle();
  lost.stage.Pass(absl::Seconds(2));
  REQUIRE(LogOf(lost.stage, "A", lost.d) == lost.log);
  lost.stage.Pass(absl::Minutes(2));  // nobody holds the snapshot any more
  std::string name;
  CHECK_FALSE(lost.stage.store("A").Get(ChunkNameKey(lost.d.key, "hash of the chunk"), &name).ok());
  CHECK(LogOf(lost.stage, "A", lost.d) == lost.log);
  CHECK(RowsAt(lost.stage, "A", lost.d) == lost.rows);
}

TEST_CASE("a block that is not what was signed does not come back, the right one does") {
  LostBlock lost;
  v1::Frame forged = lost.stage.Last("A", "B", "batch D 1.1..");
  std::string& payload = *forged.mutable_batch()->mutable_payload();
  payload[payload.size() / 2] ^= 1;
  lost.stage.Lose("A", "B", "fetch D");
  lost.stage.Link("B", "A");
  lost.stage.Settle();
  lost.stage.Inject("B", "A", forged);
  lost.stage.Settle();
  CHECK(RowsAt(lost.stage, "A", lost.d) == "no table");
  CHECK(RecordOf(lost.stage, "A", lost.d).blocks_awaited());
  lost.stage.Pass(absl::Seconds(10));
  CHECK(RowsAt(lost.stage, "A", lost.d) == lost.rows);
}

TEST_CASE("blocks that nobody gives back are told as lost, and asked for as long as it takes") {
  LostBlock lost;
  lost.stage.Pass(absl::Minutes(30));
  CHECK(lost.stage.Noticed("A", "nobody has them"));
  CHECK(RecordOf(lost.stage, "A", lost.d).blocks_awaited());
  CHECK(RowsAt(lost.stage, "A", lost.d) == "no table");
  lost.stage.Restart("A");
  lost.stage.Pass(absl::Minutes(30));
  lost.stage.Link("B", "A");
  lost.stage.Settle();
  lost.stage.Pass(absl::Minutes(2));
  CHECK(RowsAt(lost.stage, "A", lost.d) == lost.rows);
}

TEST_CASE("what is given back at a time is bounded, and the rest is asked for") {
  EngineOptions options;
  options.link_window_bytes = 4;
  DamagedPair pair(options);
  pair.Damage("B");
  pair.stage.Pass(absl::Seconds(1.5));
  CHECK(RecordOf(pair.stage, "B", pair.d).has_log_lost_from());
  pair.stage.Pass(absl::Seconds(60));
  CHECK(LogOf(pair.stage, "B", pair.d) == pair.log);
}

TEST_CASE("a batch that is not the one before, or not its origin's, is no part of the log") {
  DamagedPair pair;
  v1::Frame third = pair.stage.Last("A", "B", "batch D 1.4..4");
  v1::Frame forged = pair.stage.Last("A", "B", "batch D 1.5..5");
  std::string& signature = *forged.mutable_batch()->mutable_signature();
  signature[signature.size() / 2] ^= 1;
  pair.stage.Lose("B", "A", "fetch D");
  pair.Damage("B");
  pair.stage.Pass(absl::Seconds(2));
  const std::string before = LogOf(pair.stage, "B", pair.d);
  REQUIRE(before != pair.log);
  pair.stage.Inject("A", "B", third);
  pair.stage.Inject("A", "B", forged);
  pair.stage.Settle();
  CHECK(LogOf(pair.stage, "B", pair.d) == before);
  // Asked for again.
  pair.stage.Pass(absl::Seconds(10));
  CHECK(LogOf(pair.stage, "B", pair.d) == pair.log);
}

TEST_CASE("what no neighbour has any more is given up") {
  DamagedPair pair;
  pair.stage.Cut("B", "A");
  ShortenLog(pair.stage, "A", pair.d, 5);
  pair.Damage("B");
  pair.stage.Pass(absl::Minutes(11));
  CHECK(pair.stage.Noticed("B", "no neighbour has the rest of it"));
  CHECK_FALSE(RecordOf(pair.stage, "B", pair.d).has_log_lost_from());
  pair.stage.Said();
  pair.stage.Pass(absl::Minutes(2));
  CHECK(pair.stage.Said() == "");
}

}  // namespace
}  // namespace guantong
