// Which field of a dataset each column of a file is.
#ifndef GUANTONG_NODE_CLI_COLUMNS_H_
#define GUANTONG_NODE_CLI_COLUMNS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {

// A column is the field that `mapping` ("field=header,...") gives its header, else the item with
// that field name or Chinese name. INVALID_ARGUMENT column_unknown names a column that is no item,
// usage a mapping that cannot be; column_repeated two columns for one field.
absl::StatusOr<std::vector<std::string>> MatchColumns(const std::vector<std::string>& header,
                                                      const v1::CatalogEntry& entry,
                                                      absl::string_view mapping,
                                                      absl::string_view file);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_COLUMNS_H_
