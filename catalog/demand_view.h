// Demands and answers as held here, on a store snapshot, found by id and by whom they ask.
#ifndef GUANTONG_CATALOG_DEMAND_VIEW_H_
#define GUANTONG_CATALOG_DEMAND_VIEW_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/store.h"
#include "guantong/v1/demand.pb.h"

namespace guantong {

struct DemandRecords {
  v1::Demand demand;
  struct Answer {
    std::string node_id;  // of whose feed it is
    v1::DemandAnswer answer;
  };
  std::vector<Answer> answers;
};

// A node gives an id once; two nodes might give the same: then there are two. What a node says of
// another's demand but an answer counts for nothing.
std::vector<DemandRecords> FindDemands(const Reader& snapshot, absl::string_view id);

// Ids that anything is held of, in order, after `after`; `limit` at most.
std::vector<std::string> DemandIds(const Reader& snapshot, absl::string_view after, size_t limit);

// Ids of open demands that ask `whom`, or are assigned to it; perhaps some that were, too.
std::vector<std::string> DemandsAsking(const Reader& snapshot, absl::string_view whom,
                                       size_t limit);

// Makes the indices q and f in a store that an earlier build wrote, once: a mark tells. Before
// anything else writes; cut off, it is repeated.
absl::Status EnsureDemandIndices(Store* store);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_DEMAND_VIEW_H_
