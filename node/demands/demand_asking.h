// What is known of demands: what is held here, and what an ancestor that holds more says of them.
#ifndef GUANTONG_NODE_DEMANDS_DEMAND_ASKING_H_
#define GUANTONG_NODE_DEMANDS_DEMAND_ASKING_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "catalog/demand.h"
#include "catalog/store.h"
#include "guantong/v1/demand.pb.h"
#include "node/calls.h"
#include "node/directory.h"
#include "node/entries/desk.h"
#include "node/rules.h"
#include "node/site.h"

namespace guantong {

struct DemandsFound {
  std::vector<v1::HeldDemand> demands;  // in order of their ids
  bool complete = true;                 // false: nobody above could be asked, or not the highest
  std::string note;
};

// One moment, for as long as a request works on it. One thread.
class DemandSight {
 public:
  DemandSight(const Site* site, const Directory* directory)
      : snapshot_(site->store->Snapshot()), directory_(*directory) {}

  const Reader& snapshot() const { return *snapshot_; }
  // Known here; looked up when first asked for.
  const std::vector<v1::TreeNode>& nodes() {
    if (nodes_.empty()) nodes_ = directory_.Tree(*snapshot_);
    return nodes_;
  }

 private:
  const std::unique_ptr<Reader> snapshot_;
  const Directory& directory_;
  std::vector<v1::TreeNode> nodes_;
};

// Any thread; Find waits for another node.
class DemandAsking {
 public:
  DemandAsking(EntryDesk* desk, const Directory* directory, Calls* calls)
      : desk_(*desk),
        site_(desk->site()),
        directory_(*directory),
        calls_(*calls),
        rules_(desk->rules()) {}

  // Adds what other nodes may ask; before the driver starts.
  void Register();

  // Demands of these ids, and open ones that ask these. `uscc`: on whose behalf.
  DemandsFound Find(const Reader& snapshot, v1::DemandsCall call, const std::string& uscc,
                    absl::Time deadline);
  // The same without asking anybody.
  v1::DemandsReply FindHere(const Reader& snapshot, const v1::DemandsCall& call) const;

  // What follows from the records on this day.
  v1::DemandView ViewOf(DemandSight* sight, const v1::HeldDemand& held) const;

 private:
  bool HoldsAll() const;
  // The hosted division, with an authority here, that both sides of a demand of this node are of;
  // "" there is none.
  std::string HostedAbove(const Reader& snapshot, const v1::Demand& demand,
                          const Addressee& asked) const;

  EntryDesk& desk_;
  const Site& site_;
  const Directory& directory_;
  Calls& calls_;
  Rules& rules_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_DEMANDS_DEMAND_ASKING_H_
