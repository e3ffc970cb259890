#include "catalog/filter.h"

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/row.h"
#include "tests/catch.h"
#include "tests/unit/row_keys.h"

namespace guantong {
namespace {

// Keys: division (text), number (integer). Others: name, area (decimal), since (date), at (time),
// open (logical).
v1::DatasetSchema Schema() {
  v1::DatasetSchema schema;
  const auto add = [&](const char* field, const char* name, v1::ItemType type, bool key) {
    v1::Column* column = schema.add_columns();
    column->set_field(field);
    column->set_name(name);
    column->set_type(type);
    column->set_key(key);
    column->set_nullable(!key);
  };
  add("division", "区划", v1::ITEM_TYPE_C, true);
  add("number", "序号", v1::ITEM_TYPE_I, true);
  add("name", "名称", v1::ITEM_TYPE_C, false);
  add("area", "面积", v1::ITEM_TYPE_N, false);
  add("since", "成立日期", v1::ITEM_TYPE_D, false);
  add("at", "更新时间", v1::ITEM_TYPE_T, false);
  add("open", "开放", v1::ITEM_TYPE_L, false);
  return schema;
}

v1::Row RowOf(const std::vector<std::optional<std::string>>& values) {
  v1::Row row;
  for (size_t i = 0; i < values.size(); ++i) {
    row.add_values(values[i].value_or(""));
    if (!values[i]) row.add_nulls(static_cast<uint32_t>(i));
  }
  return row;
}

const v1::Row kRow =
    RowOf({"630102", "12", "城东'区", "12.50", "2026-11-21", "2026-11-21T08:00:00+08:00", "true"});
const v1::Row kBare = RowOf({"630102", "12"});

bool Holds(const std::string& where, const v1::Row& row = kRow) {
  const auto filter = Filter::Parse(where, Schema());
  INFO(where << ": " << filter.status());
  REQUIRE(filter.ok());
  return filter->Matches(row);
}

TEST_CASE("filter: every operator, by the meaning of the column") {
  CHECK(Holds(""));
  CHECK(Holds("  "));
  CHECK(Holds("division = '630102'"));
  CHECK(Holds("division = 630102"));
  CHECK(Holds("区划=\"630102\""));
  CHECK_FALSE(Holds("division != '630102'"));
  CHECK(Holds("division ^= '6301'"));
  CHECK(Holds("division^=6301"));
  CHECK_FALSE(Holds("division ^= '6302'"));
  CHECK(Holds("number < 100"));
  CHECK_FALSE(Holds("number < 9"));
  CHECK(Holds("number >= 12 and number <= 12"));
  CHECK_FALSE(Holds("number > 12"));
  CHECK(Holds("area = 12.5"));
  CHECK(Holds("area = '012.500'"));
  CHECK(Holds("area > -100"));
  CHECK(Holds("since = 2026/11/21"));
  CHECK(Holds("since >= 20261101 AND since < '2026-12-01'"));
  CHECK(Holds("since ^= '2026-11'"));
  CHECK(Holds("at = '2026-11-21T00:00:00Z'"));
  CHECK(Holds("at < '2026-11-21T00:00:01Z'"));
  CHECK(Holds("at > '2026-11-21T05:00:00+08:00'"));
  CHECK(Holds("at ^= '2026-11-21T08'"));
  CHECK(Holds("open = true"));
  CHECK(Holds("open = 是"));
  CHECK_FALSE(Holds("open != 1"));
  CHECK(Holds("name = '城东''区'"));
  CHECK(Holds("name = \"城东'区\""));
  CHECK(Holds("name > '城'"));
  CHECK(Holds("name ^= ''"));
}

TEST_CASE("filter: null is found by = null, and by nothing else") {
  CHECK(Holds("name = null", kBare));
  CHECK(Holds("name = NULL and since = null", kBare));
  CHECK_FALSE(Holds("name != null", kBare));
  CHECK(Holds("name != null"));
  CHECK_FALSE(Holds("name = null"));
  CHECK_FALSE(Holds("name != 'x'", kBare));
  CHECK_FALSE(Holds("area < 5", kBare));
  CHECK_FALSE(Holds("name ^= ''", kBare));
  CHECK_FALSE(Holds("name = 'null'"));
}

std::string ReasonOf(const std::string& where) {
  return DetailOf(Filter::Parse(where, Schema()).status()).reason;
}

TEST_CASE("filter: what is wrong is said with its place") {
  for (const char* bad :
       {"division", "division =", "division 630102", "division = '630102", "division == '1'",
        "= '1'", "division = '1' or number = 2", "division = '1' and", "division = abc",
        "number = 'x'", "number ^= 1", "number < null", "since = '2026-02-30'", "open = 7",
        "division = '1' number = 2", "division ! '1'", "division = '1',"}) {
    INFO(bad);
    CHECK(ReasonOf(bad) == "where_invalid");
  }
  CHECK(ReasonOf("street = '1'") == "field_unknown");
  CHECK(DetailOf(Filter::Parse("street = '1'", Schema()).status()).subject == "street");
  const auto place = Filter::Parse("区划 = '1' or 序号 = 2", Schema());
  CHECK(std::string(place.status().message()).find("第 10 个字符") != std::string::npos);
  CHECK(ReasonOf("name = '" + std::string(kWhereBytesMax, 'x') + "'") == "where_invalid");
}

TEST_CASE("filter: values a peer made up match nothing they should not, and do no harm") {
  const v1::Row junk = RowOf({"\xff", "many", "", "junk", "never", "whenever", "maybe"});
  CHECK_FALSE(Holds("number = 12", junk));
  CHECK_FALSE(Holds("area > 0", junk));
  CHECK_FALSE(Holds("at > '1949-10-01'", junk));
  v1::Row wild;
  wild.add_nulls(4000000000u);
  CHECK(Holds("name = null", wild));
}

TEST_CASE("filter: equality on leading keys costs what it returns") {
  const v1::DatasetSchema schema = Schema();
  const auto range = [&](const std::string& where) {
    return Filter::Parse(where, schema)->KeyRange();
  };
  const auto key = [&](const std::string& division, const std::string& number) {
    return RowKeyOf(schema, RowOf({division, number}));
  };
  const Filter::Range all = range("name = 'x'");
  CHECK(all.begin.empty());
  CHECK(all.end.empty());
  const Filter::Range one = range("number = 7 and division = 'a'");
  CHECK(one.begin == key("a", "7"));
  CHECK(one.end > key("a", "7"));
  CHECK(one.end < key("a", "8"));
  const Filter::Range division = range("division = 'a'");
  CHECK(division.begin < key("a", "-99999"));
  CHECK(key("a", "99999") < division.end);
  CHECK(division.end < key("b", "-99999"));
  const Filter::Range prefix = range("division ^= '6301' and number > 3");
  CHECK(prefix.begin < key("6301", "-1"));
  CHECK(prefix.begin > key("6300", "9"));
  CHECK(prefix.end > key("630199", "9"));
  CHECK(prefix.end < key("6302", "-9"));
  // Without the first key column the second says nothing about where the rows are.
  CHECK(range("number = 7").begin.empty());
  CHECK(range("division != 'a'").end.empty());
}

TEST_CASE("filter: the key range holds every match") {
  const v1::DatasetSchema schema = Schema();
  std::mt19937 random(5);
  const auto pick = [&](auto const& list) { return list[random() % list.size()]; };
  const std::vector<std::string> divisions = {"", "6", "63", "6301", "6302", "7"};
  const std::vector<std::string> numbers = {"-10", "-2", "0", "2", "9", "10", "100"};
  const std::vector<std::string> ops = {"=", "!=", "<", "<=", ">", ">=", "^="};
  int narrowed = 0, matches = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string where;
    for (uint32_t terms = 1 + random() % 3; terms > 0; --terms) {
      std::string op = pick(ops);
      const bool division = random() % 2 == 0;
      if (!division && op == "^=") op = "=";
      absl::StrAppend(&where, where.empty() ? "" : " and ", division ? "division " : "number ", op,
                      " '", division ? pick(divisions) : pick(numbers), "'");
    }
    const auto filter = Filter::Parse(where, schema);
    INFO(where);
    REQUIRE(filter.ok());
    const Filter::Range range = filter->KeyRange();
    if (!range.begin.empty() || !range.end.empty()) ++narrowed;
    for (const std::string& division : divisions) {
      for (const std::string& number : numbers) {
        const v1::Row row = RowOf({division, number});
        if (!filter->Matches(row)) continue;
        ++matches;
        const std::string key = RowKeyOf(schema, row);
        REQUIRE(range.begin <= key);
        REQUIRE((range.end.empty() || key < range.end));
      }
    }
  }
  CHECK(narrowed > 1000);
  CHECK(matches > 1000);
}

}  // namespace
}  // namespace guantong
