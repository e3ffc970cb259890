#include "node/sheets/csv_sheet.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/form/delimited_rows.h"
#include "node/sheets/limits.h"

namespace guantong {

absl::StatusOr<Sheet> ReadCsvSheet(const std::string& file) {
  GT_ASSIGN_OR_RETURN(auto lines, TextLines::Open(file, TextEncoding::kAuto));
  if (lines->bytes() > kSheetFileBytesMax)
    return SheetTooLarge(file, absl::StrCat(lines->bytes(), " > ", kSheetFileBytesMax));
  DelimitedRows source(std::move(lines), ',');
  Sheet sheet;
  size_t cells = 0;
  SourceRow row;
  while (true) {
    GT_ASSIGN_OR_RETURN(const bool more, source.Next(&row));
    if (!more) return sheet;
    cells += row.values.size();
    if (row.line > kSheetRowsMax || row.values.size() > kSheetColumnsMax || cells > kSheetCellsMax)
      return SheetTooLarge(file, absl::StrCat(file, ":", row.line));
    sheet.rows.resize(row.line - 1);
    while (!row.values.empty() && row.values.back().empty()) row.values.pop_back();
    sheet.rows.push_back(std::move(row.values));
  }
}

}  // namespace guantong
