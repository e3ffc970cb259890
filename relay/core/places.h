// Where nodes stand, and what follows when one stands elsewhere: a branch that moved to another
// parent, or joined this network.
//
// A node's place is what the newest of its chains proves (`since`); of two the later one counts,
// whichever feed or neighbour it came with. A node that moved opens a new epoch in every feed of
// its own, so its place reaches whoever holds one of them by the feed itself. Those behind which it
// stood are told (`Moved`): by the node where both ways part, at once, and again whenever one of
// them still gives its feeds from there.
#ifndef GUANTONG_RELAY_CORE_PLACES_H_
#define GUANTONG_RELAY_CORE_PLACES_H_

#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "relay/core/origin.h"
#include "relay/core/sender.h"
#include "relay/core/state.h"
#include "relay/core/sync.h"

namespace guantong {

// Tells a neighbour where the node stands, at most once a second.
void TellPlace(Core& core, Turn& turn, Peer& peer, const std::string& node_id);

class Places {
 public:
  Places(Core* core, Origin* origin, Sender* sender, Wants* wants, Sync* sync)
      : core_(*core), origin_(*origin), sender_(*sender), wants_(*wants), sync_(*sync) {}

  // After LoadFeeds. Where this node itself stood at its last run, and stands elsewhere now, all
  // below it does too. `writes` belong into the first commit.
  absl::Status Load(WriteSet* writes);

  // A record or snapshot of `feed` by this signer is about to be taken in as its newest.
  void Proved(Turn& turn, FeedState& feed, const VerifiedChain& signer, const std::string& chain);

  // True when `peer` gives what was signed at a place behind it that its signer has left: the peer
  // is told, and what it gives is none of ours.
  bool Outdated(Turn& turn, Peer& peer, const VerifiedChain& signer);

  // At the start of a session: who went elsewhere, to a child that may have missed it.
  void Greet(Turn& turn, Peer& peer);

  // From the parent: where a node stands. From a child: where it stood as far as the child knows,
  // which is told a later place; what is not known here is asked of the parent.
  void OnMoved(Turn& turn, Peer& peer, const v1::Moved& moved);

  // The parent does not give what is held here of somebody beside us: it is asked where that is.
  void NotGiven(Turn& turn, Peer& peer, const FeedKey& key);

  // What stood below this node when it moved, and has said nothing since, may have left before
  // that: the parent is asked, of some at a time.
  void AskAboutUnproved(Turn& turn, Peer& peer);

  // This node stands elsewhere: who is above it now may have been below it, and has left without
  // its hearing of it.
  void FindAncestors(Turn& turn);

  // At the end of a step: what is wanted of each neighbour, where places have changed.
  void Settle(Turn& turn);

 private:
  void LoadFeed(bool moved, bool joined, const NodePath& from, FeedState& feed, WriteSet* writes);
  absl::Status LoadDeparted(bool moved, WriteSet* writes);
  void CountBelow(const NodePath& from);
  // A node stands where `chain` proves, if that is newer than what is known.
  void Stands(Turn& turn, const std::string& chain);
  // What stood below a node that is above this one now went with it: nobody tells us of each.
  void TakeAlong(Turn& turn, const NodePath& from, const NodePath& to);
  std::optional<NodePath> FormerPlace(const std::string& node_id, const NodePath& now) const;
  std::optional<NodePath> NamedAt(const std::string& node_id, const NodePath& now) const;
  void Set(FeedState& feed, const NodePath& path);
  void Relocate(Turn& turn, const std::string& node_id, const NodePath& from);
  void Depart(Turn& turn, const std::string& node_id, const NodePath& from);
  void AskAbove(Turn& turn, const Peer& asker, const std::string& node_id,
                const std::string& chain);
  void Answer(Turn& turn, const std::string& node_id, const std::string& chain);
  bool LeavesScope(const Peer& peer, const NodePath& from, const NodePath& to) const;

  Core& core_;
  Origin& origin_;
  Sender& sender_;
  Wants& wants_;
  Sync& sync_;
  std::map<std::string, std::set<std::string>> asked_;  // NodeId -> NodeIds of children that ask
  FeedKey unproved_asked_;                              // the last one asked about
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_PLACES_H_
