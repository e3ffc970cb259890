// Nodes that stand elsewhere: a county that moves from a city of one province to a city of another
// while it works, and a city that began alone with its counties and joins the country.
#include <atomic>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

constexpr int kRowsPerPush = 10;

// Pushes one batch after the other until it is told to end; each again until it is acknowledged.
class Pusher {
 public:
  Pusher(Client editor, std::string code, const Folder& folder)
      : editor_(std::move(editor)), code_(std::move(code)), folder_(folder) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Pusher() { End(); }

  int End() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
    return rows_;
  }
  int rows() const { return rows_; }

 private:
  void Run() {
    for (int batch = 0; !ending_; ++batch) {
      const std::string file =
          folder_.File(absl::StrCat("push-", batch, ".csv"),
                       CodeAndNameRows(batch * kRowsPerPush, (batch + 1) * kRowsPerPush, "移"));
      while (!editor_.Try({"push", code_, file, "--batch", absl::StrCat("move-", batch)}).ok()) {
      }
      rows_ += kRowsPerPush;
    }
  }

  const Client editor_;
  const std::string code_;
  const Folder& folder_;
  std::atomic<int> rows_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

void Move(Network& network, Node& node, Node& parent) {
  const auto invited = parent.Operator().Do(
      {"invite", "--division", node.place().division, "--name", node.place().name});
  const Outcome moved =
      Guantong({"-o", "json", "move", "--dir", node.dir(), "--join", parent.address(), "--token",
                invited.at("token").get<std::string>()});
  INFO(moved.Text());
  REQUIRE(moved.ok());
  network.Until("the node has a link at its new place", [&] {
    const Outcome status = node.Operator().Try({"status"});
    return status.ok() && status.json().at("path") == moved.json().at("path") &&
           status.json().at("parent").value("state", "") == "up";
  });
}

TEST_CASE("a county moves to a city of another province while pushes and subscriptions go on") {
  Network network(NineNodes());
  Node& county = network["630102"];
  Node& city = network["140200"];
  const Client editor = county.Editor();
  const std::string code = editor.Publish(CodeAndName("名录"), network.folder().path());
  editor.Do({"push", code, network.folder().File("first.csv", CodeAndNameRows(0, 1, "移"))});
  const std::vector<Node*> readers = {&network["000000"], &network["630100"], &network["140213"],
                                      &network["441900"]};
  for (Node* reader : readers) {
    network.Until("the subscription stands", [&] {
      return reader->Operator().Try({"subscribe", code}).ok();
    });
  }
  Pusher pusher(editor, code, network.folder());
  network.Until("pushes are under way", [&] { return pusher.rows() >= 3 * kRowsPerPush; });

  const absl::Time began = absl::Now();
  Move(network, county, city);
  const int before = pusher.rows();
  network.Until("pushes go on at the new place",
                [&] { return pusher.rows() >= before + 2 * kRowsPerPush; });
  const absl::Duration until = network.Until(
      "the far end reads them",
      [&] { return network["441900"].Operator().LocalRows(code) >= before + 2 * kRowsPerPush; },
      absl::Seconds(60));
  const int rows = pusher.End();
  network.UntilEqual(code, editor.LocalDigest(code), readers);
  for (Node* reader : readers) CHECK(reader->Operator().LocalRows(code) == rows);
  WARN("moved: " << rows << " rows acknowledged, 0 lost, 0 twice; data at the far end "
                 << absl::FormatDuration(absl::Now() - began) << " after the command, of that "
                 << absl::FormatDuration(until) << " of waiting for rows");
  // The parent it left names it no more.
  network.Until("the city it left has no such child", [&] {
    for (const auto links = network["630100"].Operator().Do({"links"}).at("links");
         const auto& link : links) {
      if (link.at("name") == county.place().name) return false;
    }
    return true;
  });
  CHECK(network["140213"].Operator().Try({"query", code}).ok());
  for (Node* node : network.nodes()) CHECK(node->Operator().Try({"verify"}).ok());
}

TEST_CASE("a city that began alone joins a province with its counties and their data") {
  Network network(NineNodes());
  Network alone({{"630200", "海东市", "city", ""},
                 {"630202", "乐都区", "county", "630200"},
                 {"630203", "平安区", "county", "630200"}});
  Node& city = alone["630200"];
  Node& county = alone["630202"];
  Node& away = alone["630203"];
  const Client editor = county.Editor();
  const std::string code = editor.Publish(CodeAndName("乐都名录"), network.folder().path());
  editor.Do({"push", code, network.folder().File("rows.csv", CodeAndNameRows(0, 500, "旧"))});
  alone.Until("the city's copy stands", [&] {
    return city.Operator().Try({"subscribe", code}).ok();
  });
  alone.Until("the copy is here", [&] { return city.Operator().LocalRows(code) == 500; });
  const std::string later = away.Editor().Publish(CodeAndName("平安名录"), network.folder().path());
  away.Stop();

  const absl::Time began = absl::Now();
  Move(alone, city, network["630000"]);
  Node& far = network["441900"];
  const auto found = [&](const std::string& words) {
    const Outcome search = far.Operator().Try({"catalog", "search", words, "--scope", "country"});
    return search.ok() && search.json().at("entries").size() == 1;
  };
  network.Until(
      "its entry is found at the other end of the country", [&] { return found("乐都名录"); },
      absl::Seconds(60));
  const absl::Duration until_found = absl::Now() - began;
  network.Until("its dataset is subscribed there", [&] {
    return far.Operator().Try({"subscribe", code}).ok();
  });
  network.Until(
      "the copy is whole", [&] { return far.Operator().LocalRows(code) == 500; },
      absl::Seconds(60));
  const absl::Duration until_copied = absl::Now() - began;
  // The people of the county have what they had, and go on.
  editor.Do({"push", code, network.folder().File("more.csv", CodeAndNameRows(500, 600, "新"))});
  network.UntilEqual(code, editor.LocalDigest(code), {&far, &city});
  CHECK(far.Operator().LocalRows(code) == 600);
  // Who was away is renewed when it comes back.
  away.Start();
  network.Until(
      "the county that was away is found, too", [&] { return found("平安名录"); },
      absl::Seconds(60));
  WARN("joined: 600 rows acknowledged, 0 lost, 0 twice; found after "
       << absl::FormatDuration(until_found) << ", copied after "
       << absl::FormatDuration(until_copied));
  for (Node* node : {&city, &county, &away, &far, &network["000000"]}) {
    CHECK(node->Operator().Try({"verify"}).ok());
  }
}

}  // namespace
}  // namespace guantong::test
