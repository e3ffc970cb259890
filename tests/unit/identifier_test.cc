// The examples of the standards, and what breaks them.
#include "catalog/identifier.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "tests/catch.h"
#include "tests/process/public_data.h"

namespace guantong {
namespace {

TEST_CASE("identifier: the citizen number of the standard, and what is wrong with others") {
  CHECK(IsCitizenId("11010519491231002X"));
  for (const char* bad : {"110105194912310021", "11010519491231002x", "11010519490231002X",
                          "1101051949123100", "11010519491231O02X", ""}) {
    INFO(bad);
    CHECK_FALSE(IsCitizenId(bad));
  }
  // Every one-digit mistake in the example is found.
  const std::string good = "11010519491231002X";
  for (size_t i = 0; i < 17; ++i) {
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string bad = good;
      bad[i] = digit;
      if (bad != good) CHECK_FALSE(IsCitizenId(bad));
    }
  }
}

TEST_CASE("identifier: the electronic licence of the standard") {
  const std::string good =
      "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U";
  CHECK(IsLicenceId(good));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {".U", ".V"},
           {".001.", ".002."},
           {"20230000403", "20230000404"},
           {"11430000006122244L", "11430000006122245L"},
           {"1.2.156.3005.2.", "1.2.156.3005.3."},
           {".001.U", ".001"}}) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    INFO(bad);
    CHECK_FALSE(IsLicenceId(bad));
  }
  CHECK(CheckMod37_36("") == '1');
  CHECK_FALSE(CheckMod37_36("a").has_value());
}

TEST_CASE("identifier: division codes are known for as long as a revision had them") {
  const auto history = DivisionHistory::Parse(
      "Source\tRevision\tCode\tName\r\n"
      "x\t201709\t630100\t西宁市\r\nx\t201709\t630199\t旧区\r\n"
      "x\t201710\t630100\t西宁市（新）\r\nx\t201710\t630198\t新区\r\n");
  REQUIRE(history.ok());
  REQUIRE(history->Find("630199") != nullptr);
  CHECK_FALSE(history->Find("630199")->current);
  CHECK(history->Find("630199")->until == "201709");
  CHECK(history->Find("630100")->name == "西宁市（新）");
  CHECK(history->Find("630100")->since == "201709");
  CHECK(history->Find("630198")->current);
  CHECK(history->Find("999999") == nullptr);
  const auto bad = DivisionHistory::Parse("x\t201709\t6301\t西宁市\nx\t201709\t63010\t西宁市\n");
  CHECK(DetailOf(bad.status()).reason == "history_malformed");
}

TEST_CASE("identifier: the real revisions, one of which moved 17 codes") {
  const std::string folder = test::PublicData("gb2260_history");
  if (folder.empty()) GUANTONG_SKIP("no public data beside the project");
  std::string text;
  for (const char* revision : {"mca_201709.tsv", "mca_201710.tsv"}) {
    std::ifstream in(folder + "/" + revision);
    text.append(std::istreambuf_iterator<char>(in), {});
    text.push_back('\n');
  }
  // The header of the second file stands in the middle.
  const size_t again = text.rfind("Source");
  text.erase(again, text.find('\n', again) - again);
  const auto history = DivisionHistory::Parse(text);
  REQUIRE(history.ok());
  CHECK(history->newest() == "201710");
  CHECK(history->Find("110101")->current);
}

}  // namespace
}  // namespace guantong
