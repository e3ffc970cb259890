// Which cell a cell of a merged range has its text from.
#ifndef GUANTONG_NODE_SHEETS_MERGED_CELLS_H_
#define GUANTONG_NODE_SHEETS_MERGED_CELLS_H_

#include <cstdint>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "node/sheets/sheet.h"

namespace guantong {

// Borrows the sheet. Ranges that go down are followed, those that go right alone are not: a text
// belongs to one column.
class MergedCells {
 public:
  // INVALID_ARGUMENT sheet_too_large: the ranges cover too much.
  static absl::StatusOr<MergedCells> Of(const Sheet& sheet, absl::string_view source);

  // As seen: the cell's own text, or that of its range.
  const std::string& At(uint32_t row, uint32_t column) const;

 private:
  explicit MergedCells(const Sheet* sheet) : sheet_(*sheet) {}
  static uint64_t Key(uint32_t row, uint32_t column) { return uint64_t{row} << 32 | column; }

  const Sheet& sheet_;
  std::unordered_map<uint64_t, uint32_t> first_rows_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_MERGED_CELLS_H_
