// Classes that a sheet says by name.
#ifndef GUANTONG_NODE_CLI_SHEET_CLASSES_H_
#define GUANTONG_NODE_CLI_SHEET_CLASSES_H_

#include "absl/status/status.h"
#include "node/cli/connection.h"
#include "node/sheets/entry_sheet.h"

namespace guantong {

// Puts the code in place of a name that one class has, as the node knows the tree. Another name is
// an error of its entry, at its cell. Without a tree all stays as it is.
absl::Status FindClasses(const Connection& connection, EntrySheets* sheets);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_SHEET_CLASSES_H_
