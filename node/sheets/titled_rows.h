// Rows below a header that stands in one of the first rows and is found by the titles of its
// columns; other columns are passed over.
#ifndef GUANTONG_NODE_SHEETS_TITLED_ROWS_H_
#define GUANTONG_NODE_SHEETS_TITLED_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "node/sheets/sheet.h"

namespace guantong {

struct TitledColumn {
  std::vector<const char*> titles;  // the first names it in errors
  bool required = true;
};

struct TitledRow {
  uint32_t row = 0;                 // from 1
  std::vector<std::string> values;  // by column
};

// Of the first sheet that has the required columns, without blank rows. INVALID_ARGUMENT
// columns_missing.
absl::StatusOr<std::vector<TitledRow>> TitledRowsOf(const std::vector<Sheet>& sheets,
                                                    absl::string_view source,
                                                    const std::vector<TitledColumn>& columns);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_TITLED_ROWS_H_
