// Searching over nodes: an answer merged with an ancestor's, its counts and pages, and what is
// withheld from whom.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

nlohmann::json Search(const Client& client, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"catalog", "search"});
  arguments.insert(arguments.end(), {"--scope", "country"});
  return client.Do(arguments);
}

std::string Count(const nlohmann::json& found, const std::string& facet, const std::string& value) {
  for (const auto& one : found.at("facets")) {
    if (one.at("name") != facet) continue;
    for (const auto& count : one.at("counts")) {
      if (count.at("value") == value) return count.at("entries");
    }
  }
  return "0";
}

TEST_CASE("search: hits, counts and pages of this node and of the country are one answer") {
  Network network(FourLevels());
  const std::string& files = network.folder().path();
  const Client county = network["630102"].Editor();
  const Client city = network["630100"].Editor();
  Entry of_county = CodeAndName("城东区街道名录");
  const std::string streets = county.Publish(of_county, files);
  Entry of_city = CodeAndName("西宁市企业街道分布名录");
  of_city.class_code = "3070220101";
  const std::string firms = city.Publish(of_city, files);
  Entry hidden = CodeAndName("西宁市街道内部台账");
  hidden.items[1].name = "密钥编号";
  hidden.sharing = "not_shared";
  hidden.basis = "某法第一条";
  const std::string kept = city.Publish(hidden, files);

  // The county asks the national node for what is not in its own branch.
  network.Until("all are found at the county",
                [&] { return Search(county, {"街道"}).at("total") == "3"; });
  const auto found = Search(county, {"街道", "--facets"});
  CHECK(found.at("complete") == true);
  CHECK(found.at("hops").size() == 4);
  REQUIRE(found.at("entries").size() == 3);
  CHECK(found.at("entries")[0].at("code") == streets);  // the shortest name
  CHECK(Count(found, "level", "county") == "1");
  CHECK(Count(found, "level", "city") == "2");
  CHECK(Count(found, "class", "3070120101") == "2");
  CHECK(Count(found, "sharing", "not_shared") == "1");
  const auto& highlight = found.at("entries")[0].at("highlights")[0];
  CHECK(highlight.at("field") == "name");
  CHECK(highlight.at("spans")[0].at("begin") == 3);
  CHECK(highlight.at("spans")[0].at("end") == 5);

  // Pages of one, in the same order.
  std::vector<std::string> codes;
  for (std::string token; codes.size() < 5;) {
    std::vector<std::string> page = {"街道", "--limit", "1"};
    if (!token.empty()) page.insert(page.end(), {"--page-token", token});
    const auto one = Search(county, page);
    for (const auto& entry : one.at("entries")) codes.push_back(entry.at("code"));
    token = one.at("next_page_token");
    if (token.empty()) break;
  }
  std::vector<std::string> whole;
  for (const auto& entry : found.at("entries")) whole.push_back(entry.at("code"));
  CHECK(codes == whole);

  // Filters travel with the question.
  const auto in_class = Search(county, {"街道", "--class", "30702"});
  REQUIRE(in_class.at("entries").size() == 1);
  CHECK(in_class.at("entries")[0].at("code") == firms);
  CHECK(Search(county, {"街道", "--level", "county"}).at("total") == "1");
  CHECK(Search(county, {"--sharing", "not_shared"}).at("total") == "1");
  CHECK(county.Try({"catalog", "search", "街道", "--since", "去年"}).exit_status == 1);

  // What is not shared is found by its items at home and above, and not below.
  CHECK(Search(city, {"密钥"}).at("total") == "1");
  network.Until("the items are known above",
                [&] { return Search(network["000000"].Operator(), {"密钥"}).at("total") == "1"; });
  CHECK(Search(county, {"密钥"}).at("total") == "0");
  CHECK(Search(county, {"密钥", "--facets"}).at("entries").empty());

  // The classes that occur.
  const auto top = network["000000"].Operator().Do({"catalog", "browse"});
  CHECK(top.at("entries") == "3");
  const auto below = network["000000"].Operator().Do({"catalog", "browse", "307"});
  REQUIRE(below.at("classes").size() == 2);
  CHECK(below.at("classes")[0].at("class") == "307012");
  CHECK(below.at("classes")[0].at("entries") == "2");
  // A tree says what stands below what, and how it is called; of a code it does not know the
  // widths.
  const Client national = network["000000"].Operator();
  national.Do({"catalog", "classes", "import",
               network.folder().File("classes.csv",
                                     "分类代码,分类名称,上级代码\n3,部门,root\n307,省,3\n"
                                     "30701,青海和山西,307\n3070120101,街道名录,30701\n")});
  CHECK(national.Do({"catalog", "browse"}).at("classes")[0].at("name") == "部门");
  const auto by_tree = national.Do({"catalog", "browse", "307"}).at("classes");
  REQUIRE(by_tree.size() == 2);
  CHECK(by_tree[0].at("class") == "30701");
  CHECK(by_tree[0].at("name") == "青海和山西");
  CHECK(by_tree[0].at("entries") == "2");
  CHECK(by_tree[1].at("class") == "307022");
  CHECK(national.Do({"catalog", "browse", "30701"}).at("classes")[0].at("name") == "街道名录");
  // 307022 begins like 30702, and does not stand below it.
  CHECK(Search(national, {"--class", "30702"}).at("total") == "1");
  national.Do({"catalog", "classes", "import",
               network.folder().File("beside.csv",
                                     "分类代码,分类名称,上级代码\n30702,甘肃,307\n"
                                     "307022,广东,307\n3070220101,企业,307022\n")});
  CHECK(Search(national, {"--class", "30702"}).at("total") == "0");
  CHECK(Search(national, {"--class", "307022"}).at("total") == "1");
  CHECK(national.Do({"catalog", "browse", "30702"}).at("entries") == "0");
  const auto labelled = Search(national, {"街道", "--facets"});
  for (const auto& facet : labelled.at("facets")) {
    if (facet.at("name") == "class") CHECK(facet.at("counts")[0].at("label") == "街道名录");
  }

  // Words that a level takes for the same find each other's entries in its branch, and nowhere
  // else.
  const auto finds = [&](const Client& client) {
    return client.Do({"catalog", "search", "马路"}).at("total");
  };
  CHECK(finds(county) == "0");
  std::filesystem::create_directories(network["630000"].dir() + "/rules");
  std::ofstream(network["630000"].dir() + "/rules/words.yaml")
      << "id: QH-WORDS\neffective_from: 2026-01-01\nsynonyms:\n  - words: [街道, 马路]\n";
  network["630000"].Stop();
  network["630000"].Start();
  network.Until("马路 finds what is called 街道", [&] { return finds(county) == "1"; });
  CHECK(finds(national) == "0");

  // An update is found within two seconds.
  const absl::Time published = absl::Now();
  const std::string later = county.Publish(CodeAndName("城东区公司目录"), files);
  network.Until("the new entry is found", [&] {
    return county.Do({"catalog", "search", "公司"}).at("total") == "1";
  });
  const absl::Duration took = absl::Now() - published;
  std::cout << "published and found at home after " << absl::FormatDuration(took)
            << " (promised 2 s)" << std::endl;
  CHECK(took < absl::Seconds(10));

  // After a crash the index goes on from what it had saved, or begins anew.
  network["630102"].Kill();
  network["630102"].Start();
  network.Until("found again", [&] {
    const Outcome outcome = county.Try({"catalog", "search", "公司"});
    return outcome.ok() && outcome.json().at("total") == "1";
  });
}

}  // namespace
}  // namespace guantong::test
