// Scenarios by name, composed of files.
#ifndef GUANTONG_TESTS_SIM_SCENARIO_H_
#define GUANTONG_TESTS_SIM_SCENARIO_H_

#include <cmath>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/sim/scenario.pb.h"

namespace guantong::sim {

// `name` is files in scenarios/ without ".txt", joined by "/": what a later one says counts
// ("storm/small"). A name that ends in
// ".txt" is one file anywhere. INVALID_ARGUMENT with file, line and cause.
absl::StatusOr<Scenario> LoadScenario(absl::string_view name);

// The same from text; `file` stands in errors.
absl::StatusOr<Scenario> ParseScenario(const std::string& text, const std::string& file);

// All files in scenarios/, by name.
std::vector<std::string> ScenarioNames();

// To the microsecond, which is what the scheduler counts in.
inline absl::Duration Seconds(double seconds) {
  return absl::Microseconds(std::llround(seconds * 1e6));
}

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_SCENARIO_H_
