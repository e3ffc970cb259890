// Feeds going out: to each peer what it wants, from where it stands, within its window. Log first,
// snapshot when the log no longer reaches back; a peer that does not acknowledge costs its own
// window and nothing else.
#ifndef GUANTONG_RELAY_CORE_SENDER_H_
#define GUANTONG_RELAY_CORE_SENDER_H_

#include "relay/core/disputes.h"
#include "relay/core/log_repair.h"
#include "relay/core/origin.h"
#include "relay/core/state.h"

namespace guantong {

class Sender {
 public:
  Sender(Core* core, Origin* origin, Disputes* disputes, LogRepair* log_repair)
      : core_(*core), origin_(*origin), disputes_(*disputes), log_repair_(*log_repair) {}

  // True when `feed` is to flow to `peer`: it is wanted, may leave, and does not come from there.
  bool Flows(const Peer& peer, const FeedState& feed) const;

  // The peer stands at `have` (without epoch: holds nothing). Starts log or snapshot.
  void StartFrom(Turn& turn, Peer& peer, FeedState& feed, const v1::Position& have);

  // Stops sending the feed to the peer.
  void Stop(Peer& peer, const FeedKey& key);

  // Durable batches of `feed` have come: send them to whoever they flow to.
  void Advance(Turn& turn, FeedState& feed);

  // Another's batch is in order here and on its way to the disk: it goes on to those in step.
  void Forward(Turn& turn, const FeedState& feed);

  void OnAcks(Turn& turn, Peer& peer, const v1::Acks& acks);
  void OnFetch(Turn& turn, Peer& peer, const v1::Fetch& fetch);
  // The peer has seen something behind a gap: sent again from there, once a second at most.
  void OnGap(Turn& turn, Peer& peer, const v1::Fetch& fetch);

  // A manifest of `feed` is held now: to everybody who waits for it and is helped by it.
  void ManifestHeld(Turn& turn, FeedState& feed);

  // Sends again what was not acknowledged in time.
  void ResendStale(Turn& turn, Peer& peer);
  absl::Time NextResend(const Peer& peer) const;

  void Pump(Turn& turn, Peer& peer);

 private:
  // The bytes sent; none when it has gone over this lane before.
  size_t SendChain(Turn& turn, Peer& peer, v1::Lane lane, const std::string& digest);
  bool Room(const Peer& peer, v1::Lane lane) const;
  bool MaySend(const Peer& peer, const Outgoing& out) const;
  void SendNext(Turn& turn, Peer& peer, const FeedKey& key, Outgoing& out, v1::Lane lane,
                const TailBatch& batch);
  v1::Lane LaneOf(const Peer& peer, const Outgoing& out, const FeedState& feed,
                  const TailBatch& batch) const;
  void NeedManifest(Turn& turn, Peer& peer, FeedState& feed, Mark from);
  void RefuseClosed(Turn& turn, Peer& peer, const FeedState& feed);
  void SendManifest(Turn& turn, Peer& peer, FeedState& feed);
  bool ManifestUsable(const FeedState& feed, Mark from) const;
  void AskBack(Turn& turn, const Peer& peer, const FeedState& feed);
  bool MayHave(const Peer& peer, const FeedState& feed) const;
  absl::Time ResendAt(const Outgoing& out) const;
  void Rewind(Peer& peer, const FeedKey& key, Outgoing& out, const v1::Position& to);
  void MarkReady(Peer& peer, const FeedKey& key, Outgoing& out);

  Core& core_;
  Origin& origin_;
  Disputes& disputes_;
  LogRepair& log_repair_;
};

// Our own wants, toward the origin of each feed.
class Wants {
 public:
  explicit Wants(Core* core) : core_(*core) {}

  // Somebody here or behind another link wants the feed.
  bool Wanted(const FeedKey& key, const NodePath& origin_path) const;

  // All we want of this peer, derived from subscriptions, scopes and the other neighbours' wants.
  Interests Desired(const Peer& peer) const;

  // What we want of the neighbour toward `origin_path` may have changed for this feed: tell it.
  void Refresh(Turn& turn, const WantedFeed& feed);

  // The same for scopes, after a neighbour changed its scopes; true when they did change.
  bool RefreshAll(Turn& turn, Peer& peer);

  // Tells again what was asked of this neighbour and has been neither answered nor refused: the
  // first time may have been lost.
  void Remind(Turn& turn, Peer& peer);

  // The scopes of what comes down to us: our own, and what our children want beyond our branch.
  std::vector<WantedScope> FromAbove() const;

 private:
  Core& core_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_SENDER_H_
