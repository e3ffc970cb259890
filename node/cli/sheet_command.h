// Commands below `catalog` that work on sheets of people.
#ifndef GUANTONG_NODE_CLI_SHEET_COMMAND_H_
#define GUANTONG_NODE_CLI_SHEET_COMMAND_H_

#include "node/cli/invocation.h"

namespace guantong {

void AddImport(CLI::App* catalog, Invocation* invocation);  // import
void AddExport(CLI::App* catalog, Invocation* invocation);  // export, template, draft

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_SHEET_COMMAND_H_
