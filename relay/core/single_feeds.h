// Single feeds: what this node subscribes to, and what neighbours tell they want over their link.
#ifndef GUANTONG_RELAY_CORE_SINGLE_FEEDS_H_
#define GUANTONG_RELAY_CORE_SINGLE_FEEDS_H_

#include "relay/core/budgets.h"
#include "relay/core/receiver.h"
#include "relay/core/sender.h"
#include "relay/core/state.h"
#include "relay/core/sync.h"

namespace guantong {

class SingleFeeds {
 public:
  SingleFeeds(Core* core, Origin* origin, Sender* sender, Wants* wants, Sync* sync,
              Receiver* receiver, Budgets* budgets)
      : core_(*core),
        origin_(*origin),
        sender_(*sender),
        wants_(*wants),
        sync_(*sync),
        receiver_(*receiver),
        budgets_(*budgets) {}

  void On(Turn& turn, Subscribe event);
  void On(Turn& turn, Unsubscribe event);

  // An own dataset is shared no more: those who had it hear it, and nothing follows.
  void Narrowed(Turn& turn, const FeedState& feed);

  // A neighbour's wants have changed.
  void OnInterest(Turn& turn, Peer& peer, const v1::InterestDelta& delta);

 private:
  // Own feeds that may not go to the asker; it and all behind it hear why. False when this one may.
  bool RefuseOwn(Turn& turn, Peer& peer, const WantedFeed& wanted);
  void DropCopy(Turn& turn, const FeedKey& key, const NodePath& origin);

  Core& core_;
  Origin& origin_;
  Sender& sender_;
  Wants& wants_;
  Sync& sync_;
  Receiver& receiver_;
  Budgets& budgets_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_SINGLE_FEEDS_H_
