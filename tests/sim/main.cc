// sim --scenario NAME --seed N [--seeds COUNT] [--trace]; NAME: files in scenarios/ joined by "/",
// or a file ending in ".txt". sim --slow [--seed N]: all scenarios over trees of 20 to 90 nodes,
// and the country, for many seeds. Exit: 0 good, 1 usage, 2 no progress, 3 wrong. With --seeds it
// goes on after failures and exits with the worst.
#include <algorithm>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "tests/sim/world.h"

namespace {

using guantong::sim::LoadScenario;
using guantong::sim::Outcome;
using guantong::sim::Run;
using guantong::sim::Scenario;
using guantong::sim::ScenarioNames;

int Usage() {
  std::cerr << "usage: sim --scenario NAME --seed N [--seeds COUNT] [--trace]\n"
            << "       sim --slow [--seed N]\n";
  for (const std::string& name : ScenarioNames()) {
    const auto scenario = LoadScenario(name);
    std::cerr << absl::StrFormat("  %-10s %s\n", name,
                                 scenario.ok() ? scenario->about() : "does not load");
  }
  return 1;
}

int ExitOf(Outcome::Verdict verdict) {
  switch (verdict) {
    case Outcome::Verdict::kGood:
      return 0;
    case Outcome::Verdict::kNoProgress:
      return 2;
    case Outcome::Verdict::kWrong:
      return 3;
  }
  return 3;
}

// Every scenario over trees of 20 to 90 nodes, then the country with other seeds.
constexpr uint64_t kSlowMidSeeds = 20;
constexpr uint64_t kSlowCountrySeeds = 3;

int RunSeeds(const std::string& name, const Scenario& scenario, uint64_t first, uint64_t count,
             bool trace) {
  int worst = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = Run(scenario, seed, trace ? &std::cout : nullptr);
    const int exit = ExitOf(outcome.verdict);
    worst = std::max(worst, exit);
    if (exit != 0) std::cout << (exit == 2 ? "no progress: " : "wrong: ") << outcome.text << "\n";
    std::cout << absl::StrFormat(
                     "%s seed %d: %d nodes, %d records, %.0f s, healed in %.0f s, trace %016x\n",
                     name, seed, outcome.nodes, outcome.records,
                     absl::ToDoubleSeconds(outcome.virtual_time),
                     absl::ToDoubleSeconds(outcome.healed_after), outcome.trace_hash)
              << std::flush;
  }
  return worst;
}

int RunSlow(uint64_t first) {
  int worst = 0;
  for (const std::string& part : ScenarioNames()) {
    if (part == "mid" || part == "small" || part == "country") continue;
    const std::string name = "mid/" + part;
    worst = std::max(worst, RunSeeds(name, *LoadScenario(name), first, kSlowMidSeeds, false));
  }
  return std::max(worst,
                  RunSeeds("country", *LoadScenario("country"), first, kSlowCountrySeeds, false));
}

}  // namespace

int main(int argc, char** argv) {
  std::string name;
  uint64_t seed = 1;
  uint64_t seeds = 1;
  bool trace = false;
  bool slow = false;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--trace" || flag == "--slow") {
      (flag == "--trace" ? trace : slow) = true;
      continue;
    }
    if (i + 1 >= argc) return Usage();
    const std::string value = argv[++i];
    const bool good = flag == "--scenario" ? (name = value, true)
                      : flag == "--seed"   ? absl::SimpleAtoi(value, &seed)
                      : flag == "--seeds"  ? absl::SimpleAtoi(value, &seeds)
                                           : false;
    if (!good) return Usage();
  }
  if (slow && name.empty()) return RunSlow(seed);
  if (slow || name.empty()) return Usage();
  const absl::StatusOr<Scenario> scenario = LoadScenario(name);
  if (!scenario.ok()) {
    std::cerr << scenario.status().message() << "\n";
    return 1;
  }
  return RunSeeds(name, *scenario, seed, seeds, trace);
}
