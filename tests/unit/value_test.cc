#include "catalog/value.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/moment.h"
#include "tests/catch.h"

namespace guantong {
namespace {

v1::Column ColumnOf(v1::ItemType type, uint32_t length = 0, uint32_t scale = 0) {
  v1::Column column;
  column.set_field("f");
  column.set_name("项");
  column.set_type(type);
  column.set_length(length);
  column.set_scale(scale);
  return column;
}

// The canonical text, or "!" for a refusal, which always names the field.
std::string Canonical(const v1::Column& column, absl::string_view value) {
  const auto canonical = CanonicalValue(column, value);
  if (canonical.ok()) return *canonical;
  CHECK(absl::IsInvalidArgument(canonical.status()));
  CHECK(DetailOf(canonical.status()).reason == "value_invalid");
  CHECK(DetailOf(canonical.status()).subject == "f");
  return "!";
}

std::string Message(const v1::Column& column, absl::string_view value) {
  return std::string(CanonicalValue(column, value).status().message());
}

TEST_CASE("value: text is counted in characters, and kept as it is") {
  const v1::Column column = ColumnOf(v1::ITEM_TYPE_C, 4);
  CHECK(Canonical(column, "青海西宁") == "青海西宁");
  CHECK(Canonical(column, "𠮷𠮷𠮷𠮷") == "𠮷𠮷𠮷𠮷");
  CHECK(Canonical(column, "青海省西宁") == "!");
  CHECK(Canonical(column, " a ") == " a ");
  CHECK(Canonical(column, "") == "");
  CHECK(Canonical(ColumnOf(v1::ITEM_TYPE_M), std::string(10000, 'x')).size() == 10000);
  CHECK(Canonical(ColumnOf(v1::ITEM_TYPE_M), std::string(kValueBytesMax + 1, 'x')) == "!");
  CHECK(Message(column, "青海省西宁").find("有 5 个字符，最多 4 个") != std::string::npos);
  // ASCII goes by eights: the place where it ends makes no difference.
  for (size_t ascii = 0; ascii < 20; ++ascii) {
    INFO(ascii);
    const v1::Column fitting = ColumnOf(v1::ITEM_TYPE_C, static_cast<uint32_t>(ascii) + 2);
    const std::string text = std::string(ascii, 'a') + "青海";
    CHECK(Canonical(fitting, text) == text);
    CHECK(Canonical(fitting, text + "省") == "!");
    CHECK(Message(ColumnOf(v1::ITEM_TYPE_C), std::string(ascii, 'a') + "\xff")
              .find(absl::StrCat("第 ", ascii + 1, " 个字节")) != std::string::npos);
  }
}

TEST_CASE("value: bad UTF-8 is named with its place") {
  const v1::Column column = ColumnOf(v1::ITEM_TYPE_C, 4);
  CHECK(Message(column, "ab\xff").find("第 3 个字节") != std::string::npos);
  CHECK(Canonical(column, "\xe9\x9d") == "!");
  CHECK(Canonical(column, "\xed\xa0\x80") == "!");      // half of a surrogate pair
  CHECK(Canonical(column, "\xc0\x80") == "!");          // overlong
  CHECK(Canonical(column, "\xc7\xe0\xba\xa3") == "!");  // 青海 in GB 18030
  // Also where the value would be shown in a message about its type.
  CHECK(Message(ColumnOf(v1::ITEM_TYPE_I), "1\xff").find("第 2 个字节") != std::string::npos);
}

TEST_CASE("value: decimals keep every digit and lose what says nothing") {
  const v1::Column number = ColumnOf(v1::ITEM_TYPE_N);
  CHECK(Canonical(number, "630102199001011234") == "630102199001011234");
  CHECK(Canonical(number, "+007.50") == "7.50");
  CHECK(Canonical(number, "-0.50") == "-0.50");
  CHECK(Canonical(number, ".5") == "0.5");
  CHECK(Canonical(number, "-0") == "0");
  CHECK(Canonical(number, "-0.00") == "0.00");
  CHECK(Canonical(number, "000") == "0");
  CHECK(Canonical(number, " 12 ") == "12");
  for (const char* bad :
       {"", "-", ".", "1.", "1e5", "1,000", "0x10", "１２", "12 3", "--1", "NaN"}) {
    INFO(bad);
    CHECK(Canonical(number, bad) == "!");
  }
  const v1::Column amount = ColumnOf(v1::ITEM_TYPE_Y, 6, 2);
  CHECK(Canonical(amount, "1234.56") == "1234.56");
  CHECK(Canonical(amount, "1234.5600") == "1234.56");
  CHECK(Canonical(amount, "0001234.56") == "1234.56");
  CHECK(Canonical(amount, "1234.567") == "!");
  CHECK(Canonical(amount, "12345.67") == "!");
  CHECK(Canonical(number, std::string(kNumberDigitsMax, '9')) ==
        std::string(kNumberDigitsMax, '9'));
  CHECK(Canonical(number, std::string(kNumberDigitsMax + 1, '9')) == "!");
}

TEST_CASE("value: integers, doubles, logicals") {
  const v1::Column integer = ColumnOf(v1::ITEM_TYPE_I, 3);
  CHECK(Canonical(integer, "-012") == "-12");
  CHECK(Canonical(integer, "1.0") == "!");
  CHECK(Canonical(integer, "1234") == "!");
  const v1::Column real = ColumnOf(v1::ITEM_TYPE_B);
  CHECK(Canonical(real, "100000") == "100000");
  CHECK(Canonical(real, "0.10") == "0.10");
  CHECK(Canonical(real, "1.5E3") == "1500");
  CHECK(Canonical(real, "2e-7") == "2e-07");
  for (const char* bad : {"nan", "inf", "-Infinity", "1e999", "", "x"}) {
    INFO(bad);
    CHECK(Canonical(real, bad) == "!");
  }
  const v1::Column logical = ColumnOf(v1::ITEM_TYPE_L);
  for (const char* yes : {"true", "TRUE", "1", "是"}) CHECK(Canonical(logical, yes) == "true");
  for (const char* no : {"false", "False", "0", "否"}) CHECK(Canonical(logical, no) == "false");
  for (const char* bad : {"", "2", "yes", "对"}) CHECK(Canonical(logical, bad) == "!");
  CHECK(Canonical(ColumnOf(v1::ITEM_TYPE_UNSPECIFIED), "x") == "!");
}

TEST_CASE("value: dates that exist, as they are written") {
  const v1::Column date = ColumnOf(v1::ITEM_TYPE_D);
  for (const char* good : {"2026-11-21", "20261121", "2026/11/21", "2026年11月21日"}) {
    CHECK(Canonical(date, good) == "2026-11-21");
  }
  CHECK(Canonical(date, "2026/1/5") == "2026-01-05");
  CHECK(Canonical(date, "2024-02-29") == "2024-02-29");
  for (const char* bad : {"2023-02-29", "2100-02-29", "2026-13-01", "2026-00-10", "2026-04-31",
                          "2026-11/21", "202611", "2026-11-21x", "21-11-2026", "2026-11-21 08:00",
                          "0000-01-01", "2026年11-21", ""}) {
    INFO(bad);
    CHECK(Canonical(date, bad) == "!");
  }
}

TEST_CASE("value: times keep their offset, and have the Chinese one when they name none") {
  const v1::Column time = ColumnOf(v1::ITEM_TYPE_T);
  CHECK(Canonical(time, "2026-11-21T08:00:00+08:00") == "2026-11-21T08:00:00+08:00");
  CHECK(Canonical(time, "2026-11-21 08:00:00") == "2026-11-21T08:00:00+08:00");
  CHECK(Canonical(time, "2026/11/21 08:00") == "2026-11-21T08:00:00+08:00");
  CHECK(Canonical(time, "2026-11-21") == "2026-11-21T00:00:00+08:00");
  CHECK(Canonical(time, "20261121080000") == "2026-11-21T08:00:00+08:00");
  CHECK(Canonical(time, "20261121 08:00:00") == "2026-11-21T08:00:00+08:00");
  CHECK(Canonical(time, "2026-11-21T00:00:00Z") == "2026-11-21T00:00:00+00:00");
  CHECK(Canonical(time, "2026-11-21T00:00:00.250-0530") == "2026-11-21T00:00:00.25-05:30");
  CHECK(Canonical(time, "2026-11-21T00:00:00.000") == "2026-11-21T00:00:00+08:00");
  for (const char* bad :
       {"2026-11-21T24:00:00", "2026-11-21T08:60:00", "2026-11-21T08:00:60", "2026-11-21T8:00:00",
        "2026-11-2108:00:00", "2026-11-21T08:00:00+15:00", "2026-11-21T08:00:00 CST", "08:00:00",
        "2026-11-21T", "2026-11-21T08:00:00.", "2026-02-30T08:00:00"}) {
    INFO(bad);
    CHECK(Canonical(time, bad) == "!");
  }
  CHECK(InstantOf("2026-11-21T08:00:00+08:00") == InstantOf("2026-11-21T00:00:00+00:00"));
}

TEST_CASE("value: canonical text is canonical again") {
  for (const auto& [type, value] : std::vector<std::pair<v1::ItemType, std::string>>{
           {v1::ITEM_TYPE_N, "+01.50"},
           {v1::ITEM_TYPE_B, "1e30"},
           {v1::ITEM_TYPE_D, "2026/1/5"},
           {v1::ITEM_TYPE_T, "2026-11-21 08:00:00.10"},
           {v1::ITEM_TYPE_L, "是"}}) {
    const std::string once = Canonical(ColumnOf(type), value);
    CHECK(once != "!");
    CHECK(Canonical(ColumnOf(type), once) == once);
  }
}

int Sign(int order) { return (order > 0) - (order < 0); }

// Key bytes, comparisons and the list itself must all say the same.
void CheckOrder(v1::ItemType type, const std::vector<std::string>& ascending) {
  for (size_t a = 0; a < ascending.size(); ++a) {
    for (size_t b = 0; b < ascending.size(); ++b) {
      INFO(ascending[a] << " and " << ascending[b]);
      std::string key_a, key_b;
      AppendKeyValue(type, ascending[a], &key_a);
      AppendKeyValue(type, ascending[b], &key_b);
      const int order = (a > b) - (a < b);
      CHECK(Sign(CompareValues(type, ascending[a], ascending[b])) == order);
      CHECK(Sign(key_a.compare(key_b)) == order);
      // Composite keys: what follows cannot change the order of what precedes.
      if (order < 0) CHECK(key_a + "\xff\xff" < key_b);
    }
  }
}

TEST_CASE("value: key bytes sort as the values do") {
  CheckOrder(v1::ITEM_TYPE_N, {"-1000",
                               "-999.5",
                               "-100",
                               "-99",
                               "-10.25",
                               "-10",
                               "-2",
                               "-1.5",
                               "-1",
                               "-0.5",
                               "-0.05",
                               "-0.005",
                               "0",
                               "0.005",
                               "0.05",
                               "0.5",
                               "0.55",
                               "1",
                               "1.05",
                               "1.5",
                               "2",
                               "9",
                               "10",
                               "10.25",
                               "99",
                               "100",
                               "630102199001011234",
                               std::string(128, '9')});
  CheckOrder(v1::ITEM_TYPE_B,
             {"-1e+300", "-2.5", "-2", "-1e-300", "0", "1e-300", "2", "2.5", "10", "1e+300"});
  CheckOrder(v1::ITEM_TYPE_C,
             {"", std::string("\0", 1), std::string("\0\0", 2), std::string("\0\1", 2), "\x01", "a",
              std::string("a\0", 2), std::string("a\0b", 3), "aa", "b", "省", "省市"});
  CheckOrder(v1::ITEM_TYPE_D, {"0999-12-31", "2025-12-31", "2026-01-01"});
  CheckOrder(v1::ITEM_TYPE_L, {"false", "true"});
  CheckOrder(v1::ITEM_TYPE_T, {"1949-10-01T15:00:00+08:00", "1969-12-31T23:59:59.5+00:00",
                               "1970-01-01T00:00:00+00:00", "2026-11-21T08:00:00+08:00",
                               "2026-11-21T00:00:00.25+00:00", "2026-11-21T00:00:01+00:00"});
}

TEST_CASE("value: equal meaning is one key") {
  const auto same = [](v1::ItemType type, const std::string& a, const std::string& b) {
    std::string key_a, key_b;
    AppendKeyValue(type, a, &key_a);
    AppendKeyValue(type, b, &key_b);
    return key_a == key_b && CompareValues(type, a, b) == 0;
  };
  CHECK(same(v1::ITEM_TYPE_N, "1.5", "1.50"));
  CHECK(same(v1::ITEM_TYPE_N, "0", "0.00"));
  CHECK(same(v1::ITEM_TYPE_N, "-7", "-7.0"));
  CHECK(same(v1::ITEM_TYPE_B, "0", "-0.0"));
  CHECK(same(v1::ITEM_TYPE_B, "1500", "1.5e3"));
  CHECK(same(v1::ITEM_TYPE_T, "2026-11-21T08:00:00+08:00", "2026-11-21T00:00:00+00:00"));
  CHECK_FALSE(same(v1::ITEM_TYPE_C, "1.5", "1.50"));
}

TEST_CASE("value: what a peer made up has a place in the order, and no other effect") {
  for (const v1::ItemType type :
       {v1::ITEM_TYPE_N, v1::ITEM_TYPE_I, v1::ITEM_TYPE_B, v1::ITEM_TYPE_T}) {
    for (const char* junk : {"", "junk", "nan", "\xff", "2026-99-99T00:00:00+00:00"}) {
      const char* good = type == v1::ITEM_TYPE_T ? "2026-11-21T08:00:00+08:00" : "-5";
      CHECK(CompareValues(type, junk, good) < 0);
      CHECK(CompareValues(type, good, junk) > 0);
      std::string key;
      AppendKeyValue(type, junk, &key);
      CHECK(key.size() >= 2);
    }
  }
}

}  // namespace
}  // namespace guantong
