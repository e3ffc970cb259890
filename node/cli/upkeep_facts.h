// What `status` shows of backups, the scrub, damage and a restore that is not done.
#ifndef GUANTONG_NODE_CLI_UPKEEP_FACTS_H_
#define GUANTONG_NODE_CLI_UPKEEP_FACTS_H_

#include "guantong/v1/node.pb.h"
#include "node/cli/table.h"

namespace guantong {

void AddUpkeepFacts(const v1::StatusResponse& status, Table* table);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_UPKEEP_FACTS_H_
