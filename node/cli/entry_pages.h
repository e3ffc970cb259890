// The entries a node lists, page after page.
#ifndef GUANTONG_NODE_CLI_ENTRY_PAGES_H_
#define GUANTONG_NODE_CLI_ENTRY_PAGES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "guantong/v1/catalog.pb.h"
#include "node/cli/connection.h"

namespace guantong {

// All of them. RESOURCE_EXHAUSTED entries_too_many above kSheetEntriesMax.
absl::StatusOr<std::vector<v1::ShowResponse>> ListAll(const Connection& connection,
                                                      v1::ListRequest request);

// What is worked on where there is a draft, else what is in force.
const v1::CatalogEntry& LatestOf(const v1::ShowResponse& shown);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_ENTRY_PAGES_H_
