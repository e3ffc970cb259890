#include "catalog/table.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/memory_store.h"
#include "tests/unit/row_batches.h"

namespace guantong {
namespace {

// A table whose writes are committed as they are made.
struct Table {
  MemoryStore store;
  TableWriter writer{kFeed, {}};
  uint64_t commit = 0;
  uint64_t last = 0;

  void Do(const std::function<void(WriteSet*)>& what) {
    WriteSet writes;
    what(&writes);
    REQUIRE(store.Commit({writes}).ok());
  }
  void Apply(const v1::BatchHeader& header, const v1::RowBatch& batch) {
    Do([&](WriteSet* writes) { REQUIRE(writer.Apply(header, batch, writes).ok()); });
  }
  void Push(const Changes& changes, uint64_t rows = 0) {
    Apply(HeaderOf(++commit, rows, true), BatchOf(changes));
  }
  void Begin(const Changes& changes) { Apply(HeaderOf(++commit, 0, false), BatchOf(changes)); }
  void End(const Changes& changes, uint64_t rows = 0) {
    Apply(HeaderOf(commit, rows, true), BatchOf(changes));
  }
  void Merge(size_t rows_max) {
    Do([&](WriteSet* writes) { REQUIRE(writer.MergeStep(store, rows_max, {}, writes).ok()); });
  }
  size_t StoredRows() {
    size_t rows = 0;
    std::string prefix = RowsPrefix(kFeed);
    auto cursor = store.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) ++rows;
    prefix = BlockEntriesPrefix(kFeed);
    cursor = store.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      storage::v1::BlockEntry entry;
      REQUIRE(entry.ParseFromString(std::string(cursor->value())));
      rows += entry.rows();
    }
    return rows;
  }
  // As a batch of a log that keeps all of them.
  void PushBlock(const Changes& changes) {
    ++commit;
    PutBlock(changes, true);
  }
  void PutBlock(const Changes& changes, bool push_end) {
    v1::BatchHeader header = HeaderOf(commit, 0, push_end);
    header.set_encoding(v1::ENCODING_SORTED_ROWS);
    header.mutable_epoch()->set_number(1);
    header.set_last(++last);
    const std::string block = BlockOf(changes);
    Do([&](WriteSet* writes) {
      REQUIRE(writer.ApplyBlock(header, block, writes).ok());
      writes->Put(LogBlockKey(kFeed, 1, last), block);
    });
  }
  void Restart() {
    absl::StatusOr<TableWriter> again = TableWriter::Load(store, kFeed);
    REQUIRE(again.ok());
    writer = *std::move(again);
  }
  Changes Many(int from, int count, const std::string& value) {
    Changes changes;
    for (int i = from; i < from + count; ++i) changes[absl::StrCat("k", 10000 + i)] = value;
    return changes;
  }
};

TEST_CASE("table: a push of one batch is there at once, with its commit, rows and time") {
  Table table;
  CHECK(DetailOf(TableReader::Open(table.store, kFeed).status()).reason == "table_absent");
  v1::RowBatch batch = BatchOf({{"a", "1"}, {"b", "2"}});
  batch.set_schema(SchemaBytes(1));
  table.Apply(HeaderOf(7, 2, true), batch);
  CHECK(RowsOf(table.store) == Rows({{"a", "1"}, {"b", "2"}}));
  const auto reader = TableReader::Open(table.store, kFeed);
  CHECK(reader->record().commit() == 7);
  CHECK(reader->record().rows() == 2);
  CHECK(reader->record().as_of().seconds() == 1007);
  CHECK(reader->schema().version() == 1);
  std::string row;
  REQUIRE(reader->Get("b", &row).ok());
  CHECK(row == "2");
  CHECK(absl::IsNotFound(reader->Get("c", &row)));
  table.Push({{"a", std::nullopt}, {"b", "3"}});
  CHECK(RowsOf(table.store) == Rows({{"b", "3"}}));
  CHECK(table.StoredRows() == 1);
}

TEST_CASE("table: nobody reads half a push of several batches") {
  Table table;
  table.Push({{"a", "1"}, {"b", "1"}}, 2);
  v1::RowBatch first = BatchOf({{"a", "2"}, {"c", "2"}});
  first.set_schema(SchemaBytes(2));
  table.Apply(HeaderOf(2, 0, false), first);
  const auto before = table.store.Snapshot();
  CHECK(RowsOf(table.store) == Rows({{"a", "1"}, {"b", "1"}}));
  table.Apply(HeaderOf(2, 0, false), BatchOf({{"b", std::nullopt}}));
  CHECK(RowsOf(table.store) == Rows({{"a", "1"}, {"b", "1"}}));
  CHECK(TableReader::Open(table.store, kFeed)->record().commit() == 1);
  CHECK(TableReader::Open(table.store, kFeed)->record().rows() == 2);
  // The schema comes with the rows it describes.
  CHECK(TableReader::Open(table.store, kFeed)->schema().version() == 0);
  table.Apply(HeaderOf(2, 3, true), BatchOf({{"d", "2"}}));
  CHECK(RowsOf(table.store) == Rows({{"a", "2"}, {"c", "2"}, {"d", "2"}}));
  CHECK(TableReader::Open(table.store, kFeed)->record().commit() == 2);
  CHECK(TableReader::Open(table.store, kFeed)->record().rows() == 3);
  CHECK(TableReader::Open(table.store, kFeed)->schema().version() == 2);
  CHECK(RowsOf(*before) == Rows({{"a", "1"}, {"b", "1"}}));
}

TEST_CASE("table: the first push of several batches becomes the base, without marks of deletion") {
  Table table;
  table.Begin({{"a", "1"}, {"b", "1"}});
  table.End({{"a", std::nullopt}, {"z", std::nullopt}});
  CHECK(RowsOf(table.store) == Rows({{"b", "1"}}));
  CHECK_FALSE(table.writer.needs_merge());
  CHECK(table.StoredRows() == 1);
}

TEST_CASE("table: a direct put wins over all runs that stand unmerged") {
  Table table;
  table.Push({{"a", "base"}, {"b", "base"}, {"c", "base"}});
  table.Begin({{"a", "run 1"}});
  table.End({{"b", std::nullopt}});
  table.Begin({{"a", "run 2"}});
  table.End({{"c", "run 2"}});
  table.Push({{"a", "direct"}, {"b", "direct"}, {"c", std::nullopt}});
  CHECK(RowsOf(table.store) == Rows({{"a", "direct"}, {"b", "direct"}}));
  std::string row;
  const auto reader = TableReader::Open(table.store, kFeed);
  CHECK(absl::IsNotFound(reader->Get("c", &row)));
  REQUIRE(reader->Get("a", &row).ok());
  CHECK(row == "direct");
  while (table.writer.needs_merge()) table.Merge(1);
  CHECK(RowsOf(table.store) == Rows({{"a", "direct"}, {"b", "direct"}}));
  CHECK(table.StoredRows() == 2);
}

TEST_CASE("table: a scan keeps to its range and stops when told") {
  Table table;
  table.Push({{"a", "1"}, {"b", "1"}, {"d", "1"}});
  table.Begin({{"b", std::nullopt}});
  table.End({{"c", "2"}, {"d", "2"}});
  CHECK(RowsOf(table.store, "b", "d") == Rows({{"c", "2"}}));
  CHECK(RowsOf(table.store, "c", "") == Rows({{"c", "2"}, {"d", "2"}}));
  CHECK(RowsOf(table.store, "d", "c").empty());
  int seen = 0;
  REQUIRE(TableReader::Open(table.store, kFeed)
              ->Scan("", "", [&](absl::string_view, absl::string_view) { return ++seen < 2; })
              .ok());
  CHECK(seen == 2);
}

TEST_CASE("table: what cannot be applied leaves no trace") {
  Table table;
  table.Push({{"a", "1"}}, 1);
  const std::string record = table.writer.record().SerializeAsString();
  const auto refused = [&](const v1::BatchHeader& header, const v1::RowBatch& batch) {
    WriteSet writes;
    const absl::Status status = table.writer.Apply(header, batch, &writes);
    CHECK(absl::IsFailedPrecondition(status));
    CHECK(DetailOf(status).reason == "batch_inapplicable");
    CHECK(writes.empty());
    CHECK(table.writer.record().SerializeAsString() == record);
  };
  v1::RowBatch batch = BatchOf({{"b", "2"}});
  v1::BatchHeader header = HeaderOf(2, 2, true);
  header.set_encoding(static_cast<v1::Encoding>(9));
  refused(header, batch);
  header = HeaderOf(2, 2, true);
  header.set_sealing(v1::SEALING_CONTENT_KEY);
  refused(header, batch);
  header = HeaderOf(2, 2, true);
  refused(header, BatchOf({{"b", ""}}));
  refused(header, BatchOf({{"", "x"}}));
  batch.set_schema("no schema");
  refused(header, batch);
}

TEST_CASE("table: a snapshot replaces everything in the commit that switches") {
  Table table;
  table.Push({{"a", "old"}, {"b", "old"}});
  table.Begin({{"a", "run"}});
  table.End({{"c", "run"}});
  table.Begin({{"d", "open"}});
  table.Do([&](WriteSet* writes) { table.writer.BeginStaging(writes); });
  table.Do([&](WriteSet* writes) {
    REQUIRE(table.writer.Stage(BatchOf({{"wrong", "chunk"}}), writes).ok());
  });
  // A newer manifest starts over.
  table.Do([&](WriteSet* writes) { table.writer.BeginStaging(writes); });
  for (int twice = 0; twice < 2; ++twice) {
    table.Do([&](WriteSet* writes) {
      REQUIRE(table.writer.Stage(BatchOf({{"b", "new"}, {"e", "new"}}), writes).ok());
    });
  }
  WriteSet none;
  CHECK_FALSE(table.writer.Stage(BatchOf({{"b", std::nullopt}}), &none).ok());
  CHECK(none.empty());
  CHECK(RowsOf(table.store) == Rows({{"a", "run"}, {"b", "old"}, {"c", "run"}}));
  table.Do([&](WriteSet* writes) { table.writer.Switch(ManifestOf(9, 2), writes); });
  CHECK(RowsOf(table.store) == Rows({{"b", "new"}, {"e", "new"}}));
  CHECK(table.StoredRows() == 2);
  const auto reader = TableReader::Open(table.store, kFeed);
  CHECK(reader->record().commit() == 9);
  CHECK(reader->record().rows() == 2);
  CHECK(reader->schema().version() == 9);
  CHECK(reader->record().open_run() == 0);
  table.Push({{"f", "after"}});
  CHECK(RowsOf(table.store) == Rows({{"b", "new"}, {"e", "new"}, {"f", "after"}}));
}

TEST_CASE("table: an abandoned push, and a dropped table, leave nothing") {
  Table table;
  table.Push({{"a", "1"}});
  v1::RowBatch open = BatchOf({{"a", "2"}, {"b", "2"}});
  open.set_schema(SchemaBytes(3));
  table.Apply(HeaderOf(2, 0, false), open);
  table.Do([&](WriteSet* writes) { table.writer.AbandonOpenPush({}, writes); });
  CHECK(table.StoredRows() == 1);
  table.Push({{"c", "3"}});
  CHECK(RowsOf(table.store) == Rows({{"a", "1"}, {"c", "3"}}));
  CHECK(TableReader::Open(table.store, kFeed)->schema().version() == 0);
  table.Do([&](WriteSet* writes) { table.writer.Drop({}, writes); });
  CHECK(table.StoredRows() == 0);
  CHECK(absl::IsNotFound(TableReader::Open(table.store, kFeed).status()));
  table.Push({{"a", "again"}});
  CHECK(RowsOf(table.store) == Rows({{"a", "again"}}));
}

TEST_CASE("table: a merge step is bounded, and goes on after a restart") {
  Table table;
  table.Push({{"k050", "base"}});
  Changes many;
  for (int i = 0; i < 100; ++i) many[absl::StrCat("k", 100 + i)] = "run";
  table.Begin(many);
  table.End({{"k050", std::nullopt}});
  const Rows rows = RowsOf(table.store);
  int steps = 0;
  while (table.writer.needs_merge()) {
    WriteSet writes;
    REQUIRE(table.writer.MergeStep(table.store, 10, {}, &writes).ok());
    CHECK(writes.ops().size() <= 12);
    REQUIRE(table.store.Commit({writes}).ok());
    auto loaded = TableWriter::Load(table.store, kFeed);
    REQUIRE(loaded.ok());
    table.writer = *std::move(loaded);
    CHECK(RowsOf(table.store) == rows);
    ++steps;
  }
  // One that chooses, one that switches.
  CHECK(steps == 13);
  CHECK(table.StoredRows() == 100);
}

TEST_CASE("table: blocks that come in key order stand in one run and nothing is rewritten") {
  Table table;
  for (int i = 0; i < 50; ++i) table.PushBlock(table.Many(i * 100, 100, "first"));
  CHECK(table.writer.record().runs_size() == 1);
  CHECK_FALSE(table.writer.needs_merge());
  // Updates in key order make one run more, with those that are not in order behind it untouched.
  for (int i = 0; i < 10; ++i) table.PushBlock(table.Many(i * 100, 100, "second"));
  CHECK(table.writer.record().runs_size() == 2);
  CHECK_FALSE(table.writer.needs_merge());
  const Rows rows = RowsOf(table.store);
  CHECK(rows.size() == 5000);
  CHECK(rows.at("k10999") == "second");
  CHECK(rows.at("k11000") == "first");
  // A small push stands in front of all of them.
  table.Push({{"k10005", "third"}, {"k10006", std::nullopt}});
  std::string row;
  const auto reader = TableReader::Open(table.store, kFeed);
  REQUIRE(reader->Get("k10005", &row).ok());
  CHECK(row == "third");
  CHECK(absl::IsNotFound(reader->Get("k10006", &row)));
  TableReader::Lookup lookup(&*reader);
  for (int i = 0; i < 5100; i += 7) {
    const std::string key = absl::StrCat("k", 10000 + i);
    const absl::Status got = lookup.Get(key, &row);
    const Rows now = RowsOf(table.store, key, key + '\0');
    REQUIRE(got.ok() == !now.empty());
    if (got.ok()) REQUIRE(row == now.at(key));
  }
}

TEST_CASE("table: pushes of several blocks in key order join one run, also after a restart") {
  Table table;
  const auto push = [&](int from, const std::string& value) {
    ++table.commit;
    table.PutBlock(table.Many(from, 100, value), false);
    if (from % 200 == 0) table.Restart();
    table.PutBlock(table.Many(from + 100, 100, value), false);
    const size_t before = RowsOf(table.store).size();
    table.PutBlock(table.Many(from + 200, 100, value), true);
    CHECK(RowsOf(table.store).size() == std::max(before, static_cast<size_t>(from + 300)));
  };
  for (int i = 0; i < 3 * kRunsMax; ++i) push(i * 300, "first");
  CHECK(table.writer.record().runs_size() == 1);
  CHECK(table.writer.record().infos_size() == 1);
  for (int i = 0; i < 3 * kRunsMax; ++i) push(i * 300, "second");
  CHECK(table.writer.record().runs_size() == 2);
  push(0, "third");  // meets the newest
  CHECK(table.writer.record().runs_size() == 3);
  CHECK_FALSE(table.writer.crowded());
  table.Restart();
  for (uint64_t last = 1; last <= table.last; ++last) CHECK(table.writer.Holds({1, last}));
  const Rows rows = RowsOf(table.store);
  CHECK(rows.size() == 900 * kRunsMax);
  CHECK(rows.at("k10299") == "third");
  CHECK(rows.at("k10300") == "second");
}

TEST_CASE("table: runs of one size are merged, and what they were made of goes") {
  Table table;
  for (int push = 0; push < 40; ++push) {
    Changes changes;
    for (int i = 0; i < 100; ++i) {
      changes[absl::StrCat("k", 1000 + (i * 37 + push * 11) % 900)] = absl::StrCat(push);
    }
    table.PushBlock(changes);
    while (table.writer.needs_merge()) table.Merge(60);
    CHECK(table.writer.record().runs_size() <= 2 * kMergeRunsMin);
  }
  CHECK(RowsOf(table.store).size() == 900);
  CHECK(table.StoredRows() < 2 * 900);
  // The log has gone past all of them: what the table does not hold is nobody's.
  size_t held = 0;
  for (uint64_t last = 1; last <= 40; ++last) held += table.writer.Holds({1, last}) ? 1 : 0;
  CHECK(held < 40);
}

TEST_CASE("table: a push waits for the merge when too many runs stand") {
  Table table;
  table.PushBlock(table.Many(0, 1000, "base"));
  int pushes = 0;
  while (!table.writer.crowded()) {
    Changes changes = table.Many(500 + ++pushes, 100, "y");
    changes["k10000"] = "x";
    table.PushBlock(changes);
  }
  CHECK(pushes == kRunsMax);
  while (table.writer.needs_merge()) table.Merge(100);
  CHECK_FALSE(table.writer.crowded());
  const Rows rows = RowsOf(table.store);
  CHECK(rows.size() == 1000);
  CHECK(rows.at("k10000") == "x");
  CHECK(rows.at("k10501") == "y");
}

}  // namespace
}  // namespace guantong
