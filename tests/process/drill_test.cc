// Drills on copies of a running network: real processes, a report, nothing left behind, nobody
// disturbed.
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

namespace fs = std::filesystem;

TEST_CASE("drills on a copy: kill, partition, restore, expiry") {
  Network network({{"000000", "国家", "national", ""},
                   {"630000", "青海省", "province", "000000"},
                   {"630102", "城东区", "county", "630000"}});
  const Client editor = network["630102"].Editor();
  const std::string code = editor.Publish(CodeAndName("名录"), network.folder().path());
  editor.Do({"push", code, network.folder().File("rows.csv", CodeAndNameRows(0, 100, "行"))});
  std::vector<std::string> from = {"--from"};
  for (Node* node : network.nodes()) {
    const std::string to =
        absl::StrCat(network.folder().path(), "/backups-", node->place().division);
    node->Operator().Do({"backup", "--to", to});
    from.push_back(to);
  }
  for (const char* fault : {"kill", "partition", "restore", "expiry"}) {
    INFO(fault);
    const std::string reports = absl::StrCat(network.folder().path(), "/reports-", fault);
    fs::create_directory(reports);
    std::vector<std::string> arguments = {"-o",    "json",      "drill", fault,      "--report",
                                          reports, "--batches", "9",     "--outage", "2"};
    arguments.insert(arguments.end(), from.begin(), from.end());
    const Outcome played = Guantong(arguments, absl::Seconds(200));
    INFO(played.Text());
    REQUIRE(played.ok());
    const auto result = played.json();
    CHECK(result.at("passed") == true);
    CHECK(result.at("rows_acknowledged") == "180");
    CHECK(result.at("rows_lost") == "0");
    CHECK(result.at("rows_duplicated") == "0");
    REQUIRE(result.at("nodes").size() == 3);
    int sources = 0;
    for (const auto& node : result.at("nodes")) sources += node.at("verdict") == "source" ? 1 : 0;
    CHECK(sources == 1);
    // The report and its JSON, and nothing else.
    std::vector<std::string> left;
    for (const auto& entry : fs::directory_iterator(reports)) left.push_back(entry.path().string());
    REQUIRE(left.size() == 2);
    const std::string text = ReadFile(absl::EndsWith(left[0], ".md") ? left[0] : left[1]);
    CHECK(absl::StrContains(text, "通过 (passed)"));
    CHECK(absl::StrContains(text, "城东区"));
  }
  // The original has heard nothing of it.
  CHECK(network["630102"].Editor().Do({"catalog", "list", "--mine"}).dump().find("演练") ==
        std::string::npos);
  network.UntilLinked(network["630102"]);
}

}  // namespace
}  // namespace guantong::test
