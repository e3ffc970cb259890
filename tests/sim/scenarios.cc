#include "tests/sim/scenario.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace guantong::sim {

namespace {

Scenario Calm() {
  return {.name = "calm", .about = "nothing goes wrong"};
}

Scenario Crashes() {
  Scenario scenario{.name = "crashes", .about = "any node crashes at any moment and comes back"};
  scenario.faults.crash_every = absl::Seconds(6);
  scenario.disk.commit_max = absl::Milliseconds(300);
  return scenario;
}

Scenario Cuts() {
  Scenario scenario{.name = "cuts", .about = "links go silent, both ways or one way, and come back"};
  scenario.faults.cut_every = absl::Seconds(7);
  return scenario;
}

Scenario Lossy() {
  Scenario scenario{.name = "lossy", .about = "frames are lost, repeated and overtaken within a session"};
  scenario.weather.loss = 0.03;
  scenario.weather.repeat = 0.03;
  scenario.weather.overtake = 0.05;
  return scenario;
}

Scenario Slow() {
  Scenario scenario{.name = "slow", .about = "50 kbit/s, 300 ms, slow disks, large rows"};
  scenario.weather.bytes_per_second = 6250;
  scenario.weather.delay_min = absl::Milliseconds(200);
  scenario.weather.delay_max = absl::Milliseconds(400);
  scenario.disk.commit_max = absl::Seconds(1);
  scenario.work.row_bytes = 400;
  return scenario;
}

Scenario Tight() {
  Scenario scenario = Crashes();
  scenario.name = "tight";
  scenario.about = "logs and windows of a few batches: neighbours need snapshots all the time, and crash";
  scenario.faults.crash_every = absl::Seconds(15);
  scenario.faults.cut_every = absl::Seconds(15);
  scenario.tight = true;
  return scenario;
}

Scenario Chunks() {
  Scenario scenario = Tight();
  scenario.name = "chunks";
  scenario.about = "snapshots of many chunks, under crashes and cuts";
  scenario.work.row_bytes = 200'000;
  scenario.work.replace = 0;
  scenario.work.datasets = 2;
  scenario.work.unshared = 0;
  scenario.work.push_every = absl::Seconds(8);
  scenario.engine.feed_log_bytes_max = 1 << 20;
  scenario.tight = false;
  return scenario;
}

Scenario Away() {
  Scenario scenario{.name = "away", .about = "one branch is cut off for 30 days and works on"};
  scenario.faults.parent_away = 30 * absl::Hours(24);
  scenario.work.lasts = scenario.faults.parent_away;
  scenario.work.push_every = absl::Hours(3);
  scenario.work.entry_every = absl::Hours(3);
  scenario.work.subscribe_every = absl::Hours(12);
  scenario.work.call_every = absl::Hours(3);
  scenario.work.probe_every = absl::Hours(2);
  scenario.work.schema_every = 10 * absl::Hours(24);
  scenario.engine.sync_every = absl::Minutes(30);
  scenario.heal_within = absl::Minutes(35);
  return scenario;
}

Scenario Backup() {
  Scenario scenario{.name = "backup", .about = "nodes come back with an older store and take their tail back"};
  scenario.faults.restore_every = absl::Seconds(40);
  return scenario;
}

Scenario Fork() {
  Scenario scenario = Backup();
  scenario.name = "fork";
  scenario.about = "nodes come back with an older store, cut off, and write before they hear of anybody";
  scenario.faults.restored_alone = true;
  scenario.faults.cut_every = absl::Seconds(10);
  scenario.faults.cut_max = absl::Minutes(1);
  return scenario;
}

Scenario Storm() {
  Scenario scenario = Lossy();
  scenario.name = "storm";
  scenario.about = "crashes, cuts, loss, repeats, overtaking, short logs, all at once";
  scenario.faults.crash_every = absl::Seconds(12);
  scenario.faults.cut_every = absl::Seconds(12);
  scenario.disk.commit_max = absl::Milliseconds(300);
  scenario.tight = true;
  return scenario;
}

}  // namespace

const std::vector<Scenario>& Scenarios() {
  static const auto* scenarios = new std::vector<Scenario>{Calm(),   Crashes(), Cuts(), Lossy(),  Slow(), Tight(),
                                                           Chunks(), Away(),    Backup(), Fork(), Storm()};
  return *scenarios;
}

std::optional<Scenario> FindScenario(absl::string_view name) {
  constexpr absl::string_view kSmall = "/small";
  const bool small = absl::EndsWith(name, kSmall);
  const absl::string_view plain = name.substr(0, name.size() - (small ? kSmall.size() : 0));
  for (Scenario scenario : Scenarios()) {
    if (scenario.name != plain) continue;
    if (small) {
      scenario.name = std::string(name);
      scenario.fan_outs = {2, 1, 1};
      scenario.work.datasets = std::min(scenario.work.datasets, 3);
      scenario.work.lasts = std::min(scenario.work.lasts, absl::Seconds(75));
    }
    return scenario;
  }
  return std::nullopt;
}

}  // namespace guantong::sim
