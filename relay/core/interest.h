// What a neighbour wants over a link, or what we want of it: scopes of record feeds and single rows
// feeds.
#ifndef GUANTONG_RELAY_CORE_INTEREST_H_
#define GUANTONG_RELAY_CORE_INTEREST_H_

#include <map>
#include <string>
#include <vector>

#include "catalog/base/node_path.h"
#include "catalog/keys.h"
#include "guantong/v1/link.pb.h"

namespace guantong {

struct WantedScope {
  std::vector<v1::FeedKind> kinds;
  NodePath prefix;

  friend bool operator==(const WantedScope& a, const WantedScope& b) {
    return a.kinds == b.kinds && a.prefix == b.prefix;
  }
};

struct WantedFeed {
  v1::FeedId feed;
  NodePath origin_path;
  v1::Position have;  // sequence 0 and no epoch: nothing held
  std::string warrant;
};

// Ordered, so that both sides compute the same digest.
class Interests {
 public:
  // Malformed parts are skipped and counted in the return value: a peer's mistake costs it that
  // interest.
  int Apply(const v1::InterestDelta& delta);

  void SetScopes(std::vector<WantedScope> scopes) { scopes_ = std::move(scopes); }
  void Add(const FeedKey& key, WantedFeed feed) { feeds_[key] = std::move(feed); }
  // All feeds of this origin are routed there from now on.
  void Reroute(const std::string& origin, const NodePath& path);
  bool Drop(const FeedKey& key) { return feeds_.erase(key) > 0; }

  const std::vector<WantedScope>& scopes() const { return scopes_; }
  const std::map<FeedKey, WantedFeed>& feeds() const { return feeds_; }

  bool Wants(const FeedKey& key) const { return feeds_.count(key) > 0; }
  bool CoversByScope(v1::FeedKind kind, const NodePath& origin) const;

  // Over scopes and feed keys; positions are no part of it.
  std::string Digest() const;

  // All of it, as one delta with `reset`.
  v1::InterestDelta Whole() const;

 private:
  std::vector<WantedScope> scopes_;
  std::map<FeedKey, WantedFeed> feeds_;
};

v1::Interest ToMessage(const WantedFeed& feed);
v1::Interest ToMessage(const WantedScope& scope);

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_INTEREST_H_
