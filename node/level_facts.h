// What single nodes, this one and the levels above it, say in their record feeds.
#ifndef GUANTONG_NODE_LEVEL_FACTS_H_
#define GUANTONG_NODE_LEVEL_FACTS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/v1/feed.pb.h"
#include "node/directory.h"

namespace guantong {

FeedKey FeedOf(const std::string& node_id, v1::FeedKind kind);

// NodeIds from the root down to this node.
std::vector<std::string> LevelsDownTo(const Directory& directory);

// Changes whenever one of these feeds has moved.
std::string HeadsOf(const Reader& snapshot, const std::vector<std::string>& nodes,
                    v1::FeedKind kind);

// All facts of one feed, in the order of their names; what does not parse is passed over.
template <typename Message>
std::vector<Message> FactsOf(const Reader& snapshot, const FeedKey& feed) {
  std::vector<Message> facts;
  const std::string prefix = EntryPrefix(feed);
  const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    Message fact;
    if (fact.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
      facts.push_back(std::move(fact));
  }
  return facts;
}

}  // namespace guantong

#endif  // GUANTONG_NODE_LEVEL_FACTS_H_
