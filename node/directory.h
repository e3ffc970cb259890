// Which node stands where: this node, its ancestors (proved by its own certificate chain), and the
// members known here.
#ifndef GUANTONG_NODE_DIRECTORY_H_
#define GUANTONG_NODE_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/node.pb.h"
#include "node/site.h"

namespace guantong {

// Immutable after construction; any thread.
class Directory {
 public:
  explicit Directory(const Site* site);

  // NOT_FOUND node_unknown.
  absl::StatusOr<v1::TreeNode> Find(const Reader& snapshot, absl::string_view node_id) const;

  // Nearest first; empty at the root.
  const std::vector<v1::TreeNode>& ancestors() const { return ancestors_; }
  const v1::TreeNode& self() const { return self_; }

  // All that is known here, in path order, without link states.
  std::vector<v1::TreeNode> Tree(const Reader& snapshot) const;

  // The nodes between here and `path` over their common ancestor, both ends included, in order.
  std::vector<v1::Hop> Way(const Reader& snapshot, const NodePath& path) const;

 private:
  const Site& site_;
  v1::TreeNode self_;
  std::vector<v1::TreeNode> ancestors_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_DIRECTORY_H_
