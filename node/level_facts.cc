#include "node/level_facts.h"

#include "absl/strings/str_cat.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {

FeedKey FeedOf(const std::string& node_id, v1::FeedKind kind) {
  v1::FeedId feed;
  feed.set_origin(node_id);
  feed.set_kind(kind);
  return FeedKey::Of(feed);
}

std::vector<std::string> LevelsDownTo(const Directory& directory) {
  const std::vector<v1::TreeNode>& above = directory.ancestors();
  std::vector<std::string> nodes;
  for (auto ancestor = above.rbegin(); ancestor != above.rend(); ++ancestor)
    nodes.push_back(ancestor->node_id());
  nodes.push_back(directory.self().node_id());
  return nodes;
}

std::string HeadsOf(const Reader& snapshot, const std::vector<std::string>& nodes,
                    v1::FeedKind kind) {
  std::string heads;
  for (const std::string& node : nodes) {
    std::string bytes;
    storage::v1::FeedRecord record;
    if (snapshot.Get(FeedRecordKey(FeedOf(node, kind)), &bytes).ok() &&
        record.ParseFromString(bytes)) {
      absl::StrAppend(&heads, record.head().epoch().number(), ".", record.head().sequence());
    }
    heads += "/";
  }
  return heads;
}

}  // namespace guantong
