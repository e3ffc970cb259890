// What the node says to the entries of a sheet: checked first, all of them, then filed.
#ifndef GUANTONG_NODE_CLI_SHEET_FILING_H_
#define GUANTONG_NODE_CLI_SHEET_FILING_H_

#include <vector>

#include "absl/status/status.h"
#include "node/cli/connection.h"
#include "node/sheets/import_plan.h"

namespace guantong {

// Takes each new or changed entry to the node as `register` and `edit` would, without effect. What
// it refuses is refused in `plan`, at its cells. An error is one of all entries together.
absl::Status CheckAtNode(const Connection& connection, const EntrySheets& sheets,
                         std::vector<PlannedEntry>* plan);

// The same with effect, one after the other: a run that was cut off is repeated, and finds what it
// wrote unchanged.
absl::Status FileAtNode(const Connection& connection, const EntrySheets& sheets,
                        std::vector<PlannedEntry>* plan);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_SHEET_FILING_H_
