// What the node says to the entries of a sheet, and filing them there: all in one commit.
#ifndef GUANTONG_NODE_CLI_SHEET_FILING_H_
#define GUANTONG_NODE_CLI_SHEET_FILING_H_

#include <vector>

#include "absl/status/statusor.h"
#include "node/cli/connection.h"
#include "node/sheets/import_plan.h"

namespace guantong {

struct FilingOptions {
  bool dry_run = false;
  bool accept_valid = false;
};

// Takes all new and changed entries to the node, which checks each as `register` and `edit` would
// and makes drafts of all or, where it refuses one, of none, unless `accept_valid`. What it refuses
// is refused in `plan`, at its cells. True: there are drafts now. An error is one of all entries
// together; after UNAVAILABLE and DEADLINE_EXCEEDED all or none are there.
absl::StatusOr<bool> FileAtNode(const Connection& connection, const EntrySheets& sheets,
                                const FilingOptions& options, std::vector<PlannedEntry>* plan);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_SHEET_FILING_H_
