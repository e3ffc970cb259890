// Comparing positions with a neighbour by range of feed keys: equal digests end it, unequal ranges
// split in sixteen until they are small enough to list. Costs grow with the difference.
#ifndef GUANTONG_RELAY_CORE_SYNC_H_
#define GUANTONG_RELAY_CORE_SYNC_H_

#include <string>
#include <vector>

#include "relay/core/sender.h"
#include "relay/core/state.h"

namespace guantong {

class Sync {
 public:
  Sync(Core* core, Origin* origin, Sender* sender, Wants* wants)
      : core_(*core), origin_(*origin), sender_(*sender), wants_(*wants) {}

  // What we hold of the peer's side, as one range: at the start of a session and every
  // `sync_every`.
  void Offer(Turn& turn, Peer& peer);

  void OnOffer(Turn& turn, Peer& peer, const v1::SyncOffer& offer);
  void OnAsk(Turn& turn, Peer& peer, const v1::SyncAsk& ask);

 private:
  using Held = std::vector<FeedState*>;
  // Feeds of the range that come to us over this link / that flow to the peer.
  Held Incoming(const Peer& peer, absl::string_view prefix) const;
  Held Outflowing(const Peer& peer, absl::string_view prefix) const;
  v1::SyncRange Range(const Held& feeds, const std::string& prefix, bool list) const;
  void Resume(Turn& turn, Peer& peer, const Held& feeds);
  void Compare(Turn& turn, Peer& peer, const Held& feeds, const v1::SyncRange& range);
  void TellOfOthers(Turn& turn, Peer& peer, const Held& feeds, const v1::SyncRange& range);

  Core& core_;
  Origin& origin_;
  Sender& sender_;
  Wants& wants_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_SYNC_H_
