// The class tree as this node knows it, from its own feed and those of the levels above, and the
// part of it this node governs.
#ifndef GUANTONG_NODE_CLASSES_H_
#define GUANTONG_NODE_CLASSES_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/class_tree.h"
#include "guantong/v1/class.pb.h"
#include "node/directory.h"
#include "node/site.h"

namespace guantong {

// Any thread; changes wait for commits and are made one at a time.
class Classes {
 public:
  Classes(const Site* site, const Directory* directory) : site_(*site), directory_(*directory) {}

  // As of `snapshot`; made anew when one of the feeds has moved.
  std::shared_ptr<const ClassTree> Tree(const Reader& snapshot);

  // Errors: class.proto.
  absl::StatusOr<v1::ImportClassesResponse> Import(const v1::ImportClassesRequest& request);
  absl::StatusOr<v1::ClassesResponse> List(const v1::ClassesRequest& request);
  absl::StatusOr<v1::ClassNode> Delegate(const v1::DelegateClassRequest& request);
  absl::StatusOr<v1::ClassNode> Close(const v1::CloseClassRequest& request);

 private:
  absl::StatusOr<v1::ClassNode> OwnClass(const Reader& snapshot, const std::string& code);
  absl::Status Append(const std::vector<v1::ClassNode>& classes);

  const Site& site_;
  const Directory& directory_;
  std::mutex change_mutex_;
  std::mutex tree_mutex_;
  std::string tree_heads_;  // of the feeds `tree_` was made from
  std::shared_ptr<const ClassTree> tree_ = std::make_shared<ClassTree>();
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CLASSES_H_
