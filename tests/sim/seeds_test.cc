// Many small worlds: safety under the scenario's faults, then progress. `sim --scenario NAME/small --seed N --trace` replays a failure.
#include <string>

#include "tests/catch.h"
#include "tests/sim/world.h"

namespace guantong::sim {
namespace {

// What the runs must have met to mean anything.
struct Seen {
  uint64_t pushes = 0;
  uint64_t probes = 0;
  uint64_t answered = 0;
  uint64_t crashes = 0;
};

Seen RunSeeds(const std::string& name, uint64_t seeds) {
  Seen seen;
  const absl::StatusOr<Scenario> scenario = LoadScenario(name + "/small");
  REQUIRE(scenario.ok());
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = Run(*scenario, seed);
    INFO("sim --scenario " << name << "/small" << " --seed " << seed << " --trace: " << outcome.text);
    CHECK(outcome.verdict == Outcome::Verdict::kGood);
    seen.pushes += outcome.ledger.pushes;
    seen.probes += outcome.ledger.probes;
    seen.answered += outcome.ledger.calls_answered;
    seen.crashes += outcome.ledger.crashes;
  }
  CHECK(seen.pushes > 10 * seeds);
  CHECK(seen.probes > 50 * seeds);
  CHECK(seen.answered > 10 * seeds);
  return seen;
}

TEST_CASE("a calm network converges") { RunSeeds("calm", 10); }

TEST_CASE("nothing acknowledged is lost when nodes crash") { CHECK(RunSeeds("crashes", 32).crashes > 250); }

TEST_CASE("links that go silent cost time and nothing else") { RunSeeds("cuts", 27); }

TEST_CASE("frames that are lost, repeated and overtaken within a session") { RunSeeds("lossy", 27); }

TEST_CASE("neighbours whose position the log no longer reaches load snapshots") { RunSeeds("tight", 27); }

TEST_CASE("a store restored from a backup takes its tail back") { RunSeeds("backup", 27); }

TEST_CASE("an origin that forked opens an epoch and all copies follow it") { RunSeeds("fork", 27); }

TEST_CASE("everything at once") { CHECK(RunSeeds("storm", 27).crashes > 100); }

}  // namespace
}  // namespace guantong::sim
