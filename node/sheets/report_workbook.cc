#include "node/sheets/report_workbook.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "node/language.h"
#include "node/sheets/workbook.h"

namespace guantong {
namespace {

using Look = Workbook::Look;

constexpr char kList[] = "检查结果";

std::string TextOf(const v1::Problem& problem) {
  return absl::StrCat(problem.warning() ? Text("提醒：", "warning: ") : Text("错误：", "error: "),
                      problem.text(), problem.remedy().empty() ? "" : Text("。", ". "),
                      problem.remedy());
}

// What a cell can hold, never cut inside a character.
absl::string_view Fitting(absl::string_view text) {
  constexpr size_t kBytesMax = 32000;
  if (text.size() <= kBytesMax) return text;
  size_t end = kBytesMax;
  while (end > 0 && U8_IS_TRAIL(text[end])) --end;
  return text.substr(0, end);
}

struct Mark {
  bool error = false;
  std::string text;

  void Add(const v1::Problem& problem) {
    error |= !problem.warning();
    absl::StrAppend(&text, text.empty() ? "" : "\n", TextOf(problem));
  }
  Look look() const { return error ? Look::kError : Look::kWarning; }
};

struct Marks {
  std::map<std::pair<uint32_t, uint32_t>, Mark> cells;  // from 0
  std::map<uint32_t, Mark> rows;
  std::map<uint32_t, std::string> outcomes;
};

void WriteSheet(const Sheet& sheet, uint32_t title_row, const Marks& marks, Workbook* workbook) {
  size_t width = 0;
  for (const auto& row : sheet.rows) width = std::max(width, row.size());
  const auto last = static_cast<uint32_t>(width);
  workbook->Write(title_row, last, kList, Look::kTitle);
  constexpr double kListWidth = 60;
  workbook->SetWidth(last, kListWidth);
  for (uint32_t row = 0; row < sheet.rows.size(); ++row) {
    for (uint32_t column = 0; column < sheet.rows[row].size(); ++column) {
      if (!sheet.rows[row][column].empty() && marks.cells.count({row, column}) == 0)
        workbook->Write(row, column, Fitting(sheet.rows[row][column]));
    }
  }
  for (const auto& [cell, mark] : marks.cells) {
    workbook->Write(cell.first, cell.second, Fitting(sheet.At(cell.first, cell.second)),
                    mark.look());
    workbook->Comment(cell.first, cell.second, mark.text);
  }
  std::map<uint32_t, std::pair<Look, std::string>> results;
  for (const auto& [row, text] : marks.outcomes) results[row] = {Look::kPlain, text};
  for (const auto& [row, mark] : marks.rows) {
    auto& [look, text] = results[row];
    look = mark.look();
    absl::StrAppend(&text, text.empty() ? "" : "\n", mark.text);
  }
  for (const auto& [row, result] : results)
    workbook->Write(row, last, Fitting(result.second), result.first);
}

}  // namespace

absl::Status WriteReport(const EntrySheets& sheets, const std::vector<v1::Problem>& problems,
                         const std::vector<RowOutcome>& outcomes, const std::string& file) {
  std::vector<Marks> marks(sheets.sheets.size());
  std::vector<const v1::Problem*> elsewhere;
  for (const v1::Problem& problem : problems) {
    const v1::Place& place = problem.place();
    const auto sheet = std::find_if(sheets.sheets.begin(), sheets.sheets.end(),
                                    [&](const Sheet& one) { return one.name == place.sheet(); });
    if (place.row() == 0 || sheet == sheets.sheets.end()) {
      elsewhere.push_back(&problem);
      continue;
    }
    Marks& of_sheet = marks[static_cast<size_t>(sheet - sheets.sheets.begin())];
    if (place.column() > 0) of_sheet.cells[{place.row() - 1, place.column() - 1}].Add(problem);
    of_sheet.rows[place.row() - 1].Add(problem);
  }
  for (const RowOutcome& one : outcomes) marks[one.sheet].outcomes[one.row] = one.text;
  Workbook workbook(file);
  if (!elsewhere.empty()) {
    workbook.AddSheet(kList);
    for (uint32_t i = 0; i < elsewhere.size(); ++i)
      workbook.Write(i, 0, Fitting(TextOf(*elsewhere[i])),
                     elsewhere[i]->warning() ? Look::kWarning : Look::kError);
  }
  for (size_t i = 0; i < sheets.sheets.size(); ++i) {
    if (!sheets.headers[i].has_value()) continue;
    workbook.AddSheet(sheets.sheets[i].name);
    WriteSheet(sheets.sheets[i], sheets.headers[i]->row, marks[i], &workbook);
  }
  return workbook.Finish();
}

}  // namespace guantong
