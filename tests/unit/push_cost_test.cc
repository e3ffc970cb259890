// What a row costs where it is pushed, before it is packed: read, counted into the digest, checked,
// made canonical, keyed, sorted.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/row.h"
#include "node/pushed_rows.h"
#include "node/row_sorter.h"
#include "tests/catch.h"
#include "tests/unit/instructions.h"

namespace guantong {
namespace {

constexpr int kRows = 20'000;
// Half as much again as was counted.
constexpr int64_t kPushedMax = 6'000;

}  // namespace

struct Pushed {
  v1::DatasetSchema schema;
  std::string rows;
};

namespace {

Pushed PushedRows() {
  Pushed pushed;
  for (const auto& [field, type] :
       {std::pair("id", v1::ITEM_TYPE_I), {"ver", v1::ITEM_TYPE_I}, {"val", v1::ITEM_TYPE_C}}) {
    v1::Column* column = pushed.schema.add_columns();
    column->set_field(field);
    column->set_type(type);
    column->set_key(column->field() == "id");
  }
  PushedRowsWriter rows;
  for (uint64_t i = 0; i < kRows; ++i) {
    const std::string id = absl::StrCat(i);
    const std::string hex = HexOf(Sha256(id));
    const std::string text = absl::StrCat(hex, hex, hex);
    rows.Add({.line = i, .values = {id, "1", text}, .nulls = {}});
  }
  pushed.rows = rows.Take();
  return pushed;
}

}  // namespace

// What valgrind counts.
__attribute__((noinline)) void CostOfPushing(const Pushed& pushed);

void CostOfPushing(const Pushed& pushed) {
  auto builder = RowBuilder::Create(pushed.schema, {"id", "ver", "val"}, false);
  GT_CHECK(builder.ok());
  RowSorter sorter({.dir = "/tmp", .buffer_bytes_max = 64 << 20, .bytes_max = 64 << 20});
  PushedRowsReader rows(pushed.rows);
  PushedRow row;
  BuiltRow built;
  while (*rows.Next(&row)) {
    GT_CHECK(builder->Build(row.values, row.nulls, &built).ok());
    GT_CHECK(sorter.Add(built.key, built.bytes, row.line).ok());
  }
  GT_CHECK(sorter.Finish().ok());
}

namespace {

TEST_CASE("the work of a push whose cost is counted", "[.]") { CostOfPushing(PushedRows()); }

TEST_CASE("a row costs few instructions where it is pushed") {
  if (const std::string why = test::CannotCountInstructions(); !why.empty()) GUANTONG_SKIP(why);
  const int64_t pushed =
      test::InstructionsOf("CostOfPushing", "the work of a push whose cost is counted") / kRows;
  INFO("a row pushed: " << pushed);
  CHECK(pushed > 0);
  CHECK(pushed < kPushedMax);
}

}  // namespace
}  // namespace guantong
