#include "relay/core/interest.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/feed_kind.h"

namespace guantong {

namespace {

absl::StatusOr<WantedScope> ScopeOf(const v1::Scope& message) {
  absl::StatusOr<NodePath> prefix = NodePath::Parse(message.prefix());
  if (!prefix.ok()) return prefix.status();
  if (static_cast<size_t>(message.kinds_size()) > kScopeKindsMax) {
    return absl::InvalidArgumentError("more kinds of feeds than there are");
  }
  WantedScope scope{.prefix = *std::move(prefix)};
  for (int kind : message.kinds()) scope.kinds.push_back(static_cast<v1::FeedKind>(kind));
  std::sort(scope.kinds.begin(), scope.kinds.end());
  scope.kinds.erase(std::unique(scope.kinds.begin(), scope.kinds.end()), scope.kinds.end());
  return scope;
}

absl::StatusOr<WantedFeed> FeedOf(const v1::Interest& message) {
  const v1::FeedWanted& wanted = message.feed();
  if (message.ByteSizeLong() > kInterestBytesMax) {
    return absl::InvalidArgumentError("an interest of implausible size");
  }
  const v1::FeedKind kind = wanted.feed().kind();
  if (kind == v1::FEED_KIND_UNSPECIFIED || FindRecordKind(kind) != nullptr)
    return absl::InvalidArgumentError("feeds of this kind flow by scope, never by name");
  absl::StatusOr<NodePath> path = NodePath::Parse(wanted.origin_path());
  if (!path.ok()) return path.status();
  if (wanted.feed().origin().size() != kDigestBytes) {
    return absl::InvalidArgumentError("a feed's origin is a NodeId of 32 bytes");
  }
  return WantedFeed{.feed = wanted.feed(),
                    .origin_path = *std::move(path),
                    .have = wanted.have(),
                    .warrant = message.warrant()};
}

}  // namespace

int Interests::Apply(const v1::InterestDelta& delta) {
  int skipped = 0;
  if (delta.reset()) {
    scopes_.clear();
    feeds_.clear();
  }
  for (const v1::Interest& interest : delta.add()) {
    if (interest.has_scope()) {
      absl::StatusOr<WantedScope> scope = ScopeOf(interest.scope());
      if (!scope.ok() || scopes_.size() >= kScopesPerLinkMax) {
        ++skipped;
      } else if (std::find(scopes_.begin(), scopes_.end(), *scope) == scopes_.end()) {
        scopes_.push_back(*std::move(scope));
      }
    } else {
      absl::StatusOr<WantedFeed> feed = FeedOf(interest);
      if (!feed.ok() || feeds_.size() >= kFeedsPerLinkMax) {
        ++skipped;
      } else {
        feeds_[FeedKey::Of(feed->feed)] = *std::move(feed);
      }
    }
  }
  for (const v1::Interest& interest : delta.drop()) {
    if (interest.has_scope()) {
      absl::StatusOr<WantedScope> scope = ScopeOf(interest.scope());
      if (scope.ok())
        scopes_.erase(std::remove(scopes_.begin(), scopes_.end(), *scope), scopes_.end());
    } else {
      feeds_.erase(FeedKey::Of(interest.feed().feed()));
    }
  }
  return skipped;
}

void Interests::Reroute(const std::string& origin, const NodePath& path) {
  for (auto& [key, wanted] : feeds_) {
    if (wanted.feed.origin() == origin) wanted.origin_path = path;
  }
}

bool Interests::CoversByScope(v1::FeedKind kind, const NodePath& origin) const {
  for (const WantedScope& scope : scopes_) {
    if (scope.prefix.Contains(origin) &&
        std::find(scope.kinds.begin(), scope.kinds.end(), kind) != scope.kinds.end()) {
      return true;
    }
  }
  return false;
}

std::string Interests::Digest() const {
  std::vector<std::string> scopes;
  for (const WantedScope& scope : scopes_) scopes.push_back(ToMessage(scope).SerializeAsString());
  std::sort(scopes.begin(), scopes.end());
  Sha256Stream stream;
  for (const std::string& scope : scopes) stream.UpdatePart(scope);
  for (const auto& [key, feed] : feeds_) stream.UpdatePart(key.bytes());
  return stream.Finish();
}

v1::InterestDelta Interests::Whole() const {
  v1::InterestDelta delta;
  delta.set_reset(true);
  for (const WantedScope& scope : scopes_) *delta.add_add() = ToMessage(scope);
  for (const auto& [key, feed] : feeds_) *delta.add_add() = ToMessage(feed);
  return delta;
}

v1::Interest ToMessage(const WantedFeed& feed) {
  v1::Interest message;
  message.set_warrant(feed.warrant);
  *message.mutable_feed()->mutable_feed() = feed.feed;
  message.mutable_feed()->set_origin_path(feed.origin_path.text());
  if (feed.have.has_epoch()) *message.mutable_feed()->mutable_have() = feed.have;
  return message;
}

v1::Interest ToMessage(const WantedScope& scope) {
  v1::Interest message;
  for (v1::FeedKind kind : scope.kinds) message.mutable_scope()->add_kinds(kind);
  message.mutable_scope()->set_prefix(scope.prefix.text());
  return message;
}

}  // namespace guantong
