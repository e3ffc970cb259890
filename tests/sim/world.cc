#include "tests/sim/world.h"

#include <algorithm>
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
    ledger_.node_ids.insert(nodes_[i]->id());
    if (i == 0) continue;
    children_[places_[i].parent].push_back(i);
    network_.Join(nodes_[i].get(), nodes_[places_[i].parent].get());
  }
  network_.SetGate([this](Node& child, Node& parent) { return !RenewedFirst(child, parent); });
  FindReach();
  if (scenario_.faults().alone() > 0) {
    Random random = random_.Fork("alone");
    BeginAlone(random);
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
  const bool members = scenario_.faults().alone() > 0 || scenario_.faults().move_every_s() > 0;
  for (size_t i = 1; members && i < places_.size(); ++i) {
    if (std::count(alone_.begin(), alone_.end(), i) == 0)
      Admit(places_[i].parent, i, std::string(places_[i].path.Label()), [](const std::string&) {});
  }
}

void World::FindReach() {
  reach_.assign(places_.size(), {});
  // Whoever moved may stand before its parent in the order of growth.
  for (size_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[i];
    const bool province = place.scope == CatalogScope::kProvince && place.path.depth() > 1;
    for (size_t at = i;; at = places_[at].parent) {
      reach_[at].country |= place.scope == CatalogScope::kCountry;
      if (province) reach_[at].provinces.insert(place.path.Ancestor(1).text());
      if (at == 0) break;
    }
  }
}

EngineOptions World::OptionsFor(Random& shape) const {
  const EnginePlan& plan = scenario_.engine();
  EngineOptions options;
  // Pushes are small here: most of them are to make blocks.
  options.table = {.puts_rows_max = 2};
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

// --- nodes that stand elsewhere ------------------------------------------------------------------

bool World::Above(size_t above, size_t index) const {
  while (index != above && index != 0) index = places_[index].parent;
  return index == above;
}

bool World::Move(size_t index, size_t parent, absl::Duration down) {
  size_t deepest = 0;
  for (size_t i = 0; i < places_.size(); ++i) {
    if (Above(index, i)) deepest = std::max(deepest, places_[i].path.depth());
  }
  const size_t before = places_[index].path.depth();
  const bool too_deep = places_[parent].path.depth() + 1 + deepest - before > kPathDepthMax;
  if (index == 0 || Above(index, parent) || places_[index].parent == parent || too_deep ||
      !SameNetwork(index, parent) || !Renewed(index) || !node(parent).up()) {
    return false;
  }
  Admit(parent, index, absl::StrCat("m", ++moves_),
        [=, this](const std::string& label) { Moved(index, parent, label, down); });
  return true;
}

bool World::Renewed(size_t index) const {
  v1::CertificateChain above = node(index).identity().chain;
  above.mutable_certificates()->DeleteSubrange(0, 1);
  return ChainDigest(above) == ChainDigest(node(places_[index].parent).identity().chain);
}

// As the parent's enrolment does it.
void World::Admit(size_t parent, size_t index, const std::string& label,
                  std::function<void(const std::string& label)> admitted) {
  AppendRecords event{.kind = v1::FEED_KIND_MEMBERSHIP, .records = {}, .author = ""};
  v1::Member* member = event.records.emplace_back().mutable_member();
  member->set_node_id(node(index).id());
  member->set_path(node(parent).path().Child(label).text());
  member->mutable_admitted_at()->set_seconds(absl::ToUnixSeconds(schedule_.now()));
  event.token = node(parent).Expect([=, this](const WriteDone* done) {
    if (done == nullptr || !done->status.ok()) return;
    // Not from within the parent's step.
    schedule_.After(absl::ZeroDuration(), [=] { admitted(label); });
  });
  node(parent).Step(std::move(event));
}

void World::Moved(size_t index, size_t parent, const std::string& label, absl::Duration down) {
  if (Above(index, parent) || !SameNetwork(index, parent) || !Renewed(index)) return;
  trace_.Note(node(index).name(), absl::StrCat("moves below ", node(parent).name()));
  Crash(index);
  std::erase(children_[places_[index].parent], index);
  children_[parent].push_back(index);
  places_[index].parent = parent;
  const NodePath from = places_[index].path;
  const NodePath to = places_[parent].path.Child(label);
  for (size_t i = 0; i < places_.size(); ++i) {
    if (Above(index, i)) places_[i].path = places_[i].path.Moved(from, to);
  }
  FindReach();
  labels_[index] = label;
  node(index).Become(IssuedBy(node(parent).identity(), node(index).identity(), label));
  network_.Rejoin(EdgeOf(index), &node(parent));
  unsettled_ = true;
  ++ledger_.moves;
  schedule_.After(down, [this, index] { Start(index); });
}

// Leaves the branches' places as they will be.
void World::BeginAlone(Random& random) {
  unsettled_ = true;
  for (int i = 0; i < scenario_.faults().alone(); ++i) {
    const size_t index = 1 + random.Below(places_.size() - 1);
    const bool nested = std::any_of(alone_.begin(), alone_.end(), [&](size_t other) {
      return Above(other, index) || Above(index, other);
    });
    if (nested) continue;
    alone_.push_back(index);
    for (size_t at = index; at < places_.size(); ++at) {
      if (!Above(index, at)) continue;
      labels_[at] = std::string(places_[at].path.Label());
      node(at).Become(at == index ? AloneAs(node(at).identity())
                                  : IssuedBy(node(places_[at].parent).identity(),
                                             node(at).identity(), labels_[at]));
    }
    network_.Cut(EdgeOf(index));
  }
}

void World::JoinAlone(size_t index) {
  const size_t parent = places_[index].parent;
  if (!node(parent).up()) {
    return schedule_.After(absl::Seconds(1), [this, index] { JoinAlone(index); });
  }
  Admit(parent, index, labels_[index], [=, this](const std::string&) { Joined(index, parent); });
}

void World::Joined(size_t index, size_t parent) {
  trace_.Note(node(index).name(), "joins");
  Crash(index);
  node(index).Become(IssuedBy(node(parent).identity(), node(index).identity(), labels_[index]));
  network_.Mend(EdgeOf(index));
  ++ledger_.joins;
  Start(index);
}

// A child whose chain is not the one its parent would issue is renewed, and begins anew.
bool World::RenewedFirst(Node& child, Node& parent) {
  v1::CertificateChain above = child.identity().chain;
  above.mutable_certificates()->DeleteSubrange(0, 1);
  if (above.SerializeAsString() == parent.identity().chain.SerializeAsString()) return false;
  const size_t index = child.index();
  if (parent.index() != places_[index].parent) return true;
  schedule_.After(absl::ZeroDuration(), [this, index, parent = parent.index()] {
    if (!node(index).up() || places_[index].parent != parent) return;
    const std::string label(node(index).path().Label());
    const auto admitted = labels_.find(index);
    trace_.Note(node(index).name(), "is renewed");
    Crash(index);
    node(index).Become(IssuedBy(node(parent).identity(), node(index).identity(),
                                admitted == labels_.end() ? label : admitted->second));
    Start(index);
  });
  return true;
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
