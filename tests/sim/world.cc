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
      network_(scenario.weather, random_.Fork("network"), &schedule_, &trace_) {
  Random shape = random_.Fork("shape");
  if (scenario_.tight) {
    scenario_.engine.feed_log_bytes_max = 600 + shape.Below(4000);
    scenario_.engine.link_window_bytes = 400 + shape.Below(4000);
    scenario_.engine.manifest_idle = absl::Seconds(5 + static_cast<int64_t>(shape.Below(60)));
  }
  Add(NodePath(), 0, shape);
  Grow(NodePath(), 0, 0, shape);
  started_.assign(nodes_.size(), schedule_.now());
  for (auto& node : nodes_) node->Start();
}

void World::Grow(const NodePath& at, size_t parent, size_t level, Random& shape) {
  if (level >= scenario_.fan_outs.size()) return;
  const int most = scenario_.fan_outs[level];
  const int children = level == 0 ? most : 1 + static_cast<int>(shape.Below(static_cast<uint64_t>(most)));
  for (int child = 0; child < children; ++child) {
    const NodePath path = at.Child(absl::StrCat("n", child + 1));
    Add(path, parent, shape);
    Grow(path, nodes_.size() - 1, level + 1, shape);
  }
}

void World::Add(const NodePath& path, size_t parent, Random& shape) {
  EngineOptions options = scenario_.engine;
  if (!path.is_root()) {
    if (shape.Chance(scenario_.country_scope)) {
      options.catalog_scope = CatalogScope::kCountry;
    } else if (shape.Chance(scenario_.province_scope)) {
      options.catalog_scope = CatalogScope::kProvince;
    }
  }
  const size_t index = nodes_.size();
  nodes_.push_back(std::make_unique<Node>(index, IdentityAt(path), options, scenario_.disk,
                                          random_.Fork(absl::StrCat("node ", path.text())), &schedule_, &trace_,
                                          this));
  if (index > 0) network_.Join(nodes_[index].get(), nodes_[parent].get());
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
  for (size_t i = 0; i < size(); ++i) {
    const bool neighbour = i != index && (node(i).path().Parent() == node(index).path() ||
                                          node(index).path().Parent() == node(i).path());
    if ((neighbour || i == index) && (!node(i).up() || schedule_.now() - started_[i] < kTold)) return false;
  }
  held_.erase(index);
  return true;
}

void World::Wrong(std::string what) {
  trace_.Note("WRONG", what);
  if (wrong_.empty()) wrong_ = std::move(what);
}

void World::Carry(Node& from, const Send& send) {
  CheckPromise(*this, from, *send.frame);
  network_.Carry(from, send);
}

// The service of every node: it echoes, mostly in time, sometimes refuses.
void World::Execute(Node& at, CallDelivery delivery) {
  CallOutcome& outcome = ledger_.calls[delivery.call.body()];
  if (++outcome.executions > 1) Wrong(absl::StrCat(at.name(), " executes a call twice: ", delivery.call.body()));
  if (delivery.call.target() != at.path().text()) Wrong(absl::StrCat(at.name(), " got a call for another node"));
  const bool refuses = calls_.Chance(0.1);
  const absl::Duration takes = calls_.Chance(0.1) ? absl::Seconds(40) : calls_.Around(absl::Milliseconds(50));
  schedule_.After(takes, [this, index = at.index(), life = at.life(), id = delivery.id,
                          body = absl::StrCat("echo ", delivery.call.body()), refuses] {
    if (node(index).life() != life) return;
    node(index).Step(CallAnswered{
        .id = id,
        .status = refuses ? Error(absl::StatusCode::kNotFound, "nothing_there", "no rows", body) : absl::OkStatus(),
        .body = refuses ? "" : body});
  });
}

}  // namespace guantong::sim
