// A scenario: the shape of the tree, who does what how often, and what goes wrong. All durations are virtual.
#ifndef GUANTONG_TESTS_SIM_SCENARIO_H_
#define GUANTONG_TESTS_SIM_SCENARIO_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "relay/core/engine.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"

namespace guantong::sim {

struct WorkPlan {
  absl::Duration lasts = absl::Minutes(3);
  int datasets = 4;
  double unshared = 0.2;                   // of the datasets
  absl::Duration push_every = absl::Seconds(3);
  double staged = 0.25;                    // pushes in several payloads
  double replace = 0.1;                    // pushes that rewrite everything
  size_t rows_max = 12;                    // changed by a push
  size_t row_bytes = 24;
  absl::Duration entry_every = absl::Seconds(2);
  absl::Duration subscribe_every = absl::Seconds(6);
  absl::Duration call_every = absl::Seconds(2);
  absl::Duration probe_every = absl::Milliseconds(700);
  absl::Duration schema_every = absl::Minutes(2);
};

// Zero: never.
struct FaultPlan {
  absl::Duration crash_every = absl::ZeroDuration();
  absl::Duration down_max = absl::Seconds(20);
  absl::Duration cut_every = absl::ZeroDuration();
  absl::Duration cut_max = absl::Seconds(40);
  double one_way = 0.3;                    // of the cuts
  absl::Duration restore_every = absl::ZeroDuration();   // a node comes back with a store of some time ago
  bool restored_alone = false;             // and writes before it hears of anybody
  absl::Duration parent_away = absl::ZeroDuration();     // once, one edge, for so long
};

struct Scenario {
  std::string name;
  std::string about;
  std::vector<int> fan_outs = {2, 2, 1};   // at most, below each level
  double country_scope = 0.25;
  double province_scope = 0.25;
  EngineOptions engine;
  DiskSpeed disk;
  Weather weather;
  WorkPlan work;
  FaultPlan faults;
  bool tight = false;                      // logs so short that neighbours need snapshots
  absl::Duration heal_within = absl::Minutes(5);
};

const std::vector<Scenario>& Scenarios();
// "NAME", or "NAME/small": fewer nodes and less time, for many seeds.
std::optional<Scenario> FindScenario(absl::string_view name);

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_SCENARIO_H_
