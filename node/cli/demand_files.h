// The commands of lists of demands that are files; demand_command.cc adds them to the others.
#ifndef GUANTONG_NODE_CLI_DEMAND_FILES_H_
#define GUANTONG_NODE_CLI_DEMAND_FILES_H_

#include "node/cli/invocation.h"

namespace CLI {
class App;
}

namespace guantong {

void AddDemandFiles(CLI::App* demand, Invocation* invocation);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_DEMAND_FILES_H_
