// Where something is on its way: a resource's feeds at every node between here and the provider, or
// the hops of a recent call.
#ifndef GUANTONG_NODE_TRACE_H_
#define GUANTONG_NODE_TRACE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "guantong/v1/node.pb.h"
#include "node/calls.h"
#include "node/directory.h"
#include "node/finder.h"
#include "node/site.h"

namespace guantong {

// The call that asks a node for its feeds of "CODE:id".
inline constexpr char kFeedInfo[] = "feed_info";

// Any thread; waits for other nodes.
class Trace {
 public:
  Trace(const Site* site, Calls* calls, Finder* finder, const Directory* directory)
      : site_(*site), calls_(*calls), finder_(*finder), directory_(*directory) {}

  // Adds what other nodes may ask; before the driver starts.
  void Register();

  absl::StatusOr<v1::TraceResponse> Run(const CallerIdentity& caller, const std::string& what,
                                        absl::Time deadline);

 private:
  absl::StatusOr<v1::TraceResponse> TraceResource(const CallerIdentity& caller,
                                                  const std::string& what, absl::Time deadline);
  absl::StatusOr<v1::TraceResponse> TraceCall(const std::string& id) const;
  // The feeds of "CODE:id" as held here.
  absl::StatusOr<v1::FeedsResponse> FeedsHere(const std::string& table) const;

  const Site& site_;
  Calls& calls_;
  Finder& finder_;
  const Directory& directory_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_TRACE_H_
