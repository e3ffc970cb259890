#include <google/protobuf/stubs/logging.h>

#include "absl/strings/str_cat.h"
#include "tests/sim/checkers.h"
#include "tests/sim/faults.h"
#include "tests/sim/identity.h"
#include "tests/sim/workload.h"
#include "tests/sim/world.h"

namespace guantong::sim {

namespace {

constexpr absl::Duration kLook = absl::Seconds(2);
// What is still on its way when all copies are equal: acknowledgements, and an epoch for a fork
// that an origin answers within a minute.
constexpr absl::Duration kSettle = absl::Seconds(110);
// What nobody at or behind a node is entitled to any more, because nodes stand elsewhere now, is
// gone.
constexpr absl::Duration kDropped = absl::Minutes(14);
// After the last answer nothing may keep moving: long enough for every periodic comparison to come
// by twice.
constexpr absl::Duration kRest = absl::Seconds(70);

// Looks are frequent and most find the same missing still.
struct Look {
  size_t table = 0;
  size_t catalog = 0;

  std::string Awaited(World& world) {
    std::string awaited = AwaitsTables(world, &table);
    return awaited.empty() ? AwaitsCatalogs(world, &catalog) : awaited;
  }
};

// Healed: everything must come within the time the scenario states.
void Converge(World& world, Outcome& outcome) {
  const absl::Time healed = world.schedule().now();
  const absl::Time limit = healed + Seconds(world.scenario().heal_within_s());
  Look look;
  std::string awaited = look.Awaited(world);
  while (!awaited.empty() && world.wrong().empty()) {
    if (world.schedule().now() >= limit) {
      outcome.verdict = Outcome::Verdict::kNoProgress;
      outcome.text = absl::StrCat("still waiting for ", awaited);
      return;
    }
    world.schedule().RunUntil(world.schedule().now() + kLook);
    awaited = look.Awaited(world);
  }
  outcome.healed_after = world.schedule().now() - healed;
  if (!world.wrong().empty()) return;

  world.schedule().RunUntil(world.schedule().now() + kSettle);
  const uint64_t frames = world.network().bulk_frames();
  world.schedule().RunUntil(world.schedule().now() + kRest);
  if (world.network().bulk_frames() != frames) {
    outcome.verdict = Outcome::Verdict::kNoProgress;
    outcome.text = absl::StrCat(world.network().bulk_frames() - frames,
                                " bulk frames although all is in place");
  }
}

}  // namespace

Outcome Run(const Scenario& scenario, uint64_t seed, std::ostream* trace_out) {
  // Damaged frames are what some scenarios are made of.
  google::protobuf::SetLogHandler(nullptr);
  World world(scenario, seed, trace_out);
  Workload workload(&world);
  Faults faults(&world);
  Outcome outcome;

  workload.Start();
  faults.Start();
  const absl::Time end =
      Dawn() + Seconds(scenario.work().beginning_s() +
                       std::max(scenario.work().lasts_s(), scenario.faults().parent_away_s()));
  while (world.schedule().now() < end && world.wrong().empty()) {
    world.schedule().RunUntil(world.schedule().now() + absl::Seconds(10));
  }
  if (world.wrong().empty()) {
    workload.Stop();
    // At their fullest: links are cut and clogged, much is under way.
    for (size_t i = 0; i < world.size() && world.wrong().empty(); ++i) CheckBounds(world, i);
    faults.Heal();
    world.schedule().RunUntil(world.schedule().now() + absl::Seconds(1));
    workload.Settle();
    Converge(world, outcome);
    if (world.unsettled()) {
      world.schedule().RunUntil(world.schedule().now() + kDropped);
      world.Settled();
    }
  }
  for (size_t i = 0; i < world.size() && world.wrong().empty(); ++i) {
    Probe(world, i);
    CheckChains(world, i);
    CheckTwice(world, i);
    CheckInvented(world, i);
    CheckOrder(world, i);
    CheckBounds(world, i);
  }
  if (!world.wrong().empty()) {
    outcome.verdict = Outcome::Verdict::kWrong;
    outcome.text = world.wrong();
  }
  outcome.nodes = world.size();
  outcome.records = world.ledger().records;
  outcome.virtual_time = world.schedule().now() - Dawn();
  outcome.trace_hash = world.trace().hash();
  outcome.ledger = world.ledger();
  outcome.damaged = world.network().damaged();
  return outcome;
}

}  // namespace guantong::sim
