// The links as an operator sees them: what the engine counts, what the transport measures, and why
// a link is not there.
#ifndef GUANTONG_NODE_NEIGHBOURS_H_
#define GUANTONG_NODE_NEIGHBOURS_H_

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "guantong/v1/node.pb.h"
#include "node/directory.h"
#include "node/driver.h"
#include "node/site.h"

namespace guantong {

// Any thread.
class Neighbours {
 public:
  Neighbours(const Site* site, const Directory* directory) : site_(*site), directory_(*directory) {}

  // From the driver's hooks and the channel credentials; what is a refusal goes on the list.
  void LinkEnded(const Driver::LinkView& link, const absl::Status& why, bool by_us);
  void DialFailed(const std::string& address, const absl::Status& why);
  void ServerRefused(const absl::Status& why);  // our check of the parent's certificate

  // Those that are up first the parent, then children; then children that are away. Sorted by path.
  absl::StatusOr<std::vector<v1::LinkInfo>> All() const;
  // The parent's link; absent at the root.
  absl::StatusOr<v1::LinkInfo> Parent() const;

 private:
  struct Trouble {
    absl::Status why;
    absl::Time at;
  };
  v1::LinkInfo ParentAway() const;

  const Site& site_;
  const Directory& directory_;
  mutable std::mutex mutex_;
  Trouble dial_;
  std::map<NodePath, absl::Status> ends_said_;  // why each one's link ended, as last logged
  Trouble refused_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_NEIGHBOURS_H_
