// Which column of a sheet is which element.
//
// The header is found by its titles: lines above it are passed over. It has one row, or two where
// groups (共享属性, 信息项信息) stand above their columns. Blanks, punctuation, figures before a
// title and what stands in brackets do not count.
#ifndef GUANTONG_NODE_SHEETS_SHEET_HEADER_H_
#define GUANTONG_NODE_SHEETS_SHEET_HEADER_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/sheets/entry_columns.h"
#include "node/sheets/sheet.h"

namespace guantong {

struct HeaderColumn {
  std::string title;
  const EntryColumn* entry = nullptr;  // one of the two, or neither: nobody knows it
  const ItemColumn* item = nullptr;
  bool repeated = false;  // known, and stands further left already
};

struct SheetHeader {
  uint32_t row = 0;       // of the titles, from 0; the lower one of two
  uint32_t data_row = 0;  // first row below
  std::vector<HeaderColumn> columns;
  // "sharing.type", "items[].length" -> column from 0.
  std::map<std::string, uint32_t> places;
};

// Nothing when no row of the first kSheetHeaderRowsMax names entries.
std::optional<SheetHeader> FindHeader(const Sheet& sheet);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_SHEET_HEADER_H_
