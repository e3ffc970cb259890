// The node at a glance: status, tree, links, feeds.
#ifndef GUANTONG_NODE_OVERVIEW_H_
#define GUANTONG_NODE_OVERVIEW_H_

#include "absl/status/statusor.h"
#include "guantong/v1/node.pb.h"
#include "node/directory.h"
#include "node/neighbours.h"
#include "node/site.h"

namespace guantong {

inline constexpr char kVersion[] = "0.1";

// Any thread.
class Overview {
 public:
  Overview(const Site* site, const Directory* directory, const Neighbours* neighbours)
      : site_(*site), directory_(*directory), neighbours_(*neighbours) {}

  absl::StatusOr<v1::StatusResponse> Status() const;
  absl::StatusOr<v1::TreeResponse> Tree() const;
  absl::StatusOr<v1::LinksResponse> Links() const;
  absl::StatusOr<v1::FeedsResponse> Feeds(const v1::FeedsRequest& request) const;

 private:
  const Site& site_;
  const Directory& directory_;
  const Neighbours& neighbours_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_OVERVIEW_H_
