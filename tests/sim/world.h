// A tree of nodes, its network, its clients and its faults, run by one seed: work under faults,
// then healing, then the question whether everything is as promised.
#ifndef GUANTONG_TESTS_SIM_WORLD_H_
#define GUANTONG_TESTS_SIM_WORLD_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/later_version.h"
#include "tests/sim/ledger.h"
#include "tests/sim/liar.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"
#include "tests/sim/random.h"
#include "tests/sim/scenario.h"
#include "tests/sim/schedule.h"
#include "tests/sim/shape.h"
#include "tests/sim/trace.h"

namespace guantong::sim {

class World : public Surroundings {
 public:
  World(const Scenario& scenario, uint64_t seed, std::ostream* trace_out);

  const Scenario& scenario() const { return scenario_; }
  Schedule& schedule() { return schedule_; }
  Trace& trace() { return trace_; }
  Network& network() { return network_; }
  Ledger& ledger() { return ledger_; }
  const Ledger& ledger() const { return ledger_; }
  Random RandomFor(absl::string_view name) const { return random_.Fork(name); }

  size_t size() const { return nodes_.size(); }
  Node& node(size_t index) { return *nodes_[index]; }
  const Node& node(size_t index) const { return *nodes_[index]; }
  const Place& place(size_t index) const { return places_[index]; }
  const std::vector<size_t>& children(size_t index) const { return children_[index]; }
  // Whose catalogues somebody at or below the node may look at.
  struct Reach {
    bool country = false;
    std::set<std::string> provinces;
  };
  const Reach& reach(size_t index) const { return reach_[index]; }
  // The edge from a node to its parent; the root (node 0) has none.
  size_t EdgeOf(size_t node) const { return node - 1; }

  // A leaf whose wire lies: what it has, and what is of it, is promised to nobody.
  bool hostile(size_t index) const { return liars_.count(index) > 0; }

  // The node goes down, and comes up below `parent` with all that is below it. False where it
  // cannot.
  bool Move(size_t index, size_t parent, absl::Duration down);
  // Nodes that begin as roots of networks of their own, and the moment one joins the others.
  const std::vector<size_t>& alone() const { return alone_; }
  void JoinAlone(size_t index);
  bool SameNetwork(size_t a, size_t b) const { return node(a).network() == node(b).network(); }
  // Some nodes stand elsewhere than in the beginning.
  bool unsettled() const { return unsettled_; }
  void Settled() { unsettled_ = false; }

  void Crash(size_t index);
  void Start(size_t index);

  // A node that was restored takes no writes before all its neighbours have had the time to tell
  // what they hold of it.
  void HoldWrites(size_t index) { held_.insert(index); }
  bool TakesWrites(size_t index);

  // The node with this id.
  std::optional<size_t> Find(const std::string& node_id) const;

  // The first thing that went wrong, empty while nothing did.
  const std::string& wrong() const { return wrong_; }
  void Wrong(std::string what) override;

 private:
  EngineOptions OptionsFor(Random& shape) const;
  void BeginAlone(Random& random);
  void FindReach();
  bool Above(size_t above, size_t index) const;
  void Admit(size_t parent, size_t index, const std::string& label,
             std::function<void(const std::string& label)> admitted);
  bool Renewed(size_t index) const;
  void Moved(size_t index, size_t parent, const std::string& label, absl::Duration down);
  void Joined(size_t index, size_t parent);
  bool RenewedFirst(Node& child, Node& parent);
  void Carry(Node& from, const Send& send) override;
  void Close(Node& at, const CloseLink& close) override { network_.Close(at, close.link); }
  void Execute(Node& at, CallDelivery delivery) override;

  Scenario scenario_;
  Random random_;
  Random calls_;
  Schedule schedule_;
  Trace trace_;
  Network network_;
  Ledger ledger_;
  std::vector<Place> places_;
  std::vector<std::vector<size_t>> children_;
  std::vector<Reach> reach_;
  std::map<std::string, size_t> by_id_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<absl::Time> started_;
  std::map<size_t, Liar> liars_;
  std::map<size_t, LaterVersion> later_;
  std::set<size_t> held_;
  std::vector<size_t> alone_;
  std::map<size_t, std::string> labels_;  // by which the next parent admits the node
  uint64_t moves_ = 0;
  bool unsettled_ = false;
  std::string wrong_;
};

struct Outcome {
  enum class Verdict { kGood, kNoProgress, kWrong };
  Verdict verdict = Verdict::kGood;
  std::string text;
  size_t nodes = 0;
  uint64_t records = 0;
  absl::Duration virtual_time;
  absl::Duration healed_after;
  uint64_t trace_hash = 0;
  uint64_t damaged = 0;  // frames
  Ledger ledger;
};

// One whole run.
Outcome Run(const Scenario& scenario, uint64_t seed, std::ostream* trace_out = nullptr);

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_WORLD_H_
