// kill -9 of each node of a line in turn, in the middle of a push nobody has acknowledged; then
// equality at all four levels.
#include <functional>
#include <memory>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

constexpr int kRowsFirst = 100'000;
constexpr int kRowsMax = 1'600'000;

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

// A push that was under way when a node was frozen, and that the node had not acknowledged.
struct Interrupted {
  std::unique_ptr<Process> push;
  std::string rows;  // file
  std::string batch;
  int count = 0;
  std::string before;  // digest of the table where it was watched
};

// Pushes, twice as much each time, until `victim` is caught in the middle: frozen when `watched`
// has seen the first of it, and `unacknowledged` then.
Interrupted Interrupt(KillLine* line, Node& victim, Node& watched,
                      const std::function<bool(Process& push)>& unacknowledged) {
  static int tries = 0;
  // Never fewer than before: a smaller push would leave rows of a larger one.
  static int count = kRowsFirst;
  for (; count <= kRowsMax; count *= 2) {
    Interrupted caught{.batch = absl::StrCat("kill-", ++tries), .count = count};
    caught.rows = line->network.folder().File("rows.csv",
                                              CodeAndNameRows(0, count, absl::StrCat("版", tries)));
    caught.before = watched.Operator().LocalDigest(line->code);
    const int64_t before = SequenceAt(watched, line->code);
    caught.push = line->county.Start({"push", line->code, caught.rows, "--batch", caught.batch});
    line->network.Until("the push is under way",
                        [&] { return SequenceAt(watched, line->code) > before; });
    victim.Pause();
    if (unacknowledged(*caught.push)) return caught;
    victim.Resume();
    if (!caught.push->Wait(absl::Seconds(60)).ok()) break;
    line->network.UntilEqual(line->code, DigestOfCsv(caught.rows), {&watched});
  }
  throw std::runtime_error("no push lasted long enough to be interrupted");
}

TEST_CASE("kill -9 of the origin during an unacknowledged push, and the same batch again") {
  KillLine line;
  Node& origin = line.network["630102"];
  Node& city = line.network["630100"];
  const Interrupted caught =
      Interrupt(&line, origin, city, [](Process& push) { return push.Running(); });
  // Nobody has told the pusher that it is done, and nobody reads half of it: nothing, or all where
  // its end has arrived before the pusher was told.
  const std::string read = city.Operator().LocalDigest(line.code);
  CHECK((read == caught.before || read == DigestOfCsv(caught.rows)));
  origin.Kill();

  // The pusher sends the batch again by itself; where the node still finishes what it had staged,
  // it hears "try again" and does. However often: one effect, and the same answer.
  origin.Start();
  const std::vector<std::string> push = {"push", line.code, caught.rows, "--batch", caught.batch};
  Outcome pushed = caught.push->Wait(absl::Seconds(60));
  line.network.Until("the batch is taken", [&] {
    if (pushed.ok()) return true;
    INFO(pushed.Text());
    CHECK(pushed.exit_status == 5);
    pushed = line.county.Try(push);
    return pushed.ok();
  });
  const auto taken = pushed.json();
  CHECK(std::stoll(taken.at("inserts").get<std::string>()) +
            std::stoll(taken.at("updates").get<std::string>()) ==
        caught.count);
  const auto again = line.county.Do(push, absl::Seconds(60));
  CHECK(again.at("repeated_batch") == true);
  CHECK(again.at("commit") == taken.at("commit"));
  line.network.UntilEqual(line.code, DigestOfCsv(caught.rows), line.network.nodes());
}

TEST_CASE("kill -9 of each node above in turn, while it has not acknowledged what it was sent") {
  KillLine line;
  const std::vector<std::pair<std::string, std::string>> below = {
      {"630100", "630102"}, {"630000", "630100"}, {"000000", "630000"}};
  for (const auto& [division, sender] : below) {
    Node& victim = line.network[division];
    INFO("victim " << victim.place().name);
    const Interrupted caught = Interrupt(&line, victim, victim, [&, from = sender](Process& push) {
      bool lagging = false;
      line.network.Until("its neighbour below has sent what is not acknowledged, or all is", [&] {
        lagging = LagToward(line.network[from], line.code, victim.path()) > 0;
        return lagging || !push.Running();
      });
      return lagging;
    });
    victim.Kill();

    // The origin promises for itself, whoever is away above.
    const Outcome pushed = caught.push->Wait(absl::Seconds(60));
    INFO(pushed.Text());
    CHECK(pushed.ok());
    victim.Start();
    const auto again = line.county.Do({"push", line.code, caught.rows, "--batch", caught.batch},
                                      absl::Seconds(60));
    CHECK(again.at("repeated_batch") == true);
    line.network.UntilEqual(line.code, DigestOfCsv(caught.rows), line.network.nodes());
  }
  for (Node* node : line.network.nodes()) {
    const auto verified = node->Operator().Do({"verify"});
    CHECK(verified.at("faults").empty());
    CHECK(verified.at("batches") != "0");
  }
}

}  // namespace
}  // namespace guantong::test
