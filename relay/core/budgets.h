// What a child may cost its parent on disk (L6): logs and snapshot chunks that are kept here only
// because it wants them. Over its budget its logs are cut first (it comes back by snapshot), then
// feeds are paused: not fetched and not kept until there is room again.
#ifndef GUANTONG_RELAY_CORE_BUDGETS_H_
#define GUANTONG_RELAY_CORE_BUDGETS_H_

#include "relay/core/sender.h"
#include "relay/core/state.h"

namespace guantong {

// Bytes kept here for this child: of every feed it wants that is neither ours nor subscribed here.
// A feed two children want is charged to both.
uint64_t KeptFor(const Core& core, const std::string& node_id);

class Budgets {
 public:
  Budgets(Core* core, Sender* sender, Wants* wants)
      : core_(*core), sender_(*sender), wants_(*wants) {}

  // Each minute, and whenever what is in transit has grown by an eighth of a budget: cost follows
  // what the children want.
  void Enforce(Turn& turn);
  bool Due() const { return core_.transit_grown > core_.options.child_disk_bytes / 8; }

  // Says to the child that the feed waits for room.
  void SayPaused(Turn& turn, const Peer& peer, const WantedFeed& wanted) const;

 private:
  void Cut(Turn& turn, const std::string& node_id, uint64_t kept);

  Core& core_;
  Sender& sender_;
  Wants& wants_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_BUDGETS_H_
