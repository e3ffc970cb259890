// A flipped bit in a stored file: found, never served, never spread, mended without an operator,
// and told.
#include "tests/process/damage.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"

namespace guantong::test {
namespace {

constexpr char kMark[] = "UNMISTAKABLE-NAME-OF-ONE-ROW-ALONE";
constexpr int kRows = 5000;

// A county's dataset with a copy at the city and the province.
class Damaged {
 public:
  Damaged()
      : network(FourLevels()),
        county(network["630102"]),
        city(network["630100"]),
        editor(county.Editor()),
        code(editor.Publish(CodeAndName("名录"), network.folder().path())) {
    for (const char* division : {"630100", "630000"}) {
      network.Until("the entry is known", [&] {
        return network[division].Editor().Try({"subscribe", code}).ok();
      });
    }
    Push("rows.csv", MarkedRows(0, kRows, kRows / 2, kMark));
  }

  void Push(const std::string& name, const std::string& rows) {
    file = network.folder().File(name, rows);
    editor.Do({"push", code, file});
    UntilEqual();
  }
  void UntilEqual() {
    network.UntilEqual(code, DigestOfCsv(file), {&county, &city, &network["630000"]});
  }
  // Looks at everything in the meantime: what is read is right, or is refused.
  nlohmann::json UntilMended(Node& node) {
    const std::string right = DigestOfCsv(file);
    nlohmann::json damage;
    network.Until(
        "the node has found and mended it",
        [&] {
          const std::string read = node.Operator().LocalDigest(code);
          CHECK((read.empty() || read == right));
          const Outcome status = node.Operator().Try({"status"});
          if (!status.ok()) return false;
          damage = status.json().at("damage");
          return !damage.empty();
        },
        absl::Seconds(60));
    return damage[0];
  }
  bool Cured(const nlohmann::json& damage, const std::string& part, const std::string& cure) const {
    for (const auto& feed : damage.at("feeds")) {
      if (feed.at("feed").at("resource") == code + ":1" && feed.at("part") == part &&
          absl::StrContains(cure, feed.at("cure").get<std::string>())) {
        return true;
      }
    }
    return false;
  }

  Network network;
  Node& county;
  Node& city;
  Client editor;
  std::string code;
  std::string file;
};

TEST_CASE("a flipped bit in the rows of a copy") {
  Damaged data;
  data.city.Stop();
  Settle(data.city);
  const std::string bad = FlipBitInTable(data.city, "blocks", "");
  data.city.Start();
  const auto damage = data.UntilMended(data.city);
  INFO(damage.dump(1));
  CHECK(damage.at("files") == nlohmann::json::array({bad}));
  CHECK(damage.at("repaired") == true);
  CHECK(data.Cured(damage, "table", "replayed fetched"));
  CHECK(absl::StrContains(data.city.LogText(), bad));
  data.UntilEqual();
  CHECK(data.city.Operator().Do({"verify"}).at("faults").empty());
  // The bad bytes are kept for whoever wants to look.
  CHECK(Shell(absl::StrCat("ls '", damage.at("kept").get<std::string>(), "'")) == bad);
  data.Push("all.csv", MarkedRows(0, kRows, kRows / 2, "MARKED-DIFFERENTLY"));
}

TEST_CASE("a flipped bit in the rows of the origin") {
  Damaged data;
  data.county.Stop();
  Settle(data.county);
  FlipBitInTable(data.county, "blocks", "");
  data.county.Start();
  const auto damage = data.UntilMended(data.county);
  INFO(damage.dump(1));
  CHECK(damage.at("repaired") == true);
  CHECK(data.Cured(damage, "table", "mended"));
  data.UntilEqual();
  const std::string all =
      data.network.folder().File("all.csv", MarkedRows(0, kRows + 10, kRows / 2, kMark));
  data.editor.Do({"push", data.code, all, "--mode", "replace"});
  data.file = all;
  data.UntilEqual();
  CHECK(data.county.Operator().Do({"verify"}).at("faults").empty());
}

TEST_CASE("a block destroyed at the origin is fetched back from who has subscribed") {
  Damaged data;
  data.city.Stop();
  data.county.Stop();
  Settle(data.county);
  // Half of it: what the log keeps beside it mends a tenth.
  SpoilTable(data.county, "blocks");
  data.county.Start();
  const auto damage = data.UntilMended(data.county);
  INFO(damage.dump(1));
  CHECK(damage.at("repaired") == true);
  CHECK(data.Cured(damage, "table", "fetched"));
  // Nobody who has it is there: it is not read, and nothing is taken in on top.
  const Outcome read = data.county.Operator().Try({"query", data.code, "--local", "--count"});
  CHECK(ReasonOf(read) == "dataset_damaged");
  const std::string more = data.network.folder().File("more.csv", "code,name\n7,MORE\n");
  CHECK(ReasonOf(data.editor.Try({"push", data.code, more})) == "dataset_damaged");
  data.city.Start();
  data.UntilEqual();
  CHECK(data.county.Operator().Do({"verify"}).at("faults").empty());
  const std::string all =
      data.network.folder().File("all.csv", MarkedRows(0, kRows + 10, kRows / 2, kMark));
  data.editor.Do({"push", data.code, all, "--mode", "replace"});
  data.file = all;
  data.UntilEqual();
}

TEST_CASE("a flipped bit in a stored batch: verify names it offline, online it is mended") {
  Damaged data;
  data.editor.Do({"push", data.code,
                  data.network.folder().File("one.csv", "code,name\n7,ONE-STORED-BATCH-ALONE\n")});
  data.network.Until("the city holds it",
                     [&] { return data.city.Operator().LocalRows(data.code) == kRows + 1; });
  for (Node* node : {&data.city, &data.county}) {
    INFO(node->place().name);
    node->Stop();
    Settle(*node);
    const std::string bad = FlipBitInTable(*node, "bulk", "ONE-STORED-BATCH-ALONE");
    const Outcome offline = Guantong({"-o", "json", "verify", "--dir", node->dir()});
    INFO(offline.Text());
    CHECK(offline.exit_status == 1);
    CHECK(ReasonOf(offline) == "verify_failed");
    bool named_file = false, named_feed = false;
    for (const nlohmann::json faults = offline.json().at("faults"); const auto& fault : faults) {
      named_file |= fault.at("file") == bad;
      named_feed |= fault.at("file") == "" && fault.at("feed").at("resource") == data.code + ":1" &&
                    fault.at("sequence") != "0";
    }
    CHECK(named_file);
    CHECK(named_feed);

    node->Start();
    const Outcome online = node->Operator().Try({"verify"});
    INFO(online.Text());
    // Told of it, cut off by the node that goes to mend it, or asked after it was mended at its
    // start.
    if (online.ok()) {
      CHECK(!node->Status().at("damage").empty());
    } else {
      CHECK((online.exit_status == 1 || online.exit_status == 5));
    }
    nlohmann::json damage;
    data.network.Until("it is mended", [&] {
      const Outcome status = node->Operator().Try({"status"});
      if (!status.ok()) return false;
      damage = status.json().at("damage");
      return !damage.empty();
    });
    INFO(damage.dump(1));
    CHECK(damage[0].at("repaired") == true);
    CHECK(data.Cured(damage[0], "log", "shortened"));
    CHECK(node->Operator().Do({"verify"}).at("faults").empty());
    CHECK(node->Operator().LocalRows(data.code) == kRows + 1);
  }
  // Whoever is new gets all of it although the logs no longer hold it.
  Node& root = data.network["000000"];
  root.Editor().Do({"subscribe", data.code});
  data.network.Until("the root holds it",
                     [&] { return root.Operator().LocalRows(data.code) == kRows + 1; });
}

TEST_CASE("a flipped bit is found by the scrub, without anybody reading there") {
  Damaged data;
  data.city.SetEnvironment(
      {{"GUANTONG_SCRUB_BYTES_PER_SECOND", "100000000"}, {"GUANTONG_SCRUB_PAUSE_SECONDS", "0"}});
  data.city.Stop();
  data.city.Start();
  data.network.Until("a full pass",
                     [&] { return data.city.Status().at("scrub").contains("last_full_pass"); });
  data.city.Stop();
  Settle(data.city);
  FlipBitInTable(data.city, "blocks", "");
  data.city.Start();
  nlohmann::json damage;
  data.network.Until("it is found and mended", [&] {
    const Outcome status = data.city.Operator().Try({"status"});
    if (status.ok()) damage = status.json().at("damage");
    return !damage.empty();
  });
  CHECK(damage[0].at("found_by") == "scrub");
  data.UntilEqual();
}

TEST_CASE("a flipped bit in the write-ahead log: what is gone is taken back from a neighbour") {
  Damaged data;
  data.editor.Do({"push", data.code,
                  data.network.folder().File("one.csv", "code,name\n7,ONE-BATCH-IN-THE-LOG\n")});
  data.editor.Do({"push", data.code,
                  data.network.folder().File("two.csv", "code,name\n8,ANOTHER-ONE-BEHIND-IT\n")});
  data.network.Until("the city holds both",
                     [&] { return data.city.Operator().LocalRows(data.code) == kRows + 2; });
  data.county.Kill();
  FlipBitInLog(data.county, "ONE-BATCH-IN-THE-LOG");
  data.county.Start();
  data.network.Until("both are back",
                     [&] { return data.county.Operator().LocalRows(data.code) == kRows + 2; });
  const auto damage = DamageOf(data.county);
  INFO(damage.dump(1));
  REQUIRE(!damage.empty());
  CHECK(damage[0].at("found_by") == "start");
  data.network.Until("pushes are taken again", [&] {
    return data.editor
        .Try({"push", data.code, data.network.folder().File("three.csv", "code,name\n9,three\n")})
        .ok();
  });
  data.network.Until("all agree", [&] {
    return data.network["630000"].Operator().LocalRows(data.code) == kRows + 3 &&
           data.city.Operator().LocalRows(data.code) == kRows + 3;
  });
  CHECK(data.county.Operator().Do({"verify"}).at("faults").empty());
}

TEST_CASE("verify of a code compares its copies hop by hop and names the first that differs") {
  Damaged data;
  Node& province = data.network["630000"];
  const auto equal = province.Operator().Do({"verify", data.code}).at("digests");
  REQUIRE(equal.size() == 3);
  CHECK(equal[0].at("verdict") == "equal");
  CHECK(equal[1].at("verdict") == "equal");
  CHECK(equal[2].at("verdict") == "source");
  CHECK(equal[2].at("rows") == std::to_string(kRows));

  // A row changed by whoever can write the city's files: every checksum fits.
  data.city.Stop();
  ChangeRow(data.city, kMark);
  data.city.Start();
  data.network.UntilLinked(data.city);
  data.network.UntilLinked(data.county);
  Outcome compared;
  data.network.Until("the way is up", [&] {
    compared = province.Operator().Try({"verify", data.code});
    return ReasonOf(compared) == "copies_differ";
  });
  const auto document = compared.json();
  CHECK(document.at("first_different") == data.city.path());
  CHECK(document.at("digests")[0].at("verdict") == "equal");
  CHECK(document.at("digests")[1].at("verdict") == "differs");
}

}  // namespace
}  // namespace guantong::test
