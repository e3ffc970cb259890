// Commands below `catalog` that look for entries.
#ifndef GUANTONG_NODE_CLI_SEARCH_COMMAND_H_
#define GUANTONG_NODE_CLI_SEARCH_COMMAND_H_

#include "node/cli/invocation.h"

namespace guantong {

void AddSearch(CLI::App* catalog, Invocation* invocation);  // search, browse

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_SEARCH_COMMAND_H_
