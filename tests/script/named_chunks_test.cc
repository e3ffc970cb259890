// Chunks of a snapshot that are blocks of the table: stored once, and as long as anybody needs
// them.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/snapshot.h"
#include "catalog/sorted_rows.h"
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

// 100,000 bytes that no packing makes fewer.
std::string Noise(int seed) {
  std::string noise;
  for (int i = 0; noise.size() < 100'000; ++i) noise += Sha256(absl::StrCat(seed, "-", i));
  return noise;
}

size_t Count(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// A has D, each push a block of a row.
struct Blocks {
  explicit Blocks(const EngineOptions& options_in = {}) : options(options_in) {
    stage.Add("A", "", options);
    stage.Add("B", "b", options);
    stage.Link("B", "A");
    d = OpenDataset(stage, "A", "D");
    for (int i = 0; i < 4; ++i) Push(i, i);
    stage.Said();
  }
  void Push(int row, int seed, bool settle = true) {
    rows[absl::StrCat("k", row)] = Noise(seed);
    SortedRowsBuilder block;
    block.Add(absl::StrCat("k", row), Noise(seed));
    stage.Step("A", PushRows{.feed = d.key,
                             .base_commit = Commit(),
                             .push_id = absl::StrCat("push ", ++pushes),
                             .payload = block.Finish(),
                             .rows_after = rows.size()});
    if (settle) stage.Settle();
  }
  uint64_t Commit() { return TableReader::Open(stage.store("A"), d.key)->record().commit(); }
  size_t Under(const std::string& at, const std::string& prefix) {
    size_t keys = 0;
    auto cursor = stage.store(at).Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) ++keys;
    return keys;
  }
  // Own bytes, names, left: of chunks at `at`.
  std::vector<size_t> Chunks(const std::string& at) {
    return {Under(at, ChunkPrefix(d.key)), Under(at, ChunkNamesPrefix(d.key)),
            Under(at, LeftPrefix(d.key))};
  }
  size_t StoredBlocks(const std::string& at) {
    return Under(at, LogBlocksPrefix(d.key)) + Under(at, OwnBlocksPrefix(d.key));
  }
  std::string Expected() const {
    std::string all;
    for (const auto& [key, row] : rows)
      absl::StrAppend(&all, all.empty() ? "" : " ", key, "=", row);
    return all;
  }

  const EngineOptions options;
  Stage stage;
  PlayedDataset d;
  std::map<std::string, std::string> rows;
  int pushes = 0;
};

using Three = std::vector<size_t>;

TEST_CASE("a snapshot of blocks stores none twice, at its origin or at who loads it") {
  Blocks set;
  SubscribeTo(set.stage, "B", set.d);
  set.stage.Settle();
  CHECK((RowsAt(set.stage, "B", set.d) == set.Expected()));
  CHECK(set.Chunks("A") == Three{0, 4, 0});
  CHECK(set.Chunks("B") == Three{0, 4, 0});
  CHECK(set.StoredBlocks("A") == 4);
  CHECK(set.StoredBlocks("B") == 4);
  // Who comes later gets it from there.
  set.stage.Add("C", "b/c", set.options);
  set.stage.Link("C", "B");
  set.stage.Said();
  SubscribeTo(set.stage, "C", set.d);
  set.stage.Settle();
  CHECK_FALSE(absl::StrContains(set.stage.Said(), "B -> A: chunk?"));
  CHECK((RowsAt(set.stage, "C", set.d) == set.Expected()));
  set.stage.Pass(absl::Minutes(12));
  for (const char* at : {"A", "B", "C"}) {
    CHECK(set.Chunks(at) == Three{0, 0, 0});
    CHECK(set.StoredBlocks(at) == 4);
  }
}

TEST_CASE("what log and table have let go of stays for a snapshot, and goes with it") {
  Blocks set({.feed_log_bytes_max = 350'000});
  Stage& stage = set.stage;
  stage.HoldBulk("A", "B");
  SubscribeTo(stage, "B", set.d);
  stage.Settle();
  REQUIRE(set.Chunks("A") == Three{0, 4, 0});
  for (int i = 0; i < 40; ++i) set.Push(i % 4, 100 + i);
  CHECK(set.Chunks("A") == Three{0, 4, 4});
  SECTION("as it is") {}
  SECTION("after a restart") {
    stage.ReleaseBulk();
    stage.Restart("A");
    stage.Settle();
    CHECK(set.Chunks("A") == Three{0, 4, 4});
    stage.Link("B", "A");
  }
  stage.ReleaseBulk();
  stage.Settle();
  stage.Pass(absl::Minutes(1));
  const std::string said = stage.Said();
  CHECK(absl::StrContains(said, "A -> B: chunk D"));
  CHECK_FALSE(absl::StrContains(said, "absent"));
  CHECK((RowsAt(stage, "B", set.d) == set.Expected()));
  stage.Pass(absl::Minutes(12));
  CHECK(set.Chunks("A") == Three{0, 0, 0});
  // Four rows, not more than as many changes of them unmerged, and the log.
  CHECK(set.StoredBlocks("A") <= 4 + 4 + 4);
}

TEST_CASE("what stays for a snapshot goes when another takes its place") {
  Blocks set({.feed_log_bytes_max = 350'000});
  SubscribeTo(set.stage, "B", set.d);
  set.stage.Settle();
  for (int i = 0; i < 40; ++i) set.Push(i % 4, 100 + i);
  REQUIRE(set.Chunks("A") == Three{0, 4, 4});
  set.stage.Add("C", "c", set.options);
  set.stage.Link("C", "A");
  SubscribeTo(set.stage, "C", set.d);
  set.stage.Settle();
  CHECK((RowsAt(set.stage, "C", set.d) == set.Expected()));
  CHECK(set.Chunks("A")[2] == 0);
}

TEST_CASE("what stays for a snapshot in the making goes with a crash") {
  Blocks set({.feed_log_bytes_max = 350'000});
  Stage& stage = set.stage;
  SubscribeTo(stage, "B", set.d);
  // B's commit, and what it says to A.
  REQUIRE((stage.PlayOne() && stage.PlayOne()));
  // A has asked for one; the pushes come before it is made.
  for (int i = 0; i < 40; ++i) {
    const uint64_t before = set.Commit();
    set.Push(i % 4, 100 + i, /*settle=*/false);
    while (set.Commit() == before) REQUIRE(stage.PlayOne());
  }
  REQUIRE(set.Chunks("A")[1] == 0);
  REQUIRE(set.Chunks("A")[2] > 0);
  stage.Restart("A");
  stage.Settle();
  CHECK(set.Chunks("A")[2] == 0);
  CHECK(set.StoredBlocks("A") <= 4 + 4 + 4);
}

TEST_CASE("a snapshot whose blocks have gone since it was made is not taken") {
  Blocks set({.feed_log_bytes_max = 350'000});
  // As an engine that was thrown away has asked for.
  const std::unique_ptr<Reader> then = set.stage.store("A").Snapshot();
  absl::StatusOr<BuiltSnapshot> built =
      BuildSnapshot(*then, set.d.key, v1::ENCODING_SORTED_ROWS,
                    [](const std::string&, const std::string&) { return absl::OkStatus(); });
  REQUIRE(built.ok());
  REQUIRE(built->names.size() == 4);
  for (int i = 0; i < 40; ++i) set.Push(i % 4, 100 + i);
  set.stage.Step("A", SnapshotMade{.feed = set.d.key, .snapshot = std::move(built)});
  set.stage.Settle();
  CHECK(set.stage.Noticed("A", "blocks that it names are gone"));
  CHECK(set.Chunks("A") == Three{0, 0, 0});
}

TEST_CASE("who is stopped while it loads goes on with the chunks it has") {
  Blocks set;
  Stage& stage = set.stage;
  SubscribeTo(stage, "B", set.d);
  while (set.Chunks("B")[1] < 2) REQUIRE(stage.PlayOne());
  stage.Cut("B", "A");
  stage.Settle();
  REQUIRE(set.Chunks("B")[1] < 4);
  const size_t had = set.Chunks("B")[1];
  stage.Restart("B");
  stage.Settle();
  stage.Said();
  stage.Link("B", "A");
  stage.Pass(absl::Seconds(10));
  CHECK(Count(stage.Said(), "B -> A: chunk? D") == 4 - had);
  CHECK((RowsAt(stage, "B", set.d) == set.Expected()));
  // Nothing is left of the first time.
  CHECK(set.Chunks("B") == Three{0, 4, 0});
  CHECK(set.StoredBlocks("B") == 4);
}

TEST_CASE(
    "a block that a chunk names and that is gone is refused, and said by who makes the next") {
  Blocks set;
  Stage& stage = set.stage;
  stage.HoldBulk("A", "B");
  SubscribeTo(stage, "B", set.d);
  stage.Settle();
  REQUIRE(set.Chunks("A") == Three{0, 4, 0});
  WriteSet damage;
  damage.Delete(std::string(stage.store("A").Scan(LogBlocksPrefix(set.d.key), "")->key()));
  REQUIRE(stage.store("A").Commit({&damage, 1}).ok());
  stage.ReleaseBulk();
  stage.Settle();
  stage.Pass(absl::Minutes(1));
  CHECK(stage.Noticed("A", "snapshot of feed"));
  CHECK(stage.Noticed("A", "a block of rows is missing"));
  CHECK((RowsAt(stage, "B", set.d) != set.Expected()));
  stage.Pass(absl::Minutes(2));
  CHECK(set.Chunks("A") == Three{0, 0, 0});
}

}  // namespace
}  // namespace guantong
