#include "node/sheets/merged_cells.h"

#include <algorithm>

#include "node/language.h"
#include "node/sheets/limits.h"

namespace guantong {

absl::StatusOr<MergedCells> MergedCells::Of(const Sheet& sheet, absl::string_view source) {
  MergedCells cells(&sheet);
  size_t followed = 0;
  for (const MergedRange& range : sheet.merged) {
    if (sheet.At(range.first_row, range.first_column).empty()) continue;
    // Below the last row that says anything a range says nothing.
    for (uint32_t row = range.first_row + 1; row <= range.last_row && row < sheet.rows.size();
         ++row) {
      if (++followed > kSheetCellsMax)
        return SheetTooLarge(source, Text("合并单元格太多", "too many merged cells"));
      cells.first_rows_.emplace(Key(row, range.first_column), range.first_row);
    }
  }
  return cells;
}

const std::string& MergedCells::At(uint32_t row, uint32_t column) const {
  const std::string& own = sheet_.At(row, column);
  if (!own.empty()) return own;
  const auto it = first_rows_.find(Key(row, column));
  return it == first_rows_.end() ? own : sheet_.At(it->second, column);
}

}  // namespace guantong
