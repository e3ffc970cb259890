#include "node/sheets/demand_sheet.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/status.h"
#include "node/clock.h"
#include "node/language.h"
#include "node/sheets/limits.h"
#include "node/sheets/merged_cells.h"
#include "node/sheets/titled_rows.h"
#include "node/sheets/workbook.h"

namespace guantong {
namespace {

enum Column { kWhat, kFrom, kFromCode, kDivision, kBasis, kScenario, kFrequency, kColumns };

// The first title of each is the one that is written.
const std::vector<TitledColumn>& Columns() {
  static const auto& columns = *new std::vector<TitledColumn>{
      {.titles = {"所需数据", "需求内容", "需求信息资源名称", "需求数据", "数据名称", "what"}},
      {.titles = {"提供方", "数据提供部门", "数据来源部门", "提供部门", "需求对象", "from"},
       .required = false},
      {.titles = {"提供方代码", "提供部门代码", "from_code"}, .required = false},
      {.titles = {"提供方区划", "行政区划", "区划代码", "from_division"}, .required = false},
      {.titles = {"依据", "需求依据", "法律依据", "政策依据", "使用依据", "basis"}},
      {.titles = {"应用场景", "使用场景", "用途", "需求用途", "scenario"}},
      {.titles = {"更新频率", "更新周期", "使用频率", "需求频率", "frequency"}}};
  return columns;
}

const std::vector<const char*>& TitlesAfter() {
  static const auto& titles = *new std::vector<const char*>{
      "编号", "需求方", "提出时间", "状态", "答复部门", "答复", "资源代码"};
  return titles;
}

const char* StateWord(v1::DemandState state) {
  switch (state) {
    case v1::DEMAND_STATE_UNANSWERED:
      return "待答复";
    case v1::DEMAND_STATE_ANSWERED:
      return "已答复";
    case v1::DEMAND_STATE_MATCHED:
      return "已匹配";
    case v1::DEMAND_STATE_REFUSED:
      return "不能提供";
    case v1::DEMAND_STATE_CLOSED:
      return "已关闭";
    default:
      return "";
  }
}

// A merged range stands for each of its rows that say something of their own.
absl::Status FillMerged(absl::string_view source, Sheet* sheet) {
  if (sheet->merged.empty()) return absl::OkStatus();
  GT_ASSIGN_OR_RETURN(const MergedCells cells, MergedCells::Of(*sheet, source));
  size_t width = 0;
  for (const auto& row : sheet->rows) width = std::max(width, row.size());
  if (width * sheet->rows.size() > kSheetCellsMax)
    return SheetTooLarge(source, Text("单元格太多", "too many cells"));
  std::vector<std::vector<std::string>> filled;
  for (uint32_t row = 0; row < sheet->rows.size(); ++row) {
    auto& texts = filled.emplace_back();
    const auto& own = sheet->rows[row];
    const bool blank =
        std::all_of(own.begin(), own.end(), [](const std::string& cell) { return cell.empty(); });
    if (blank) continue;
    for (uint32_t column = 0; column < width; ++column) texts.push_back(cells.At(row, column));
  }
  sheet->rows = std::move(filled);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DemandSheet> DemandsOf(std::vector<Sheet> sheets, absl::string_view source) {
  for (Sheet& sheet : sheets) GT_RETURN_IF_ERROR(FillMerged(source, &sheet));
  GT_ASSIGN_OR_RETURN(const std::vector<TitledRow> rows, TitledRowsOf(sheets, source, Columns()));
  DemandSheet read;
  for (const TitledRow& row : rows) {
    v1::Demand& demand = read.demands.emplace_back();
    demand.set_what(row.values[kWhat]);
    demand.set_from(row.values[row.values[kFromCode].empty() ? kFrom : kFromCode]);
    demand.set_from_division(row.values[kDivision]);
    demand.set_basis(row.values[kBasis]);
    demand.set_scenario(row.values[kScenario]);
    demand.set_frequency(row.values[kFrequency]);
    read.rows.push_back(row.row);
  }
  if (!read.demands.empty()) return read;
  return Error(absl::StatusCode::kInvalidArgument, "demands_missing",
               absl::StrCat(source, Text("：表头下面没有需求", ": no demands below the header")),
               source);
}

absl::StatusOr<DemandSheet> ReadDemandFile(const std::string& file) {
  GT_ASSIGN_OR_RETURN(std::vector<Sheet> sheets, ReadSheets(file));
  return DemandsOf(std::move(sheets), file);
}

absl::Status WriteDemandWorkbook(const std::vector<v1::DemandView>& demands,
                                 const std::string& file) {
  Workbook workbook(file);
  workbook.AddSheet("共享需求清单");
  uint32_t column = 0;
  for (const TitledColumn& title : Columns()) {
    workbook.SetWidth(column, 24);
    workbook.Write(0, column++, title.titles.front(),
                   title.required ? Workbook::Look::kRequiredTitle : Workbook::Look::kTitle);
  }
  for (const char* title : TitlesAfter())
    workbook.Write(0, column++, title, Workbook::Look::kTitle);
  workbook.FreezeAbove(1);
  for (size_t i = 0; i < demands.size(); ++i) {
    const v1::DemandView& view = demands[i];
    const v1::Demand& demand = view.demand();
    std::vector<std::string> by, texts, codes;
    for (const v1::HeldAnswer& held : view.answers()) {
      by.push_back(held.answer().department());
      if (!held.answer().text().empty()) texts.push_back(held.answer().text());
      if (!held.answer().code().empty()) codes.push_back(held.answer().code());
    }
    const std::vector<std::string> cells = {demand.what(),
                                            demand.from(),
                                            "",
                                            demand.from_division(),
                                            demand.basis(),
                                            demand.scenario(),
                                            demand.frequency(),
                                            demand.id(),
                                            demand.department(),
                                            DateOf(TimeOfTimestamp(demand.at())),
                                            StateWord(view.state()),
                                            absl::StrJoin(by, "；"),
                                            absl::StrJoin(texts, "；"),
                                            absl::StrJoin(codes, "；")};
    for (uint32_t at = 0; at < cells.size(); ++at)
      workbook.Write(static_cast<uint32_t>(i + 1), at, cells[at]);
  }
  return workbook.Finish();
}

}  // namespace guantong
