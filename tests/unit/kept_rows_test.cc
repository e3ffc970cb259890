#include "node/kept_rows.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/status.h"
#include "catalog/memory_store.h"
#include "node/limits.h"
#include "tests/catch.h"

namespace guantong {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;
const FeedKey kFeed = FeedKey::FromBytes("feedfeedfeedfeed");

std::string KeyOf(int i) { return absl::StrFormat("k%06d", i); }

TEST_CASE("Kept rows are those of the table, whatever was asked before") {
  MemoryStore store;
  TableWriter writer(kFeed, {});
  // Every second key, in two runs that interleave, one of them with deletes.
  for (int run = 0; run < 2; ++run) {
    SortedRowsBuilder block;
    for (int i = run * 2; i < 4000; i += 4) {
      block.Add(KeyOf(i), absl::StrCat("row ", i, std::string(static_cast<size_t>(i % 97), 'v')));
    }
    std::string bytes = block.Finish();
    v1::BatchHeader header;
    header.set_encoding(v1::ENCODING_SORTED_ROWS);
    header.set_sealing(v1::SEALING_NONE);
    header.set_push_end(true);
    header.mutable_epoch()->set_number(1);
    header.set_last(static_cast<uint64_t>(run + 1) * 1000);
    header.set_commit(static_cast<uint64_t>(run + 1));
    WriteSet writes;
    REQUIRE(writer.ApplyBlock(header, bytes, &writes).ok());
    writes.Put(LogBlockKey(kFeed, 1, header.last()), std::move(bytes));
    REQUIRE(store.Commit({&writes, 1}).ok());
  }
  const auto snapshot = store.Snapshot();
  const auto table = TableReader::Open(*snapshot, kFeed);
  REQUIRE(table.ok());
  const auto bytes_kept = std::make_shared<KeptBytes>(0);
  const KeptRows kept(&*table, bytes_kept);
  const auto rows_of = [](const auto& from, const std::string& begin, const std::string& end) {
    Rows rows;
    CHECK(from.Scan(begin, end,
                    [&rows](absl::string_view key, absl::string_view row) {
                      rows.emplace_back(key, row);
                      return rows.size() < 20;
                    })
              .ok());
    return rows;
  };
  uint64_t random = 7;
  int wrong = 0;
  for (int i = 0; i < 3000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const int from = static_cast<int>((random >> 33) % 4100);
    const int length = static_cast<int>((random >> 20) % 9);
    const std::string begin = length == 8 ? "" : KeyOf(from);
    const std::string end = length == 7 ? "" : KeyOf(from + length);
    const Rows expected = rows_of(*table, begin, end);
    // A second time from what was kept.
    for (int time = 0; time < 2; ++time) wrong += rows_of(kept, begin, end) == expected ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(rows_of(kept, KeyOf(1000), KeyOf(1001)).size() == 1);
  CHECK(rows_of(kept, KeyOf(1001), KeyOf(1002)).empty());

  // All of it, further than what is kept at a time.
  const auto all_of = [](const auto& from) {
    Rows rows;
    CHECK(from.Scan("", "",
                    [&rows](absl::string_view key, absl::string_view row) {
                      rows.emplace_back(key, row);
                      return true;
                    })
              .ok());
    return rows;
  };
  CHECK(all_of(kept) == all_of(*table));
  CHECK(*bytes_kept > 0);

  // Where others have taken the room nothing is kept, and what is given up is given back.
  const auto full = std::make_shared<KeptBytes>(kRowsKeptBytesMax);
  {
    const KeptRows late(&*table, full);
    CHECK(all_of(late) == all_of(*table));
    CHECK(*full == kRowsKeptBytesMax);
    *full = 0;
    CHECK(rows_of(late, KeyOf(0), KeyOf(4)).size() == rows_of(*table, KeyOf(0), KeyOf(4)).size());
    CHECK(*full > 0);
  }
  CHECK(*full == 0);
}

}  // namespace
}  // namespace guantong
