// Entries as a workbook in the layout of the national sheet, and its template.
#ifndef GUANTONG_NODE_SHEETS_ENTRY_WORKBOOK_H_
#define GUANTONG_NODE_SHEETS_ENTRY_WORKBOOK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {

// Over what is there; read again by ReadEntrySheets they are the same entries, but for what the
// node gives. Errors of Workbook::Finish.
absl::Status WriteEntryWorkbook(const std::vector<v1::CatalogEntry>& entries,
                                const std::string& file);

// Without entries: drop-downs where values are fixed, a sheet that says what goes where.
absl::Status WriteEntryTemplate(const std::string& file);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_ENTRY_WORKBOOK_H_
