#include "node/hidden.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/keys.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {

std::vector<Ruler> RulersAt(const Directory& directory) {
  std::vector<Ruler> rulers;
  const auto add = [&](const v1::TreeNode& node) {
    absl::StatusOr<NodePath> path = NodePath::Parse(node.path());
    if (path.ok()) rulers.push_back({.node_id = node.node_id(), .path = *std::move(path)});
  };
  add(directory.self());
  for (const v1::TreeNode& above : directory.ancestors()) add(above);
  return rulers;
}

std::shared_ptr<const HiddenEntries> Hidden::At(const Reader& snapshot) {
  std::string heads;
  for (const Ruler& ruler : rulers_) {
    std::string bytes;
    storage::v1::FeedRecord record;
    const FeedKey feed = FeedKey::Of(RulingsFeed(ruler.node_id));
    if (snapshot.Get(FeedRecordKey(feed), &bytes).ok() && record.ParseFromString(bytes))
      absl::StrAppend(&heads, record.head().SerializeAsString());
    heads += '/';
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (held_ == nullptr || heads != heads_) {
    held_ = std::make_shared<const HiddenEntries>(snapshot, rulers_);
    heads_ = std::move(heads);
  }
  return held_;
}

}  // namespace guantong
