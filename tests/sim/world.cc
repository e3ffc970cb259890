#include "tests/sim/world.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "tests/sim/checkers.h"
#include "tests/sim/identity.h"

namespace guantong::sim {

World::World(const Scenario& scenario, uint64_t seed, std::ostream* trace_out)
    : scenario_(scenario),
      random_(seed),
      calls_(random_.Fork("calls")),
      schedule_(Dawn()),
      trace_(&schedule_, trace_out),
      network_(scenario.weather(), random_.Fork("network"), &schedule_, &trace_) {
  Random shape = random_.Fork("shape");
  const EngineOptions options = OptionsFor(shape);
  places_ = Grow(scenario_.shape(), shape);
  children_.resize(places_.size());
  reach_.resize(places_.size());
  nodes_.reserve(places_.size());
  for (size_t i = 0; i < places_.size(); ++i) {
    EngineOptions own = options;
    own.catalog_scope = places_[i].scope;
    nodes_.push_back(std::make_unique<Node>(
        i, IdentityAt(places_[i].path), std::move(own), scenario_.disk(),
        random_.Fork(absl::StrCat("node ", places_[i].path.text())), &schedule_, &trace_, this));
    by_id_[nodes_[i]->id()] = i;
    if (i == 0) continue;
    children_[places_[i].parent].push_back(i);
    network_.Join(nodes_[i].get(), nodes_[places_[i].parent].get());
  }
  for (size_t i = places_.size(); i-- > 0;) {
    Reach& reach = reach_[i];
    reach.country |= places_[i].scope == CatalogScope::kCountry;
    if (places_[i].scope == CatalogScope::kProvince && places_[i].path.depth() > 1) {
      reach.provinces.insert(places_[i].path.Ancestor(1).text());
    }
    if (i == 0) break;
    Reach& above = reach_[places_[i].parent];
    above.country |= reach.country;
    above.provinces.insert(reach.provinces.begin(), reach.provinces.end());
  }
  Random strange = random_.Fork("strange");
  for (size_t i = 0; i < places_.size(); ++i) {
    if (strange.Chance(scenario_.faults().later_version_chance()))
      later_.try_emplace(i, strange.Fork(places_[i].path.text()));
    if (i > 0 && children_[i].empty() && strange.Chance(scenario_.faults().hostile_chance())) {
      liars_.try_emplace(i, strange.Fork(absl::StrCat("liar ", places_[i].path.text())));
    }
  }
  started_.assign(nodes_.size(), schedule_.now());
  for (auto& node : nodes_) node->Start();
}

EngineOptions World::OptionsFor(Random& shape) const {
  const EnginePlan& plan = scenario_.engine();
  EngineOptions options;
  if (plan.has_feed_log_bytes_max()) options.feed_log_bytes_max = plan.feed_log_bytes_max();
  if (plan.has_link_window_bytes()) options.link_window_bytes = plan.link_window_bytes();
  if (plan.has_sync_every_s()) options.sync_every = Seconds(plan.sync_every_s());
  if (plan.has_manifest_idle_s()) options.manifest_idle = Seconds(plan.manifest_idle_s());
  if (plan.tight()) {
    options.feed_log_bytes_max = 600 + shape.Below(4000);
    options.link_window_bytes = 400 + shape.Below(4000);
    // Batches are small here: in half of the worlds some of them pass the others.
    options.urgent_bytes_max = options.link_window_bytes % 2 == 0 ? 0 : 400;
    options.urgent_window_bytes = options.link_window_bytes / 4;
    options.manifest_idle = absl::Seconds(5 + static_cast<int64_t>(shape.Below(60)));
  }
  return options;
}

void World::Crash(size_t index) {
  if (!node(index).up()) return;
  ++ledger_.crashes;
  node(index).Crash();
  network_.Crashed(node(index));
}

void World::Start(size_t index) {
  if (node(index).up()) return;
  node(index).Start();
  started_[index] = schedule_.now();
  network_.Started(node(index));
}

bool World::TakesWrites(size_t index) {
  if (!node(index).up()) return false;
  if (held_.count(index) == 0) return true;
  constexpr absl::Duration kTold = absl::Seconds(10);
  const auto told = [&](size_t i) {
    return node(i).up() && schedule_.now() - started_[i] >= kTold;
  };
  if (!told(index) || !told(places_[index].parent)) return false;
  for (const size_t child : children_[index]) {
    if (!told(child)) return false;
  }
  held_.erase(index);
  return true;
}

std::optional<size_t> World::Find(const std::string& node_id) const {
  auto it = by_id_.find(node_id);
  if (it == by_id_.end()) return std::nullopt;
  return it->second;
}

void World::Wrong(std::string what) {
  trace_.Note("WRONG", what);
  if (wrong_.empty()) wrong_ = std::move(what);
}

void World::Carry(Node& from, const Send& send) {
  CheckPromise(*this, from, *send.frame);
  if (auto liar = liars_.find(from.index()); liar != liars_.end()) {
    for (const Send& lie : liar->second.Twist(send)) {
      if (lie.frame != send.frame) ++ledger_.lies;
      network_.Carry(from, lie);
    }
    return;
  }
  if (auto later = later_.find(from.index()); later != later_.end()) {
    for (const Send& more : later->second.Say(send)) network_.Carry(from, more);
  } else {
    network_.Carry(from, send);
  }
  // Who lies about what it has got is given more, over its own link.
  const Node* to = network_.FarEnd(send.link);
  if (to == nullptr || liars_.count(to->index()) > 0) return;
  CheckWindow(*this, from, send.lane, network_.LoadOf(send.link));
}

// The service of every node: it echoes, mostly in time, sometimes refuses.
void World::Execute(Node& at, CallDelivery delivery) {
  CallOutcome& outcome = ledger_.calls[delivery.call.body()];
  if (++outcome.executions > 1)
    Wrong(absl::StrCat(at.name(), " executes a call twice: ", delivery.call.body()));
  if (delivery.call.target() != at.path().text())
    Wrong(absl::StrCat(at.name(), " got a call for another node"));
  const bool refuses = calls_.Chance(0.1);
  const absl::Duration takes =
      calls_.Chance(0.1) ? absl::Seconds(40) : calls_.Around(absl::Milliseconds(50));
  schedule_.After(takes, [this, index = at.index(), life = at.life(), id = delivery.id,
                          body = absl::StrCat("echo ", delivery.call.body()), refuses] {
    if (node(index).life() != life) return;
    node(index).Step(CallAnswered{
        .id = id,
        .status = refuses ? Error(absl::StatusCode::kNotFound, "nothing_there", "no rows", body)
                          : absl::OkStatus(),
        .body = refuses ? "" : body});
  });
}

}  // namespace guantong::sim
