#include "catalog/sorted_rows.h"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "tests/catch.h"

namespace guantong {
namespace {

using Rows = std::map<std::string, std::string>;  // an empty row: a delete

std::string BlockOf(const Rows& rows) {
  SortedRowsBuilder builder;
  for (const auto& [key, row] : rows) builder.Add(key, row);
  REQUIRE(builder.rows() == rows.size());
  std::string block = builder.Finish();
  REQUIRE(builder.rows() == 0);
  return block;
}

Rows ReadFrom(const std::string& block, const std::string& begin) {
  auto cursor = SortedRowsCursor::Open(std::make_shared<const std::string>(block), begin);
  REQUIRE(cursor.ok());
  Rows rows;
  while (cursor->Valid()) {
    const auto row = cursor->row();
    REQUIRE(row.ok());
    REQUIRE(cursor->deleted() == row->empty());
    rows.emplace(std::string(cursor->key()), std::string(*row));
    REQUIRE(cursor->Next().ok());
  }
  return rows;
}

// Of many pages, some rows long, some keys alike.
Rows ManyRows(uint32_t seed) {
  std::mt19937 random(seed);
  Rows rows;
  for (int i = 0; i < 600; ++i) {
    const std::string key = absl::StrCat(i % 3 == 0 ? "county/" : "", random() % 5000);
    std::string row;
    if (random() % 5 != 0)
      row = absl::StrCat("row ", random() % 90, std::string(random() % 300, 'v'));
    if (random() % 97 == 0) {
      row.clear();
      for (int n = 0; n < 40'000; ++n) row.push_back(static_cast<char>(random()));
    }
    rows[key] = row;
  }
  return rows;
}

TEST_CASE("block: rows come back, from any key on") {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    const Rows rows = ManyRows(seed);
    const std::string block = BlockOf(rows);
    const auto checked = SortedRows::Check(block);
    REQUIRE(checked.ok());
    CHECK(checked->rows() == rows.size());
    CHECK(checked->first() == rows.begin()->first);
    CHECK(checked->last() == rows.rbegin()->first);
    CHECK(checked->has_deletes());
    CHECK(ReadFrom(block, "") == rows);
    std::mt19937 random(seed);
    for (int i = 0; i < 200; ++i) {
      const std::string begin = absl::StrCat(i % 2 == 0 ? "county/" : "", random() % 5000);
      const auto at = rows.lower_bound(begin);
      auto cursor = SortedRowsCursor::Open(std::make_shared<const std::string>(block), begin);
      REQUIRE(cursor.ok());
      REQUIRE(cursor->Valid() == (at != rows.end()));
      if (at == rows.end()) continue;
      REQUIRE(cursor->key() == at->first);
      REQUIRE(*cursor->row() == at->second);
      const std::string later = absl::StrCat("county/", random() % 5000);
      REQUIRE(cursor->Seek(later).ok());
      const auto behind = std::max(begin, later) == begin ? at : rows.lower_bound(later);
      REQUIRE(cursor->Valid() == (behind != rows.end()));
      if (behind != rows.end()) REQUIRE(*cursor->row() == behind->second);
    }
    v1::RowBatch unpacked;
    REQUIRE(UnpackBlock(block, &unpacked).ok());
    CHECK(unpacked.changes_size() == static_cast<int>(rows.size()));
  }
}

TEST_CASE("block: what repeats is packed densely, digits to their entropy, noise not at all") {
  std::mt19937 random(7);
  const auto packed_part = [&](const std::function<std::string()>& row) {
    Rows rows;
    size_t bytes = 0;
    for (int i = 0; i < 2000; ++i) {
      bytes += (rows[absl::StrCat("k", 10000 + i)] = row()).size();
    }
    return static_cast<double>(BlockOf(rows).size()) / static_cast<double>(bytes);
  };
  const auto of = [&](absl::string_view letters) {
    return [&, letters] {
      std::string row;
      for (int i = 0; i < 200; ++i) row.push_back(letters[random() % letters.size()]);
      return row;
    };
  };
  // Four bits of eight, and the keys.
  CHECK(packed_part(of("0123456789abcdef")) < 0.55);
  std::string noise;
  for (int byte = 0; byte < 256; ++byte) noise.push_back(static_cast<char>(byte));
  CHECK(packed_part(of(noise)) > 0.99);
  CHECK(
      packed_part([&] {
        const char* words[] = {"办理中，材料齐全", "已办结，等待领取", "退回补正：缺身份证复印件"};
        return absl::StrCat(words[random() % 3], words[random() % 3], words[random() % 3],
                            words[random() % 3], random() % 100);
      }) < 0.12);
}

TEST_CASE("block: it is never taken for a RowBatch, nor the other way round") {
  const std::string block = BlockOf({{"a", "1"}});
  v1::RowBatch rows;
  CHECK_FALSE(rows.ParseFromString(block));
  rows.Clear();
  rows.add_changes()->set_key("a");
  CHECK(SortedRows::IsBlock(block));
  CHECK_FALSE(SortedRows::IsBlock(rows.SerializeAsString()));
}

TEST_CASE("block: keys out of order, empty, or too long are refused") {
  const auto refused = [](const std::vector<std::string>& keys) {
    SortedRowsBuilder builder;
    for (const std::string& key : keys) builder.Add(key, "row");
    const auto checked = SortedRows::Check(builder.Finish());
    return !checked.ok() && DetailOf(checked.status()).reason == "block_malformed";
  };
  CHECK_FALSE(refused({"a", "b", "ba"}));
  CHECK(refused({"b", "a"}));
  CHECK(refused({"a", "a"}));
  CHECK(refused({"ab", "a"}));
  CHECK(refused({""}));
  CHECK(refused({std::string(kRowKeyBytesMax + 1, 'k')}));
}

TEST_CASE("block: whatever is done to its bytes, nothing is read beside them") {
  const std::string block = BlockOf(ManyRows(9));
  std::mt19937 random(7);
  for (size_t size = 0; size < block.size(); size += 1 + size / 8) {
    CHECK_FALSE(SortedRows::Check(block.substr(0, size)).ok());
  }
  CHECK_FALSE(SortedRows::Check(block + "x").ok());
  for (int i = 0; i < 3000; ++i) {
    std::string bent = block;
    // The head, the page table and the keys above all.
    const size_t within = random() % 2 == 0 ? 600 : bent.size();
    bent[random() % within] = static_cast<char>(random());
    auto cursor = SortedRowsCursor::Open(std::make_shared<const std::string>(bent), "");
    if (SortedRows::Check(bent).ok()) REQUIRE(cursor.ok());
    if (!cursor.ok()) continue;
    while (cursor->Valid()) {
      if (!cursor->row().ok() || !cursor->Next().ok()) break;
    }
  }
}

}  // namespace
}  // namespace guantong
