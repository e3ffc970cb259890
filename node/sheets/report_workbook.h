// The report on an import: the sheets as they were read, offending cells marked and commented, what
// became of each row in a last column.
#ifndef GUANTONG_NODE_SHEETS_REPORT_WORKBOOK_H_
#define GUANTONG_NODE_SHEETS_REPORT_WORKBOOK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "guantong/v1/entry.pb.h"
#include "node/sheets/entry_sheet.h"

namespace guantong {

struct RowOutcome {
  size_t sheet = 0;
  uint32_t row = 0;  // from 0
  std::string text;
};

// Over what is there. Problems without a row are listed on a first sheet. Errors of
// Workbook::Finish.
absl::Status WriteReport(const EntrySheets& sheets, const std::vector<v1::Problem>& problems,
                         const std::vector<RowOutcome>& outcomes, const std::string& file);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_REPORT_WORKBOOK_H_
