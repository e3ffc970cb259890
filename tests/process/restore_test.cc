// A node restored from an older backup: what it had acknowledged since comes back from its
// neighbours, or is listed.
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

// An origin gives its neighbours half a minute to say what they hold.
constexpr absl::Duration kHearWithin = absl::Seconds(150);

class Restored {
 public:
  explicit Restored(const std::vector<Place>& places)
      : network(places),
        county(network["630102"]),
        editor(county.Editor()),
        code(editor.Publish(CodeAndName("名录"), network.folder().path())),
        backups(network.folder().path() + "/backups") {
    Push("one");
    county.Operator().Do({"backup", "--to", backups});
  }

  // Ten rows more.
  void Push(const std::string& name) { editor.Do({"push", code, Next(name)}); }
  std::string Next(const std::string& name) {
    const std::string file =
        network.folder().File("next.csv", CodeAndNameRows(rows, rows + 10, name));
    rows += 10;
    return file;
  }
  void Restore(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"-o",         "json",   "restore", "--dir",
                                          county.dir(), "--from", backups,   "--replace"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome restored = Guantong(arguments);
    INFO(restored.Text());
    REQUIRE(restored.ok());
  }
  void UntilRows(const std::vector<Node*>& nodes, int64_t count) {
    network.Until(absl::StrCat("all hold ", count, " rows"), [&] {
      for (Node* node : nodes) {
        if (node->Operator().LocalRows(code) != count) return false;
      }
      return true;
    });
  }
  int64_t EpochAt(const Node& node) const {
    for (const nlohmann::json feeds = node.Operator().Do({"feeds", code}).at("feeds");
         const auto& feed : feeds) {
      if (feed.at("feed").at("kind") == "rows") {
        return std::stoll(feed.at("position").at("epoch").at("number").dump().find('"') == 0
                              ? feed.at("position").at("epoch").at("number").get<std::string>()
                              : feed.at("position").at("epoch").at("number").dump());
      }
    }
    return -1;
  }

  Network network;
  Node& county;
  Client editor;
  std::string code;
  std::string backups;
  int rows = 0;
};

TEST_CASE("restored from an older backup, once and twice: nothing acknowledged is lost") {
  Restored data(FourLevels());
  const std::vector<Node*> holders = {&data.county, &data.network["630100"],
                                      &data.network["630000"], &data.network["000000"]};
  for (Node* node : holders) {
    if (node == &data.county) continue;
    data.network.Until("the entry is known", [&] {
      return node->Editor().Try({"subscribe", data.code}).ok();
    });
  }
  data.UntilRows(holders, data.rows);
  int64_t epoch = data.EpochAt(data.county);
  for (int round = 1; round <= 2; ++round) {
    INFO("restored for the " << round << ". time");
    data.Push("two");
    data.Push("three");
    data.UntilRows(holders, data.rows);
    data.county.Kill();
    data.Restore();
    data.county.Start();
    // By itself, and before anything new is taken in.
    data.network.Until(
        "it takes pushes again",
        [&] {
          const Outcome pushed =
              data.editor.Try({"push", data.code,
                               data.network.folder().File(
                                   "same.csv", CodeAndNameRows(0, 10, absl::StrCat("轮", round)))});
          if (!pushed.ok()) CHECK(pushed.exit_status == 5);
          return pushed.ok();
        },
        kHearWithin);
    data.UntilRows(holders, data.rows);
    CHECK(data.EpochAt(data.county) > epoch);
    epoch = data.EpochAt(data.county);
    data.Push("four");
    data.UntilRows(holders, data.rows);
    const std::string digest = data.county.Operator().LocalDigest(data.code);
    data.network.UntilEqual(data.code, digest, holders);
    CHECK_FALSE(data.county.Status().contains("restored_at"));
    for (Node* node : holders) CHECK(node->Operator().Do({"verify"}).at("faults").empty());
    CHECK(data.county.Operator().Do({"verify", data.code}).at("first_different") == "");
  }
}

TEST_CASE("restored while its neighbours are away: no push until one has answered") {
  Restored data({{"000000", "国家", "national", ""}, {"630102", "城东区", "county", "000000"}});
  Node& root = data.network["000000"];
  data.network.Until("the entry is known", [&] {
    return root.Editor().Try({"subscribe", data.code}).ok();
  });
  data.Push("two");
  data.UntilRows({&data.county, &root}, data.rows);
  data.county.Kill();
  root.Kill();
  data.Restore();
  data.county.Start();
  const Outcome refused = data.editor.Try({"push", data.code, data.Next("early")});
  INFO(refused.Text());
  CHECK(refused.exit_status == 5);
  CHECK(data.county.Status().contains("restored_at"));
  const Outcome doctor = data.county.Operator().Try({"doctor"});
  CHECK(doctor.exit_status == 1);
  bool told = false;
  for (const nlohmann::json findings = doctor.json().at("findings");
       const auto& finding : findings) {
    told |= finding.at("check") == "restore" && finding.at("ok") == false;
  }
  CHECK(told);
  root.Start();
  data.network.Until(
      "the push is taken",
      [&] {
        return data.editor.Try({"push", data.code, data.network.folder().path() + "/next.csv"})
            .ok();
      },
      kHearWithin);
  data.UntilRows({&data.county, &root}, data.rows);
}

TEST_CASE("restored with --alone: it goes on at once, and what was cut off is listed") {
  Restored data({{"000000", "国家", "national", ""}, {"630102", "城东区", "county", "000000"}});
  Node& root = data.network["000000"];
  data.network.Until("the entry is known", [&] {
    return root.Editor().Try({"subscribe", data.code}).ok();
  });
  data.Push("two");
  data.UntilRows({&data.county, &root}, data.rows);
  data.county.Kill();
  root.Kill();
  data.Restore({"--alone"});
  data.county.Start();
  data.editor.Do({"push", data.code,
                  data.network.folder().File("other.csv", CodeAndNameRows(500, 501, "另"))});
  root.Start();
  const std::string digest = data.county.Operator().LocalDigest(data.code);
  data.network.UntilEqual(data.code, digest, {&root});
  nlohmann::json records;
  data.network.Until("what was cut off is listed at the county", [&] {
    records = data.county.Operator().Do({"feeds", data.code, "--superseded"}).at("records");
    return records.size() >= 10;
  });
  INFO(records.dump(1));
  CHECK(records[0].at("feed").at("resource") == data.code + ":1");
}

}  // namespace
}  // namespace guantong::test
