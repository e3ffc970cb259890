// A .csv as one sheet without a name: UTF-8 or GB18030, with a byte order mark or without.
#ifndef GUANTONG_NODE_SHEETS_CSV_SHEET_H_
#define GUANTONG_NODE_SHEETS_CSV_SHEET_H_

#include <string>

#include "absl/status/statusor.h"
#include "node/sheets/sheet.h"

namespace guantong {

// Errors as ReadSheets says.
absl::StatusOr<Sheet> ReadCsvSheet(const std::string& file);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_CSV_SHEET_H_
