// sim --scenario NAME --seed N [--seeds COUNT] [--trace]; NAME: files in scenarios/ joined by "/", or a file ending in ".txt".
// Exit: 0 good, 1 usage, 2 no progress, 3 wrong. With --seeds it goes on after failures and exits with the worst.
#include <algorithm>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "tests/sim/world.h"

namespace {

using guantong::sim::Outcome;

int Usage() {
  std::cerr << "usage: sim --scenario NAME --seed N [--seeds COUNT] [--trace]\n";
  for (const std::string& name : guantong::sim::ScenarioNames()) {
    const auto scenario = guantong::sim::LoadScenario(name);
    std::cerr << absl::StrFormat("  %-10s %s\n", name, scenario.ok() ? scenario->about() : "does not load");
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

}  // namespace

int main(int argc, char** argv) {
  std::string name;
  uint64_t seed = 1;
  uint64_t seeds = 1;
  bool trace = false;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--trace") {
      trace = true;
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
  if (name.empty()) return Usage();
  const auto scenario = guantong::sim::LoadScenario(name);
  if (!scenario.ok()) {
    std::cerr << scenario.status().message() << "\n";
    return 1;
  }

  int worst = 0;
  for (uint64_t at = seed; at < seed + seeds; ++at) {
    const Outcome outcome = Run(*scenario, at, trace ? &std::cout : nullptr);
    const int exit = ExitOf(outcome.verdict);
    worst = std::max(worst, exit);
    if (exit != 0) std::cout << (exit == 2 ? "no progress: " : "wrong: ") << outcome.text << "\n";
    std::cout << absl::StrFormat("%s seed %d: %d nodes, %d records, %.0f s, healed in %.0f s, trace %016x\n", name, at,
                                 outcome.nodes, outcome.records, absl::ToDoubleSeconds(outcome.virtual_time),
                                 absl::ToDoubleSeconds(outcome.healed_after), outcome.trace_hash);
  }
  return worst;
}
