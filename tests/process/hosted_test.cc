// A county without a node of its own, hosted on its city's: its departments work as those of a
// county with one do, under its own authority, and are found as its own.
#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

constexpr int kApprovals = 2;

// The codes found at `client` all over the country under a filter.
std::vector<std::string> Found(const Client& client, std::vector<std::string> filter) {
  std::vector<std::string> arguments = {"catalog", "search", "社区名录", "--scope", "country"};
  arguments.insert(arguments.end(), filter.begin(), filter.end());
  std::vector<std::string> codes;
  const auto found = client.Do(arguments);
  for (const auto& entry : found.at("entries")) codes.push_back(entry.at("code"));
  std::sort(codes.begin(), codes.end());
  return codes;
}

uint64_t Count(const Client& client, const std::string& name, const std::string& value) {
  const auto found = client.Do({"catalog", "search", "社区名录", "--scope", "country", "--facets"});
  for (const auto& facet : found.at("facets")) {
    if (facet.at("name") != name) continue;
    for (const auto& count : facet.at("counts")) {
      if (count.at("value") == value) return std::stoull(count.at("entries").get<std::string>());
    }
  }
  return 0;
}

TEST_CASE("a county hosted on its city's node works like one with a node of its own") {
  // 城东区 is hosted by 西宁市; 城中区 has its own node.
  Network network({{"000000", "国家", "national", ""},
                   {"630000", "青海省", "province", "000000"},
                   {"440000", "广东省", "province", "000000"},
                   {"630100", "西宁市", "city", "630000"},
                   {"630103", "城中区", "county", "630100"},
                   {"441900", "东莞市", "city", "440000"}},
                  nullptr, kApprovals);
  Node& city = network["630100"];
  const Client far = network["441900"].Editor();
  const Client of_city = city.AddSupervisor("630100", "西宁市数据局").Approver();

  const auto register_at = [&](const Client& editor, const std::string& name) {
    return std::string(editor
                           .Do({"catalog", "register",
                                network.folder().File(
                                    "entry.yaml", EntryYaml(CodeAndName(name), editor.department(),
                                                            editor.uscc()))})
                           .at("code"));
  };
  const Client hosted = city.AddDepartment("630102", "城东区民政局");
  const std::string code = register_at(hosted, "城东区社区名录");
  // Nobody's to approve before the county has an authority; the city's is not it.
  hosted.Do({"catalog", "submit", code});
  hosted.Approver().Do({"catalog", "approve", code});
  CHECK(absl::StrContains(hosted.Do({"why", code}).at("text").get<std::string>(), "630102"));
  const Client authority = city.AddSupervisor("630102", "城东区数据局").Approver();
  CHECK(of_city.Try({"catalog", "approve", code}).exit_status == 4);
  CHECK(of_city.Do({"todo"}).at("items").empty());
  CHECK(hosted.Do({"why", code}).at("with") == "城东区数据局");
  REQUIRE(authority.Do({"todo"}).at("items").size() == 1);
  authority.Do({"catalog", "approve", code});
  CHECK(hosted.Do({"catalog", "show", code}).at("state") == "published");

  // Beside one of the city itself, and one of a county with its own node.
  const Client own = network["630103"].AddDepartment("630103", "城中区民政局");
  const Client authority_of_own =
      network["630103"].AddSupervisor("630103", "城中区数据局").Approver();
  const Client at_city = city.AddDepartment("630100", "西宁市民政局");
  const std::string of_county = register_at(own, "城中区社区名录");
  const std::string citys = register_at(at_city, "西宁市社区名录");
  for (const auto& [editor, approver, draft] :
       {std::tuple(own, authority_of_own, of_county), std::tuple(at_city, of_city, citys)}) {
    editor.Do({"catalog", "submit", draft});
    editor.Approver().Do({"catalog", "approve", draft});
    approver.Do({"catalog", "approve", draft});
  }
  CHECK(absl::StrContains(code, "/630102"));
  CHECK(absl::StrContains(of_county, "/630103"));

  network.Until("all three are found at the other end of the country",
                [&] { return Found(far, {}).size() == 3; });
  CHECK(Found(far, {"--division", "630102"}) == std::vector<std::string>{code});
  CHECK(Found(far, {"--division", "630103"}) == std::vector<std::string>{of_county});
  CHECK(Found(far, {"--division", "630100"}).size() == 3);
  CHECK(Found(far, {"--level", "city"}) == std::vector<std::string>{citys});
  std::vector<std::string> counties = {code, of_county};
  std::sort(counties.begin(), counties.end());
  CHECK(Found(far, {"--level", "county"}) == counties);
  CHECK(Count(far, "division", "630102") == 1);
  CHECK(Count(far, "level", "county") == 2);
  CHECK(Count(far, "level", "city") == 1);

  // Its data are answered from where it is hosted; its authority takes it out of use.
  hosted.Do({"push", code, network.folder().File("rows.csv", "code,name\n1,东关\n")});
  CHECK(far.Do({"query", code, "--count"}).at("total") == "1");
  CHECK(of_city.Try({"catalog", "suspend", code, "--reason", "x"}).exit_status == 4);
  authority.Do({"catalog", "suspend", code, "--reason", "核对"});
  network.Until("it is found no more", [&] {
    return Found(far, {"--division", "630102"}).empty();
  });
}

TEST_CASE("the authority of a hosted county rules on its entries, and a class is its own") {
  Network network({{"000000", "国家", "national", ""},
                   {"630000", "青海省", "province", "000000"},
                   {"630100", "西宁市", "city", "630000"},
                   {"630103", "城中区", "county", "630100"}});
  Node& city = network["630100"];
  const Client national = network["000000"].Operator();
  const Client of_province = network["630000"].Editor();
  const Client hosted = city.AddDepartment("630102", "城东区民政局");
  const Client beside = city.AddDepartment("630102", "城东区教育局");
  const Client at_city = city.AddDepartment("630100", "西宁市民政局");
  const Client authority = city.AddSupervisor("630102", "城东区数据局").Approver();

  national.Do({"catalog", "classes", "import",
               network.folder().File("classes.csv",
                                     "分类代码,分类名称,上级代码\n3,部门,root\n307,省,3\n"
                                     "3070120101,城东区民政,307\n"
                                     "3070120102,城关区民政,307\n")});
  const auto delegate = [&](const std::string& division) {
    return national.Try({"catalog", "classes", "delegate", "3070120101", "--to", city.path(),
                         "--division", division});
  };
  CHECK(ReasonOf(delegate("440100")) == "division_not_hosted");
  CHECK(ReasonOf(delegate("630103")) == "division_not_hosted");
  // One that the root itself hosts: it says no path.
  const Client of_root = network["000000"].AddDepartment("540102", "城关区民政局");
  const Client of_nation = network["000000"].AddDepartment("000000", "民政部");
  national.Do({"catalog", "classes", "delegate", "3070120102", "--division", "540102"});
  Entry other = CodeAndName("城关区名录");
  other.class_code = "3070120102";
  CHECK(of_root.Publish(other, network.folder().path()) == "3070120102/000001");
  CHECK(of_nation.Publish(other, network.folder().path()) == "3070120102/000000000001");
  national.Do({"catalog", "classes", "delegate", "3070120102"});
  CHECK(national.Do({"catalog", "classes", "3070120102"}).at("class").at("delegate_path") == "");
  REQUIRE(delegate("630102").ok());
  network.Until("西宁市 knows that the class is 城东区's", [&] {
    const auto classes = city.Operator().Do({"catalog", "classes", "3070120101"});
    return classes.contains("class") && classes.at("class").at("delegate_division") == "630102";
  });
  const std::string code = hosted.Publish(CodeAndName("城东区社区名录"), network.folder().path());
  CHECK(code == "3070120101/000001");
  const std::string citys = at_city.Publish(CodeAndName("西宁市社区名录"), network.folder().path());
  CHECK(absl::StartsWith(citys, "3070120101/630100"));
  // What is under the class the city's operator adds, for the county it hosts.
  CHECK(city.Operator()
            .Try({"catalog", "classes", "import",
                  network.folder().File("below.csv",
                                        "分类代码,分类名称,上级代码\n"
                                        "307012010101,社区,3070120101\n")})
            .ok());

  CHECK(ReasonOf(authority.Try({"ruling", "hide", citys, "--reason", "x"})) == "not_your_branch");
  authority.Do({"ruling", "hide", code, "--reason", "整改"});
  authority.Do({"ruling", "rework", code, "--reason", "缺少主键", "--until", "2999-01-04"});
  authority.Do({"ruling", "tag", code, "--tag", "重点"});
  CHECK(ReasonOf(beside.Try({"catalog", "show", code})) == "entry_hidden");
  network.Until("the index has both", [&] {
    return at_city.Do({"catalog", "search", "社区名录"}).at("entries").size() == 2;
  });
  CHECK(Found(beside, {}) == std::vector<std::string>{citys});
  CHECK(Count(beside, "division", "630102") == 0);
  CHECK(Count(at_city, "division", "630102") == 1);
  CHECK(beside.Do({"catalog", "browse"}).at("entries") == "1");
  CHECK(at_city.Do({"catalog", "browse"}).at("entries") == "2");
  network.Until("the province finds both", [&] {
    return of_province.Do({"catalog", "search", "社区名录"}).at("entries").size() == 2;
  });
  const auto todo = hosted.Do({"todo"});
  REQUIRE(todo.at("items").size() == 1);
  CHECK(todo.at("items")[0].at("reason") == "缺少主键");
  const auto shown = at_city.Do({"catalog", "show", code});
  CHECK(shown.at("rulings")[0].at("ruling").at("tags")[0] == "重点");
  CHECK(shown.at("rulings")[0].at("ruling").at("division") == "630102");
  const auto hits = at_city.Do({"catalog", "search", "城东区社区名录"}).at("entries");
  REQUIRE(hits.size() == 1);
  CHECK(hits[0].at("rulings")[0].at("ruling").at("tags")[0] == "重点");
  // What `show` prints is an entry file still.
  const auto file =
      network.folder().File("shown.json", hosted.Do({"catalog", "show", code}).dump());
  CHECK(hosted.Try({"catalog", "edit", file}).ok());
  authority.Do({"ruling", "unhide", code});
  CHECK(beside.Try({"catalog", "show", code}).ok());

  // Another delegate gives none of the codes the first has given.
  Node& county = network["630103"];
  national.Do({"catalog", "classes", "delegate", "3070120101", "--to", county.path()});
  network.Until("城中区 knows that the class is its own", [&] {
    const auto classes = county.Operator().Do({"catalog", "classes", "3070120101"});
    return classes.contains("class") && classes.at("class").at("delegate_path") == county.path();
  });
  const std::string second =
      county.Editor().Publish(CodeAndName("城中区社区名录"), network.folder().path());
  CHECK(second == "3070120101/100001");
}

}  // namespace
}  // namespace guantong::test
