// kill -9 of each node of a line in turn, in the middle of a push nobody has acknowledged; then
// equality at all four levels.
#include <iostream>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

constexpr int kRows = 200'000;

// Sequence of the rows feed of `code` at this node; -1 while it has none.
int64_t SequenceAt(const Node& node, const std::string& code) {
  const Outcome outcome = node.Operator().Try({"feeds", code});
  if (!outcome.ok()) return -1;
  for (const nlohmann::json feeds = outcome.json().at("feeds"); const auto& feed : feeds) {
    if (feed.at("feed").at("kind") == "rows" && feed.contains("position")) {
      return std::stoll(feed.at("position").at("sequence").get<std::string>());
    }
  }
  return -1;
}

// Records that `child` has committed and its neighbour at `path` has not acknowledged.
int64_t LagToward(const Node& node, const std::string& code, const std::string& path) {
  for (const nlohmann::json feeds = node.Operator().Do({"feeds", code}).at("feeds");
       const auto& feed : feeds) {
    for (const auto& downstream : feed.at("downstream")) {
      if (downstream.at("path") == path)
        return std::stoll(downstream.at("lag_records").get<std::string>());
    }
  }
  return 0;
}

class KillLine {
 public:
  KillLine() : network(FourLevels()), county(network["630102"].Editor()) {
    code = county.Publish(CodeAndName("大名录"), network.folder().path());
    county.Do({"push", code, network.folder().File("base.csv", CodeAndNameRows(0, 10, "底"))});
    for (Node* node : Above()) {
      network.Until("the entry is known", [&] {
        return node->Editor().Try({"subscribe", code}).ok();
      });
    }
    network.UntilEqual(code, DigestOfCsv(network.folder().path() + "/base.csv"), network.nodes());
  }

  std::vector<Node*> Above() {
    return {&network["000000"], &network["630000"], &network["630100"]};
  }

  Network network;
  Client county;
  std::string code;
};

TEST_CASE("kill -9 of the origin during an unacknowledged push, and the same batch again") {
  KillLine line;
  Node& origin = line.network["630102"];
  Node& city = line.network["630100"];
  const std::string rows = line.network.folder().File("rows.csv", CodeAndNameRows(0, kRows, "新"));
  const int64_t before = SequenceAt(city, line.code);

  const auto push = line.county.Start({"push", line.code, rows, "--batch", "kill-origin"});
  line.network.Until("the push is under way and seen above",
                     [&] { return SequenceAt(city, line.code) > before || !push->Running(); });
  origin.Pause();
  REQUIRE(push->Running());                           // nobody has told the pusher that it is done
  CHECK(city.Operator().LocalRows(line.code) == 10);  // and nobody reads half of it
  origin.Kill();

  // The pusher sends the batch again by itself; where the node still finishes what it had staged,
  // it hears "try again" and does. However often: one effect, and the same answer.
  origin.Start();
  Outcome pushed = push->Wait(absl::Seconds(60));
  line.network.Until("the batch is taken", [&] {
    if (pushed.ok()) return true;
    INFO(pushed.Text());
    CHECK(pushed.exit_status == 5);
    pushed = line.county.Try({"push", line.code, rows, "--batch", "kill-origin"});
    return pushed.ok();
  });
  CHECK(std::stoll(pushed.json().at("inserts").get<std::string>()) == kRows - 10);
  const auto again =
      line.county.Do({"push", line.code, rows, "--batch", "kill-origin"}, absl::Seconds(60));
  CHECK(again.at("repeated_batch") == true);
  CHECK(again.at("commit") == pushed.json().at("commit"));
  line.network.UntilEqual(line.code, DigestOfCsv(rows), line.network.nodes());
}

TEST_CASE("kill -9 of each node above in turn, while it has not acknowledged what it was sent") {
  KillLine line;
  int round = 0;
  const std::vector<std::pair<std::string, std::string>> below = {
      {"630100", "630102"}, {"630000", "630100"}, {"000000", "630000"}};
  for (const auto& [division, sender] : below) {
    Node& victim = line.network[division];
    INFO("victim " << victim.place().name);
    const std::string rows = line.network.folder().File(
        "rows.csv", CodeAndNameRows(0, kRows, absl::StrCat("第", ++round, "轮")));
    const std::string batch = absl::StrCat("kill-", division);
    const int64_t before = SequenceAt(victim, line.code);

    const auto push = line.county.Start({"push", line.code, rows, "--batch", batch});
    line.network.Until("the victim receives",
                       [&] { return SequenceAt(victim, line.code) > before; });
    victim.Pause();
    line.network.Until("its neighbour below has sent more than it acknowledged", [&] {
      return LagToward(line.network[sender], line.code, victim.path()) > 0;
    });
    victim.Kill();

    const Outcome pushed = push->Wait(absl::Seconds(60));
    CHECK(pushed.ok());  // the origin promises for itself, whoever is away above
    victim.Start();
    const auto again =
        line.county.Do({"push", line.code, rows, "--batch", batch}, absl::Seconds(60));
    CHECK(again.at("repeated_batch") == true);
    line.network.UntilEqual(line.code, DigestOfCsv(rows), line.network.nodes());
  }
  for (Node* node : line.network.nodes()) {
    const auto verified = node->Operator().Do({"verify"});
    CHECK(verified.at("faults").empty());
    CHECK(verified.at("batches") != "0");
  }
}

}  // namespace
}  // namespace guantong::test
