// Many small worlds: safety under the scenario's faults, then progress. `sim --scenario NAME/small
// --seed N --trace` replays a failure.
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
  uint64_t restored_again = 0;
  uint64_t damaged = 0;
  uint64_t lies = 0;
  uint64_t moves = 0;
  uint64_t joins = 0;
};

Seen RunSeeds(const std::string& name, uint64_t seeds) {
  Seen seen;
  const absl::StatusOr<Scenario> scenario = LoadScenario(name + "/small");
  REQUIRE(scenario.ok());
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = Run(*scenario, seed);
    INFO("sim --scenario " << name << "/small"
                           << " --seed " << seed << " --trace: " << outcome.text);
    CHECK(outcome.verdict == Outcome::Verdict::kGood);
    seen.pushes += outcome.ledger.pushes;
    seen.probes += outcome.ledger.probes;
    seen.answered += outcome.ledger.calls_answered;
    seen.crashes += outcome.ledger.crashes;
    seen.restored_again += outcome.ledger.restored_again;
    seen.damaged += outcome.damaged;
    seen.lies += outcome.ledger.lies;
    seen.moves += outcome.ledger.moves;
    seen.joins += outcome.ledger.joins;
  }
  CHECK(seen.pushes > 10 * seeds);
  CHECK(seen.probes > 50 * seeds);
  CHECK(seen.answered > 10 * seeds);
  return seen;
}

TEST_CASE("a calm network converges") { RunSeeds("calm", 10); }

TEST_CASE("nothing acknowledged is lost when nodes crash") {
  CHECK(RunSeeds("crashes", 32).crashes > 250);
}

TEST_CASE("links that go silent cost time and nothing else") { RunSeeds("cuts", 27); }

TEST_CASE("frames that are lost, repeated and overtaken within a session") {
  RunSeeds("lossy", 27);
}

TEST_CASE("neighbours whose position the log no longer reaches load snapshots") {
  RunSeeds("tight", 27);
}

TEST_CASE("a store restored from a backup takes its tail back") { RunSeeds("backup", 27); }

TEST_CASE("an origin that forked opens an epoch and all copies follow it") { RunSeeds("fork", 27); }

TEST_CASE("an old backup restored twice") { CHECK(RunSeeds("twice", 20).restored_again > 2); }

TEST_CASE("a node restored by command waits for its neighbours by itself") {
  RunSeeds("restore", 20);
}

TEST_CASE("clogged links and links that go silent one way") { RunSeeds("clogged", 15); }

TEST_CASE("bytes that change on the way, records that are none") {
  CHECK(RunSeeds("damage", 15).damaged > 15);
}

TEST_CASE("nodes of a later version among those of today") { RunSeeds("versions", 15); }

TEST_CASE("a leaf that lies costs nobody else anything") {
  CHECK(RunSeeds("hostile", 20).lies > 50);
}

TEST_CASE("branches that move to another parent, under crashes and cuts") {
  CHECK(RunSeeds("moves", 15).moves > 10);
}

TEST_CASE("stand-alone branches that join, under crashes and cuts") {
  CHECK(RunSeeds("joins", 15).joins > 15);
}

TEST_CASE("everything at once") { CHECK(RunSeeds("storm", 27).crashes > 100); }

// A relay gave the snapshot of a feed as it had been signed at the place its origin had left, which
// nobody who wants it by scope takes.
TEST_CASE("snapshots are given as signed where their origin stands: a world that showed it") {
  const absl::StatusOr<Scenario> scenario = LoadScenario("joins/mid");
  REQUIRE(scenario.ok());
  const Outcome outcome = Run(*scenario, 6105);
  INFO(outcome.text);
  CHECK(outcome.verdict == Outcome::Verdict::kGood);
}

}  // namespace
}  // namespace guantong::sim
