// Sheets of people as cells of text: every sheet of an .xlsx, or a .csv as one.
//
// BOUNDS  kSheet...Max in node/sheets/limits.h: of the file, of a part unpacked, of all parts, of
// rows,
//         columns and cells. A small file can claim to hold very much.
// CELLS   Text as written: numbers keep their digits, dates (by the style of the cell) become
//         CCYY-MM-DD. A merged range has its first cell's text in its first cell alone.
// ROWS    Of a .csv by the line they begin in, so that row 1 of a file is line 1.
#ifndef GUANTONG_NODE_SHEETS_SHEET_H_
#define GUANTONG_NODE_SHEETS_SHEET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace guantong {

struct MergedRange {
  uint32_t first_row = 0, first_column = 0, last_row = 0, last_column = 0;  // from 0, inclusive
};

struct Sheet {
  std::string name;
  std::vector<std::vector<std::string>> rows;  // rows end at their last cell
  std::vector<MergedRange> merged;

  const std::string& At(size_t row, size_t column) const;  // "" beyond the end
};

// By extension. INVALID_ARGUMENT file_kind_unknown, sheet_malformed, sheet_too_large, and for .csv
// those of text_lines.h and quotes_invalid; NOT_FOUND file_absent.
absl::StatusOr<std::vector<Sheet>> ReadSheets(const std::string& file);

// The bytes of an .xlsx; `source` names them in errors.
absl::StatusOr<std::vector<Sheet>> ParseXlsx(absl::string_view bytes, absl::string_view source);

absl::Status SheetTooLarge(absl::string_view source, absl::string_view what);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_SHEET_H_
