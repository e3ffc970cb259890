#include "relay/core/places.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/feed_kind.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_cuts.h"

namespace guantong {

namespace {

constexpr char kPlaceFact[] = "place";
constexpr char kNetworkFact[] = "network";
constexpr absl::Duration kTellEvery = absl::Seconds(1);

int64_t SinceOf(const VerifiedChain& chain) { return absl::ToUnixSeconds(chain.not_before); }

void TellChain(Core& core, Turn& turn, Peer& peer, const std::string& node_id,
               const std::string& chain) {
  absl::Time& told = peer.moves_told.try_emplace(node_id, absl::InfinitePast()).first->second;
  if (turn.now - told < kTellEvery || core.chains.Find(chain) == nullptr) return;
  told = turn.now;
  v1::Frame frame;
  *frame.mutable_moved()->mutable_chain() = core.chains.Certificates(chain);
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
}

}  // namespace

void TellPlace(Core& core, Turn& turn, Peer& peer, const std::string& node_id) {
  auto place = core.places.find(node_id);
  if (place != core.places.end()) TellChain(core, turn, peer, node_id, place->second.chain);
}

// --- this node itself ----------------------------------------------------------------------------

absl::Status Places::Load(WriteSet* writes) {
  NodePath from = core_.self_path();
  std::string network = core_.chains.network();
  std::string place;
  if (core_.store->Get(NodeFactKey(kPlaceFact), &place).ok()) {
    GT_ASSIGN_OR_RETURN(from, NodePath::Parse(place));
    GT_RETURN_IF_ERROR(core_.store->Get(NodeFactKey(kNetworkFact), &network));
  } else {
    for (const auto& [key, feed] : core_.feeds) {
      if (feed.own) from = feed.origin_path;  // a store of an earlier release
    }
  }
  const bool joined = network != core_.chains.network();
  const bool moved = joined || from != core_.self_path();
  writes->Put(NodeFactKey(kPlaceFact), core_.self_path().text());
  writes->Put(NodeFactKey(kNetworkFact), core_.chains.network());
  core_.moved = moved;
  for (auto& [key, feed] : core_.feeds) LoadFeed(moved, joined, from, feed, writes);
  if (moved) {
    for (auto& [key, interest] : core_.subscriptions) {
      absl::StatusOr<NodePath> origin = NodePath::Parse(interest.origin_path());
      if (!origin.ok() || !from.Contains(*origin)) continue;
      interest.set_origin_path(origin->Moved(from, core_.self_path()).text());
      writes->Put(SubscriptionKey(interest.code()), interest.SerializeAsString());
    }
    CountBelow(from);
  }
  return LoadDeparted(moved, writes);
}

void Places::LoadFeed(bool moved, bool joined, const NodePath& from, FeedState& feed,
                      WriteSet* writes) {
  storage::v1::FeedRecord& record = feed.record;
  absl::StatusOr<NodePath> proved =
      NodePath::Parse(record.proved_path().empty() ? record.origin_path() : record.proved_path());
  feed.proved_path = proved.ok() ? *std::move(proved) : feed.origin_path;
  if (feed.own) {
    // Its record says the old place until the feed goes on.
    feed.moved = feed.origin_path != core_.self_path();
    core_.moved |= feed.moved;
    feed.origin_path = core_.self_path();
    feed.proved_path = core_.self_path();
    return;
  }
  if (moved && feed.origin_path != from && from.Contains(feed.origin_path)) {
    record.set_proved_path(feed.proved_path.text());
    feed.origin_path = feed.origin_path.Moved(from, core_.self_path());
    record.set_origin_path(feed.origin_path.text());
  }
  if (joined) {
    // Its signatures are of another network: facts and position stay until its origin goes on in
    // this one.
    record.set_foreign(true);
    record.set_place_since(0);
    DeleteLog(core_, feed, writes);
    DropSnapshot(feed, writes);
    writes->DeleteRange(SupersededPrefix(feed.key), PrefixEnd(SupersededPrefix(feed.key)));
    *record.mutable_log_from() = record.head();
    LeaveLogDamage(record);
    record.set_log_bytes(0);
    record.set_log_batches(0);
    record.set_superseded_batches(0);
    record.set_superseded_bytes(0);
  }
  if (moved) writes->Put(FeedRecordKey(feed.key), record.SerializeAsString());
  NodePlace& place = core_.places[record.feed().origin()];
  if (place.chain.empty() || record.place_since() > place.since) {
    place = {
        .path = feed.origin_path, .since = record.place_since(), .chain = record.signer_chain()};
  }
}

absl::Status Places::LoadDeparted(bool moved, WriteSet* writes) {
  const std::string prefix = KindPrefix(DepartedKey("")[0]);
  auto cursor = core_.store->Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    storage::v1::Departed departed;
    if (!departed.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
      continue;
    absl::StatusOr<NodePath> from = NodePath::Parse(departed.from());
    absl::StatusOr<std::string> chain = core_.chains.Learn(departed.chain());
    if (moved || !from.ok() || !chain.ok()) {
      writes->Delete(std::string(cursor->key()));
      continue;
    }
    const VerifiedChain& proved = *core_.chains.Find(*chain);
    core_.departed[*from] = departed.node_id();
    NodePlace& place = core_.places[departed.node_id()];
    if (SinceOf(proved) >= place.since)
      place = {.path = proved.path, .since = SinceOf(proved), .chain = *chain};
  }
  return cursor->status();
}

// Children are counted by where they stand now.
void Places::CountBelow(const NodePath& from) {
  core_.children.clear();
  core_.feeds_below.clear();
  for (const auto& [key, feed] : core_.feeds) {
    if (!core_.IsBelow(feed.origin_path)) continue;
    core_.children.insert(core_.ChildToward(feed.origin_path));
    ++core_.feeds_below[core_.ChildToward(feed.origin_path)];
  }
  origin_.ForEachMember([&](const v1::Member& member) {
    absl::StatusOr<NodePath> path = NodePath::Parse(member.path());
    if (path.ok() && *path != from && from.Contains(*path))
      core_.children.insert(path->Moved(from, core_.self_path()));
  });
}

// --- others --------------------------------------------------------------------------------------

void Places::Set(FeedState& feed, const NodePath& path) {
  if (feed.origin_path == path) return;
  if (core_.IsBelow(feed.origin_path)) --core_.feeds_below[core_.ChildToward(feed.origin_path)];
  feed.origin_path = path;
  feed.record.set_origin_path(path.text());
  if (!core_.IsBelow(path)) return;
  core_.children.insert(core_.ChildToward(path));
  ++core_.feeds_below[core_.ChildToward(path)];
}

void Places::Proved(Turn& turn, FeedState& feed, const VerifiedChain& signer,
                    const std::string& chain) {
  if (feed.own) return;
  feed.record.set_foreign(false);
  if (feed.proved_path != signer.path) {
    // What was signed at the place before is taken by nobody at the new one.
    if (feed.record.head().epoch().number() != 0) CutLog(core_, turn, feed);
    feed.proved_path = signer.path;
    feed.record.set_proved_path(signer.path.text());
    // To neighbours at the new place it is new: it goes to them at once, not at the next
    // comparison.
    feed.opened_at = turn.now;
  }
  NodePlace& place = core_.places[signer.node_id];
  const NodePath before = !place.chain.empty()
                              ? place.path
                              : NamedAt(signer.node_id, signer.path).value_or(feed.origin_path);
  if (place.chain.empty() || SinceOf(signer) > place.since)
    place = {.path = signer.path, .since = SinceOf(signer), .chain = chain};
  if (place.path != before) Relocate(turn, signer.node_id, before);
  Set(feed, place.path);  // also a feed whose late records are of the place before
  feed.record.set_place_since(place.since);
}

// Where a membership feed held here names the node, other than at `now`.
std::optional<NodePath> Places::NamedAt(const std::string& node_id, const NodePath& now) const {
  const std::string prefix = MemberIndexPrefix(node_id);
  for (auto cursor = core_.store->Scan(prefix, PrefixEnd(prefix)); cursor->Valid();
       cursor->Next()) {
    std::string bytes;
    v1::Member member;
    if (!core_.store->Get(MemberKey(FeedOfIndexKey(cursor->key()), node_id), &bytes).ok() ||
        !member.ParseFromString(bytes)) {
      continue;
    }
    absl::StatusOr<NodePath> named = NodePath::Parse(member.path());
    if (named.ok() && *named != now) return *std::move(named);
  }
  return std::nullopt;
}

bool Places::Outdated(Turn& turn, Peer& peer, const VerifiedChain& signer) {
  auto place = core_.places.find(signer.node_id);
  if (place == core_.places.end() || peer.who.is_parent || SinceOf(signer) >= place->second.since ||
      !peer.who.path.Contains(signer.path) || peer.who.path.Contains(place->second.path)) {
    return false;
  }
  TellPlace(core_, turn, peer, signer.node_id);
  return true;
}

void Places::Greet(Turn& turn, Peer& peer) {
  if (peer.who.is_parent) return;
  for (const auto& [from, node] : core_.departed) {
    if (!peer.who.path.Contains(core_.places.at(node).path)) TellPlace(core_, turn, peer, node);
  }
}

// Empty where this node has nothing to do with it: others are nothing to remember.
std::optional<NodePath> Places::FormerPlace(const std::string& node_id, const NodePath& now) const {
  if (auto place = core_.places.find(node_id); place != core_.places.end())
    return place->second.path;
  if (auto path = core_.neighbour_paths.find(node_id); path != core_.neighbour_paths.end())
    return path->second;
  if (std::optional<NodePath> named = NamedAt(node_id, now); named.has_value()) return named;
  for (const auto& [key, interest] : core_.subscriptions) {
    absl::StatusOr<NodePath> path = NodePath::Parse(interest.origin_path());
    if (interest.feed().origin() == node_id && path.ok()) return *std::move(path);
  }
  for (const auto& [node, theirs] : core_.wanted_by) {
    for (const auto& [key, wanted] : theirs.feeds()) {
      if (wanted.feed.origin() == node_id) return wanted.origin_path;
    }
  }
  return std::nullopt;
}

void Places::OnMoved(Turn& turn, Peer& peer, const v1::Moved& moved) {
  absl::StatusOr<std::string> chain = core_.chains.Learn(moved.chain());
  if (!chain.ok()) {
    ++peer.frames_rejected;
    return;
  }
  const VerifiedChain signer = *core_.chains.Find(*chain);
  auto place = core_.places.find(signer.node_id);
  if (peer.who.is_parent) {
    Stands(turn, *chain);
    Answer(turn, signer.node_id, *chain);
  } else if (place != core_.places.end() && place->second.since > SinceOf(signer)) {
    TellPlace(core_, turn, peer, signer.node_id);
  } else {
    AskAbove(turn, peer, signer.node_id, *chain);
  }
}

void Places::AskAbove(Turn& turn, const Peer& asker, const std::string& node_id,
                      const std::string& chain) {
  Peer* parent = core_.NextHop(NodePath());
  if (parent == nullptr || (asked_.size() >= kPlacesAskedMax && asked_.count(node_id) == 0)) return;
  asked_[node_id].insert(asker.who.node_id);
  TellChain(core_, turn, *parent, node_id, chain);
}

void Places::Answer(Turn& turn, const std::string& node_id, const std::string& chain) {
  auto asked = asked_.find(node_id);
  if (asked == asked_.end()) return;
  for (const std::string& asker : asked->second) {
    if (Peer* peer = core_.FindPeer(asker); peer != nullptr && !peer->who.is_parent)
      TellChain(core_, turn, *peer, node_id, chain);
  }
  asked_.erase(asked);
}

void Places::NotGiven(Turn& turn, Peer& peer, const FeedKey& key) {
  const FeedState* feed = core_.Find(key);
  if (feed == nullptr || feed->own || !peer.who.is_parent ||
      FindRecordKind(feed->kind()) == nullptr)
    return;
  TellPlace(core_, turn, peer, feed->record.feed().origin());
}

void Places::AskAboutUnproved(Turn& turn, Peer& peer) {
  if (!peer.who.is_parent) return;
  std::set<std::string> asked;
  auto it = core_.feeds.upper_bound(unproved_asked_);
  for (size_t seen = 0; seen < core_.feeds.size() && asked.size() < kPlacesAskedAtOnceMax; ++seen) {
    if (it == core_.feeds.end()) it = core_.feeds.begin();
    const auto& [key, feed] = *it++;
    if (feed.own || !core_.IsBelow(feed.origin_path) || feed.proved_path == feed.origin_path)
      continue;
    unproved_asked_ = key;
    if (asked.insert(feed.record.feed().origin()).second)
      TellPlace(core_, turn, peer, feed.record.feed().origin());
  }
}

void Places::FindAncestors(Turn& turn) {
  v1::CertificateChain chain = core_.identity.chain;
  while (chain.certificates_size() > 1) {
    chain.mutable_certificates()->DeleteSubrange(0, 1);
    const absl::StatusOr<std::string> digest = core_.chains.Learn(chain);
    if (!digest.ok()) return;
    const VerifiedChain ancestor = *core_.chains.Find(*digest);
    const std::optional<NodePath> before = FormerPlace(ancestor.node_id, ancestor.path);
    if (!before.has_value() || !core_.IsBelow(*before)) continue;
    Stands(turn, *digest);
    TakeAlong(turn, *before, ancestor.path);
  }
}

void Places::Stands(Turn& turn, const std::string& chain) {
  const VerifiedChain signer = *core_.chains.Find(chain);
  if (signer.role != CertificateRole::kIssuing || signer.node_id == core_.self_id()) return;
  const std::optional<NodePath> before = FormerPlace(signer.node_id, signer.path);
  if (!before.has_value()) return;
  NodePlace& place = core_.places[signer.node_id];
  if (SinceOf(signer) <= place.since) return;
  place = {.path = signer.path, .since = SinceOf(signer), .chain = chain};
  core_.chains.Keep(chain, &turn.writes());
  if (*before == place.path) return;
  Relocate(turn, signer.node_id, *before);
}

void Places::TakeAlong(Turn& turn, const NodePath& from, const NodePath& to) {
  for (auto& [key, feed] : core_.feeds) {
    if (feed.own || feed.origin_path == from || !from.Contains(feed.origin_path)) continue;
    const NodePath path = feed.origin_path.Moved(from, to);
    core_.places[feed.record.feed().origin()].path = path;
    Set(feed, path);
    SaveFeed(core_, turn, feed);
  }
}

// It is given what it looks at from above, and would never hear of it again.
bool Places::LeavesScope(const Peer& peer, const NodePath& from, const NodePath& to) const {
  const Interests* theirs = core_.TheirInterests(peer);
  return theirs != nullptr && theirs->CoversByScope(v1::FEED_KIND_CATALOG_OPEN, from) &&
         !theirs->CoversByScope(v1::FEED_KIND_CATALOG_OPEN, to);
}

void Places::Relocate(Turn& turn, const std::string& node_id, const NodePath& from) {
  const NodePlace place = core_.places.at(node_id);
  turn.Say(absl::StrCat("the node at ", DisplayPath(from), " stands at ", DisplayPath(place.path),
                        " now"));
  for (auto& [node, theirs] : core_.wanted_by) theirs.Reroute(node_id, place.path);
  for (auto& [key, interest] : core_.subscriptions) {
    if (interest.feed().origin() != node_id) continue;
    interest.set_origin_path(place.path.text());
    turn.writes().Put(SubscriptionKey(interest.code()), interest.SerializeAsString());
  }
  for (auto& [key, feed] : core_.feeds) {
    if (feed.own || feed.record.feed().origin() != node_id) continue;
    Set(feed, place.path);
    feed.record.set_place_since(place.since);
    SaveFeed(core_, turn, feed);
    for (auto& [link, peer] : core_.peers) {
      if (peer.outgoing.count(key) > 0 && !sender_.Flows(peer, feed)) sender_.Stop(peer, key);
    }
  }
  if (core_.departed.erase(place.path) > 0) turn.writes().Delete(DepartedKey(place.path.text()));
  if (core_.IsBelow(from)) Depart(turn, node_id, from);
  for (auto& [link, peer] : core_.peers) {
    if (peer.who.is_parent) continue;
    const bool behind = peer.who.path.Contains(from) && !peer.who.path.Contains(place.path);
    if (behind || LeavesScope(peer, from, place.path)) TellPlace(core_, turn, peer, node_id);
  }
  core_.places_changed = true;
}

void Places::Depart(Turn& turn, const std::string& node_id, const NodePath& from) {
  const NodePlace& place = core_.places.at(node_id);
  if (core_.departed.size() < kDepartedMax && core_.chains.Find(place.chain) != nullptr) {
    storage::v1::Departed departed;
    departed.set_node_id(node_id);
    departed.set_from(from.text());
    *departed.mutable_chain() = core_.chains.Certificates(place.chain);
    turn.writes().Put(DepartedKey(from.text()), departed.SerializeAsString());
    core_.departed[from] = node_id;
  }
  if (from.Parent() != core_.self_path()) return;
  // It was our child: nothing is kept for it any more.
  if (Peer* peer = core_.FindPeer(node_id); peer != nullptr && peer->who.path == from) {
    turn.effects.closes.push_back(
        {.link = peer->who.link,
         .why = Error(absl::StatusCode::kPermissionDenied, "node_moved",
                      absl::StrCat("the node stands at ", DisplayPath(place.path), " now"),
                      DisplayPath(place.path))});
  }
  core_.wanted_by.erase(node_id);
  core_.paused.erase(node_id);
  core_.children.erase(from);
  if (auto path = core_.neighbour_paths.find(node_id);
      path != core_.neighbour_paths.end() && path->second == from)
    core_.neighbour_paths.erase(path);
  origin_.MemberLeft(turn, node_id, place.path);
}

void Places::Settle(Turn& turn) {
  if (!std::exchange(core_.places_changed, false)) return;
  for (auto& [link, peer] : core_.peers) {
    if (wants_.RefreshAll(turn, peer)) sync_.Offer(turn, peer);
  }
}

}  // namespace guantong
