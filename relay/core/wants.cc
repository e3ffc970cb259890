#include <algorithm>
#include <utility>

#include "catalog/feed_kind.h"
#include "relay/core/sender.h"

namespace guantong {

namespace {

constexpr int kRemindersMax = 256;  // in one frame

const std::vector<v1::FeedKind>& UpwardKinds() {
  static const auto* kinds = [] {
    auto* all = new std::vector<v1::FeedKind>;
    for (const RecordKind& kind : kRecordKinds) all->push_back(kind.kind);
    return all;
  }();
  return *kinds;
}

std::vector<v1::FeedKind> KindsThatFlow(DownFlow down) {
  std::vector<v1::FeedKind> kinds;
  for (const RecordKind& kind : kRecordKinds) {
    if (kind.down == down) kinds.push_back(kind.kind);
  }
  return kinds;
}

const std::vector<v1::FeedKind>& DownwardKinds() {
  static const auto* kinds = new std::vector<v1::FeedKind>(KindsThatFlow(DownFlow::kByScope));
  return *kinds;
}

void AddOnce(std::vector<WantedScope>& scopes, WantedScope scope) {
  if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end())
    scopes.push_back(std::move(scope));
}

}  // namespace

bool Wants::Wanted(const FeedKey& key, const NodePath& origin_path) const {
  if (core_.subscriptions.count(key) > 0) return true;
  for (const auto& [node, theirs] : core_.wanted_by) {
    auto path = core_.neighbour_paths.find(node);
    const bool upstream =
        path != core_.neighbour_paths.end() &&
        (core_.self_path().Contains(path->second) && path->second != core_.self_path()
             ? path->second.Contains(origin_path)
             : !core_.self_path().Contains(origin_path));
    if (!upstream && theirs.Wants(key) && !core_.Paused(node, key)) return true;
  }
  return false;
}

std::vector<WantedScope> Wants::FromAbove() const {
  std::vector<WantedScope> scopes;
  const NodePath& self = core_.self_path();
  // Of whoever is above; beside us nothing of these kinds is sent down.
  if (!self.is_root()) AddOnce(scopes, {.kinds = KindsThatFlow(DownFlow::kToBranch)});
  if (core_.options.catalog_scope == CatalogScope::kCountry)
    AddOnce(scopes, {.kinds = DownwardKinds()});
  if (core_.options.catalog_scope == CatalogScope::kProvince && self.depth() > 1) {
    AddOnce(scopes, {.kinds = DownwardKinds(), .prefix = self.Ancestor(1)});
  }
  // A child may look further than we do: what it wants from beyond our branch comes through us.
  for (const auto& [node, theirs] : core_.wanted_by) {
    auto path = core_.neighbour_paths.find(node);
    if (path == core_.neighbour_paths.end() || !core_.IsBelow(path->second)) continue;
    for (const WantedScope& scope : theirs.scopes()) {
      // Our own branch we hold; beside it and above there is nothing but what surrounds us,
      // whatever a child asks.
      if (self.Contains(scope.prefix) || !scope.prefix.Contains(self)) continue;
      WantedScope down{.kinds = {}, .prefix = scope.prefix};
      for (v1::FeedKind kind : scope.kinds) {
        if (std::count(DownwardKinds().begin(), DownwardKinds().end(), kind) > 0)
          down.kinds.push_back(kind);
      }
      if (!down.kinds.empty()) AddOnce(scopes, std::move(down));
    }
  }
  return scopes;
}

Interests Wants::Desired(const Peer& peer) const {
  Interests desired;
  if (peer.who.is_parent) {
    desired.SetScopes(FromAbove());
  } else {
    desired.SetScopes({{.kinds = UpwardKinds(), .prefix = peer.who.path}});
  }

  auto consider = [&](const FeedKey& key, WantedFeed wanted) {
    const bool toward = peer.who.is_parent ? !core_.self_path().Contains(wanted.origin_path)
                                           : peer.who.path.Contains(wanted.origin_path);
    if (!toward || desired.Wants(key)) return;
    if (const FeedState* feed = core_.Find(key); feed != nullptr) {
      wanted.have = feed->durable.epoch().number() == 0 ? v1::Position() : feed->durable;
    }
    desired.Add(key, std::move(wanted));
  };
  for (const auto& [key, interest] : core_.subscriptions) {
    absl::StatusOr<NodePath> origin = NodePath::Parse(interest.origin_path());
    if (origin.ok())
      consider(key, {.feed = interest.feed(), .origin_path = *origin, .have = {}, .warrant = ""});
  }
  for (const auto& [node, theirs] : core_.wanted_by) {
    if (node == peer.who.node_id) continue;
    for (const auto& [key, wanted] : theirs.feeds()) {
      if (!core_.Paused(node, key)) consider(key, wanted);
    }
  }
  return desired;
}

void Wants::Refresh(Turn& turn, const WantedFeed& feed) {
  Peer* upstream = core_.NextHop(feed.origin_path);
  if (upstream == nullptr) return;
  const FeedKey key = FeedKey::Of(feed.feed);
  const bool wanted = Wanted(key, feed.origin_path);
  v1::Frame frame;
  if (wanted) {
    WantedFeed ask = feed;
    if (const FeedState* held = core_.Find(key); held != nullptr) {
      ask.have = held->durable.epoch().number() == 0 ? v1::Position() : held->durable;
    }
    if (upstream->ours.Wants(key)) return;
    upstream->ours.Add(key, ask);
    *frame.mutable_interest()->add_add() = ToMessage(ask);
  } else {
    if (!upstream->ours.Drop(key)) return;
    *frame.mutable_interest()->add_drop() = ToMessage(feed);
  }
  SendFrame(turn, *upstream, v1::LANE_CONTROL, frame);
}

bool Wants::RefreshAll(Turn& turn, Peer& peer) {
  Interests desired = Desired(peer);
  if (desired.Digest() == peer.ours.Digest()) return false;
  peer.ours = std::move(desired);
  v1::Frame frame;
  *frame.mutable_interest() = peer.ours.Whole();
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
  return true;
}

void Wants::Remind(Turn& turn, Peer& peer) {
  v1::Frame frame;
  for (const auto& [key, wanted] : peer.ours.feeds()) {
    if (frame.interest().add_size() >= kRemindersMax) break;
    const FeedState* feed = core_.Find(key);
    // What waits for room is asked for again.
    auto refusal = core_.refusals.find(key);
    const bool refused =
        refusal != core_.refusals.end() && refusal->second.reason() != v1::NACK_REASON_BUDGET;
    const bool held = feed != nullptr && feed->record.head().epoch().number() != 0;
    if (refused || (refusal == core_.refusals.end() && held)) continue;
    WantedFeed ask = wanted;
    if (held) ask.have = feed->durable;
    *frame.mutable_interest()->add_add() = ToMessage(ask);
  }
  if (frame.has_interest()) SendFrame(turn, peer, v1::LANE_CONTROL, frame);
}

}  // namespace guantong
