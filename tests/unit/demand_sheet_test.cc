// Lists of demands as people keep them, read and written.
#include "node/sheets/demand_sheet.h"

#include "absl/strings/match.h"
#include "catalog/base/status.h"
#include "node/clock.h"
#include "tests/catch.h"
#include "tests/unit/scratch_folder.h"

namespace guantong {
namespace {

TEST_CASE("demand sheets: title lines, other titles, merged cells") {
  Sheet sheet;
  sheet.rows = {{"某县共享需求清单"},
                {"序号", "需求数据", "数据来源部门", "提供方代码", "政策依据", "用途", "使用频率"},
                {"1", " 户籍信息 ", "公安局", "", "条例", "入学核验", "每日"},
                {},
                {"2", "房产信息", "住建局", "11100000000013338W", "", "", "每月"}};
  sheet.merged = {{.first_row = 2, .first_column = 4, .last_row = 4, .last_column = 4},
                  {.first_row = 2, .first_column = 5, .last_row = 4, .last_column = 5}};
  const auto read = DemandsOf({sheet}, "x.xlsx");
  REQUIRE(read.ok());
  REQUIRE(read->demands.size() == 2);
  CHECK(read->rows == std::vector<uint32_t>{3, 5});
  CHECK(read->demands[0].what() == "户籍信息");
  CHECK(read->demands[0].from() == "公安局");
  CHECK(read->demands[1].from() == "11100000000013338W");
  CHECK(read->demands[1].basis() == "条例");
  CHECK(read->demands[1].scenario() == "入学核验");
  sheet.rows[1][6] = "备注";
  const absl::Status missing = DemandsOf({sheet}, "x.xlsx").status();
  CHECK(DetailOf(missing).reason == "columns_missing");
  CHECK(absl::StrContains(missing.message(), "更新频率"));
  sheet.rows.resize(2);
  sheet.rows[1][6] = "使用频率";
  CHECK(DetailOf(DemandsOf({sheet}, "x.xlsx").status()).reason == "demands_missing");
}

TEST_CASE("demand sheets: what is written is read again") {
  ScratchFolder folder;
  v1::DemandView view;
  v1::Demand* demand = view.mutable_demand();
  demand->set_id("D1");
  demand->set_what("户籍信息");
  demand->set_from("公安局");
  demand->set_from_division("630102");
  demand->set_basis("条例");
  demand->set_scenario("入学核验");
  demand->set_frequency("每日");
  *demand->mutable_at() = TimestampOf(absl::FromUnixSeconds(1'780'000'000));
  view.add_answers()->mutable_answer()->set_text("按月提供");
  const std::string file = folder.path("demands.xlsx");
  REQUIRE(WriteDemandWorkbook({view, view}, file).ok());
  const auto read = ReadDemandFile(file);
  REQUIRE(read.ok());
  REQUIRE(read->demands.size() == 2);
  const v1::Demand& again = read->demands[1];
  CHECK(again.what() == demand->what());
  CHECK(again.from() == demand->from());
  CHECK(again.from_division() == demand->from_division());
  CHECK(again.basis() == demand->basis());
  CHECK(again.scenario() == demand->scenario());
  CHECK(again.frequency() == demand->frequency());
}

}  // namespace
}  // namespace guantong
