#include <sstream>

#include "tests/catch.h"
#include "tests/sim/random.h"
#include "tests/sim/world.h"

namespace guantong::sim {
namespace {

TEST_CASE("a seed replays to the byte") {
  for (const char* name : {"storm/small", "fork/small"}) {
    const Scenario scenario = *LoadScenario(name);
    const Outcome first = Run(scenario, 7);
    std::ostringstream printed;
    const Outcome again = Run(scenario, 7, &printed);
    const Outcome other = Run(scenario, 8);
    CHECK(first.trace_hash == again.trace_hash);
    CHECK(first.records == again.records);
    CHECK(first.trace_hash != other.trace_hash);
    CHECK_FALSE(printed.str().empty());
  }
}

TEST_CASE("the seed's numbers are the same on every machine") {
  Random random(1);
  CHECK(random.Next() == 12966619160104079557u);
  CHECK(random.Fork("a").Next() != random.Fork("b").Next());
}

}  // namespace
}  // namespace guantong::sim
