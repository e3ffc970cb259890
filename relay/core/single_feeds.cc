#include "relay/core/single_feeds.h"

#include <algorithm>
#include <utility>

#include "catalog/base/status.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_cuts.h"

namespace guantong {

namespace {

void DoneWhenDurable(Turn& turn, Token token) {
  if (token == 0) return;
  turn.when_durable.push_back([token](Turn& later) {
    later.effects.writes_done.push_back(
        {.token = token, .status = absl::OkStatus(), .position = {}});
  });
}

}  // namespace

void SingleFeeds::On(Turn& turn, Subscribe event) {
  storage::v1::StoredInterest interest = event.interest;
  if (auto place = core_.places.find(interest.feed().origin()); place != core_.places.end())
    interest.set_origin_path(place->second.path.text());
  const FeedKey key = FeedKey::Of(interest.feed());
  FeedState* feed = core_.Find(key);
  if (auto refusal = core_.refusals.find(key); refusal != core_.refusals.end()) {
    interest.set_refused(refusal->second.text());
  }
  turn.writes().Put(SubscriptionKey(interest.code()), interest.SerializeAsString());
  core_.subscriptions[key] = interest;
  const bool log_only = feed != nullptr && !feed->own && !feed->record.applied();
  if (log_only && feed->record.head().epoch().number() == 0) {
    feed->record.set_applied(true);
    feed->table.emplace(key, storage::v1::TableRecord(), core_.options.table);
    SaveFeed(core_, turn, *feed);
  } else if (log_only && !feed->record.closed()) {
    // So far its log passed through here: the table comes as a snapshot, and until it has come the
    // copy is none.
    feed->record.set_applied(true);
    feed->record.set_incomplete_since(1);
    feed->table.emplace(key, storage::v1::TableRecord(), core_.options.table);
    SaveFeed(core_, turn, *feed);
    receiver_.AskSnapshot(turn, *feed, {});
  }
  absl::StatusOr<NodePath> origin = NodePath::Parse(interest.origin_path());
  if (origin.ok()) {
    wants_.Refresh(turn,
                   {.feed = interest.feed(), .origin_path = *origin, .have = {}, .warrant = ""});
  }
  DoneWhenDurable(turn, event.token);
}

void SingleFeeds::On(Turn& turn, Unsubscribe event) {
  storage::v1::StoredInterest interest;
  auto live = std::find_if(core_.subscriptions.begin(), core_.subscriptions.end(),
                           [&](const auto& entry) { return entry.second.code() == event.code; });
  std::string bytes;
  if (live != core_.subscriptions.end()) {
    interest = live->second;
    core_.subscriptions.erase(live);
  } else if (!core_.store->Get(SubscriptionKey(event.code), &bytes).ok() ||
             !interest.ParseFromString(bytes)) {
    turn.effects.writes_done.push_back(
        {.token = event.token,
         .status =
             Error(absl::StatusCode::kNotFound, "subscription_unknown",
                   "there is no such subscription", event.code, "see `guantong subscriptions`"),
         .position = {}});
    return;
  }
  absl::StatusOr<NodePath> origin = NodePath::Parse(interest.origin_path());
  if (origin.ok()) {
    wants_.Refresh(turn,
                   {.feed = interest.feed(), .origin_path = *origin, .have = {}, .warrant = ""});
  }
  if (event.drop_data) {
    turn.writes().Delete(SubscriptionKey(event.code));
    if (origin.ok()) DropCopy(turn, FeedKey::Of(interest.feed()), *origin);
  } else {
    interest.set_ended(true);
    turn.writes().Put(SubscriptionKey(event.code), interest.SerializeAsString());
  }
  DoneWhenDurable(turn, event.token);
}

void SingleFeeds::DropCopy(Turn& turn, const FeedKey& key, const NodePath& origin) {
  FeedState* feed = core_.Find(key);
  if (feed == nullptr || feed->own) return;
  if (!wants_.Wanted(key, origin)) return DropFeed(core_, turn, key);
  // Somebody behind us still wants its log.
  if (feed->table.has_value()) feed->table->Drop(MarkOf(feed->record.log_from()), &turn.writes());
  feed->table.reset();
  feed->load.reset();
  feed->record.set_applied(false);
  feed->record.set_incomplete_since(0);
  feed->record.clear_fault_text();
  feed->wants_snapshot = false;
  feed->snapshot_from = {};
  core_.repairing.erase(key);
  turn.writes().Delete(SnapshotProgressKey(key));
  SaveFeed(core_, turn, *feed);
}

// --- neighbours ----------------------------------------------------------------------------------

void SingleFeeds::OnInterest(Turn& turn, Peer& peer, const v1::InterestDelta& delta) {
  Interests& theirs = core_.wanted_by[peer.who.node_id];
  const Interests before = theirs;
  peer.interest_told = peer.interest_told || delta.reset();
  peer.frames_rejected += static_cast<uint64_t>(theirs.Apply(delta));
  // Who wants it may know an older place of its origin than we do.
  std::set<std::string> origins;
  for (const v1::Interest& add : delta.add()) origins.insert(add.feed().feed().origin());
  for (const std::string& origin : origins) {
    auto place = core_.places.find(origin);
    if (place != core_.places.end()) theirs.Reroute(origin, place->second.path);
  }

  // What is no longer wanted stops, here and, when nobody else wants it, upstream.
  for (const auto& [key, wanted] : before.feeds()) {
    if (theirs.Wants(key)) continue;
    sender_.Stop(peer, key);
    wants_.Refresh(turn, wanted);
  }
  for (const v1::Interest& add : delta.add()) {
    if (!add.has_feed()) continue;
    const FeedKey key = FeedKey::Of(add.feed().feed());
    auto it = theirs.feeds().find(key);
    if (it == theirs.feeds().end()) continue;
    const WantedFeed& wanted = it->second;
    peer.told.insert(key);
    if (core_.Paused(peer.who.node_id, key)) {
      budgets_.SayPaused(turn, peer, wanted);
      continue;
    }
    if (wanted.feed.origin() == core_.self_id()) {
      if (RefuseOwn(turn, peer, wanted)) continue;
    } else {
      wants_.Refresh(turn, wanted);
      if (auto refusal = core_.refusals.find(key); refusal != core_.refusals.end()) {
        v1::Frame frame;
        *frame.mutable_nack() = refusal->second;
        SendFrame(turn, peer, v1::LANE_CONTROL, frame);
      }
    }
    // Told again, it is compared by range; told for the first time, it says where it stands.
    const bool flowing = peer.outgoing.count(key) > 0;
    FeedState* feed = core_.Find(key);
    if (!flowing && feed != nullptr && sender_.Flows(peer, *feed))
      sender_.StartFrom(turn, peer, *feed, wanted.have);
  }
  if (before.scopes() == theirs.scopes()) return;
  for (auto it = peer.outgoing.begin(); it != peer.outgoing.end();) {
    const FeedKey key = (it++)->first;
    const FeedState* feed = core_.Find(key);
    if (feed != nullptr && !sender_.Flows(peer, *feed)) sender_.Stop(peer, key);
  }
  for (auto& [link, other] : core_.peers) {
    if (other.who.is_parent && wants_.RefreshAll(turn, other)) sync_.Offer(turn, other);
  }
}

void SingleFeeds::Narrowed(Turn& turn, const FeedState& feed) {
  for (auto& [link, peer] : core_.peers) {
    const Interests* theirs = core_.TheirInterests(peer);
    if (theirs == nullptr || !theirs->Wants(feed.key)) continue;
    sender_.Stop(peer, feed.key);
    RefuseOwn(turn, peer, theirs->feeds().at(feed.key));
  }
}

bool SingleFeeds::RefuseOwn(Turn& turn, Peer& peer, const WantedFeed& wanted) {
  const FeedState* feed = core_.Find(FeedKey::Of(wanted.feed));
  if (origin_.Forgotten(FeedKey::Of(wanted.feed)) && wanted.feed.kind() == v1::FEED_KIND_ROWS &&
      wanted.have.has_epoch()) {
    origin_.FoundForgotten(turn, peer, wanted.feed, wanted.have);
    return false;
  }
  const bool known = feed != nullptr && feed->kind() == v1::FEED_KIND_ROWS;
  // Whoever has a copy of a dataset that has ended is told its end by the log.
  const bool ended = known && feed->record.closed();
  if (known && (ended ? wanted.have.has_epoch() : feed->record.shared())) return false;
  v1::Frame frame;
  v1::Nack* nack = frame.mutable_nack();
  nack->set_feed_key(FeedKey::Of(wanted.feed).str());
  *nack->mutable_feed() = wanted.feed;
  nack->set_reason(known ? v1::NACK_REASON_REFUSED : v1::NACK_REASON_UNKNOWN_FEED);
  nack->set_text(ended   ? "提供方已关闭该数据集 (closed by its provider)"
                 : known ? "提供方未无条件共享该数据,需要授权 (needs a grant)"
                         : "提供方节点没有该数据集 (no such dataset at its origin)");
  nack->set_from_origin(true);
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
  return true;
}

}  // namespace guantong
