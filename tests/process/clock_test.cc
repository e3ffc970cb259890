// Clocks that are set while a node runs, by a day and both ways. The daemons run with a preloaded
// library (shifted_clock) whose file the test writes.
#include "absl/time/clock.h"

#include <iostream>
#include <map>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/set_clock.h"

namespace guantong::test {
namespace {

constexpr int64_t kDay = 86'400;
// All nodes live so long after the machine, whose clock is that of the certificates' first day: a
// clock set back by a day stands within their time.
constexpr int64_t kRight = 3 * kDay;

class ClockLine {
 public:
  ClockLine()
      : network(FourLevels()),
        county(network["630102"]),
        code(county.Editor().Publish(CodeAndName("名录"), network.folder().path())) {
    for (Node* node : network.nodes()) {
      clocks.emplace(node->place().division,
                     std::make_unique<SetClock>(node, network.folder(), kRight));
    }
    for (Node* node : network.nodes()) {
      if (!node->place().parent.empty()) network.UntilLinked(*node);
    }
    Push();
    for (Node* node : network.nodes()) {
      if (node == &county) continue;
      network.Until("the entry is known", [&] {
        return node->Editor().Try({"subscribe", code}).ok();
      });
    }
    UntilEverywhere();
  }

  // Ten more rows; true when they were acknowledged.
  bool Push() {
    const Outcome pushed = county.Editor().Try(
        {"push", code, network.folder().File("rows.csv", CodeAndNameRows(rows, rows + 10, "行"))});
    last = pushed;
    if (pushed.ok()) rows += 10;
    return pushed.ok();
  }
  void UntilPushed() {
    network.Until(
        "a push is taken again", [&] { return Push(); }, absl::Seconds(60));
  }
  absl::Duration UntilEverywhere() {
    const absl::Time started = absl::Now();
    const std::string all = network.folder().File("all.csv", CodeAndNameRows(0, rows, "行"));
    network.UntilEqual(code, DigestOfCsv(all), network.nodes());
    return absl::Now() - started;
  }

  void Set(const std::string& division, int64_t ahead) { clocks.at(division)->Set(kRight + ahead); }

  Network network;
  std::map<std::string, std::unique_ptr<SetClock>> clocks;
  Node& county;
  std::string code;
  int rows = 0;
  Outcome last;
};

TEST_CASE(
    "an origin whose clock is a day ahead stops signing, says so, and goes on when it is right") {
  ClockLine line;
  line.Set("630102", kDay);
  // What is pushed before the neighbours have said so may be taken; then nothing.
  line.network.Until("a push is refused",
                     [&] { return !line.Push() && ReasonOf(line.last) == "clock_ahead"; });
  CHECK(line.last.exit_status == 5);
  CHECK(ErrorOf(line.last).value("remedy", "") != "");
  const nlohmann::json doctor = line.county.Operator().Try({"doctor"}).json();
  INFO(doctor.dump());
  bool found = false;
  for (const nlohmann::json& finding : doctor.at("findings")) {
    found = found || (finding.at("check") == "clock" && finding.value("ok", false) == false);
  }
  CHECK(found);
  const nlohmann::json status = line.county.Status();
  INFO(status.dump());
  CHECK(absl::StrContains(status.at("parent").value("text", ""), "ten minutes ahead"));

  line.Set("630102", 0);
  line.UntilPushed();
  std::cout << "clock a day ahead and right again: " << line.rows
            << " rows acknowledged, everywhere after " << line.UntilEverywhere() << std::endl;
  for (Node* node : line.network.nodes()) {
    CHECK(node->Operator().Do({"verify"}).at("faults").empty());
  }
}

TEST_CASE("a clock set a day back loses nothing, at the origin or on the way") {
  ClockLine line;
  for (const char* division : {"630102", "630100"}) {
    Node& node = line.network[division];
    INFO(node.place().name);
    line.Set(division, -kDay);
    line.UntilPushed();
    // A relay a day behind takes what its neighbours sign for signed ahead; the origin goes on.
    if (division == std::string("630102")) line.UntilEverywhere();
    line.Set(division, 0);
    line.UntilPushed();
    std::cout << "clock of " << node.place().name << " a day back and right again: " << line.rows
              << " rows acknowledged, everywhere after " << line.UntilEverywhere() << std::endl;
  }
}

TEST_CASE("a clock on the way set a day ahead loses nothing", "[.][long]") {
  ClockLine line;
  line.Set("630100", kDay);
  line.UntilPushed();
  line.Set("630100", 0);
  line.UntilPushed();
  std::cout << "clock on the way a day ahead and right again: everywhere after "
            << line.UntilEverywhere() << std::endl;
}

}  // namespace
}  // namespace guantong::test
