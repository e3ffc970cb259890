// Reading what a node keeps of its feeds, behind the engine's back.
#ifndef GUANTONG_TESTS_SIM_LOG_WALK_H_
#define GUANTONG_TESTS_SIM_LOG_WALK_H_

#include <functional>
#include <string>

#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/feed.pb.h"
#include "tests/sim/node.h"

namespace guantong::sim {

void ForEachFeed(const Node& node,
                 const std::function<void(const storage::v1::FeedRecord& record)>& visit);

struct LoggedBatch {
  v1::BatchHeader header;
  size_t bytes = 0;     // as the log counts them
  v1::Records records;  // of record feeds, and control records
  bool rows = false;
};
// In the order of the log. What does not parse is check_chains.cc's to find and left out here.
void ForEachBatch(const Node& node, const FeedKey& feed,
                  const std::function<void(const LoggedBatch& batch)>& visit);

// "/p feed 1a2b3c": for messages.
std::string NameOf(const Node& node, const storage::v1::FeedRecord& record);

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_LOG_WALK_H_
