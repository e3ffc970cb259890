// Catalogue entries in the layout of the national sheet: one row for each data item, the entry's
// own columns filled in its first row.
//
// SHEETS  Those without the columns are passed over. Columns nobody knows are warnings.
// ENTRY   Begins where 信息资源名称 says another name than before. Rows below that say none, or the
//         same one with an item, are its further items; what they say of the entry must be what its
//         first row says.
// MERGED  A cell of a merged range that goes down has the text of its first cell. A range over
//         several entries, or over several columns, is a warning.
// 0/1/2   Where a sheet has a sharing type 0, its figures are 0 无条件, 1 有条件, 2 不予; the
// options
//         can say so too. A 1 with a condition beside it is refused while that is not known: read
//         wrongly it would open the entry to everybody.
#ifndef GUANTONG_NODE_SHEETS_ENTRY_SHEET_H_
#define GUANTONG_NODE_SHEETS_ENTRY_SHEET_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/entry.pb.h"
#include "node/sheets/sheet.h"
#include "node/sheets/sheet_header.h"

namespace guantong {

enum class SharingFigures { kFound, kFromZero, kFromOne };

struct SheetEntry {
  v1::CatalogEntry entry;
  size_t sheet = 0;  // index
  uint32_t row = 0;  // from 0
  std::vector<uint32_t> item_rows;
  std::vector<v1::Problem> problems;  // of its cells, with their places
};

struct EntrySheets {
  std::string file;
  std::vector<Sheet> sheets;
  std::vector<std::optional<SheetHeader>> headers;  // by sheet
  std::vector<SheetEntry> entries;
  std::vector<v1::Problem> problems;  // of the file
};

// INVALID_ARGUMENT header_missing: no sheet has the columns; sheet_too_large: too many entries; and
// those of sheet.h.
absl::StatusOr<EntrySheets> ReadEntrySheets(const std::string& file, SharingFigures figures);
absl::StatusOr<EntrySheets> EntriesOf(std::vector<Sheet> sheets, const std::string& file,
                                      SharingFigures figures);

// The cell an element of an entry came from ("items[2].length"); the entry's row where there is
// none.
v1::Place PlaceOf(const EntrySheets& sheets, const SheetEntry& entry, absl::string_view element);

// What the sheet has no column for stays as it is in `held`, item by item of the same name; so does
// the provider where the cell is empty.
void KeepUnsaid(const EntrySheets& sheets, const v1::CatalogEntry& held, SheetEntry* entry);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_ENTRY_SHEET_H_
