// The whole country once: 3,352 nodes with their full catalogue and a thousand datasets, under
// churn and faults, healed and checked.
#include "tests/catch.h"
#include "tests/sim/scenario.h"
#include "tests/sim/world.h"

namespace guantong::sim {
namespace {

TEST_CASE("the country works, breaks, heals, and nothing is lost") {
  const absl::StatusOr<Scenario> scenario = LoadScenario("country");
  REQUIRE(scenario.ok());
  const Outcome outcome = Run(*scenario, 1);
  INFO("sim --scenario country --seed 1 --trace: " << outcome.text);
  CHECK(outcome.verdict == Outcome::Verdict::kGood);
  CHECK(outcome.nodes == 3352);
  CHECK(outcome.ledger.entries.size() >= 160'000);
  CHECK(outcome.ledger.datasets.size() == 1000);
  CHECK(outcome.records > 160'000);
  CHECK(outcome.ledger.subscriptions.size() > 2500);
  CHECK(outcome.ledger.pushes > 1500);
  CHECK(outcome.ledger.calls_answered > 500);
  CHECK(outcome.ledger.crashes > 200);
  CHECK(outcome.ledger.restores > 5);
}

}  // namespace
}  // namespace guantong::sim
