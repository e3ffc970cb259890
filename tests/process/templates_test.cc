// A province publishes a template: a city and a county of it claim it, nobody of another branch
// can, and the province finds who has claimed it.
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

TEST_CASE("a template is claimed below its level, locked there, and its claimers are found") {
  Network network({{"000000", "国家", "national", ""},
                   {"630000", "青海省", "province", "000000"},
                   {"440000", "广东省", "province", "000000"},
                   {"630100", "西宁市", "city", "630000"},
                   {"630102", "城东区", "county", "630100"}});
  const Client province = network["630000"].Editor();
  const Client city = network["630100"].Editor();
  const Client county = network["630102"].Editor();
  const Client far = network["440000"].Editor();
  const Entry entry = CodeAndName("社区名录");
  const std::string yaml = EntryYaml(entry, province.department(), province.uscc());
  const std::string code =
      province
          .Do({"catalog", "register",
               network.folder().File("template.yaml", yaml + "is_template: true\n")})
          .at("code");
  CHECK(ReasonOf(city.Try({"catalog", "claim", code})) == "entry_unknown");
  province.Do({"catalog", "publish", code});
  network.Until("the country knows the template", [&] {
    return far.Try({"catalog", "show", code}).ok();
  });
  // Both ask the levels above for it: neither holds what is above its branch.
  const auto claimed = county.Do({"catalog", "claim", code, "--name", "城东区社区名录"});
  CHECK(claimed.at("template") == code);
  CHECK(claimed.at("items").size() == 2);
  for (const auto& item : claimed.at("items")) CHECK(item.at("inherited") == true);
  const std::string of_city =
      city.Do({"catalog", "claim", code, "--name", "西宁市社区名录"}).at("code");
  CHECK(ReasonOf(far.Try({"catalog", "claim", code})) == "template_unknown");

  const std::string of_county = claimed.at("code");
  const auto edit = [&](const Entry& wanted) {
    return county.Try(
        {"catalog", "edit",
         network.folder().File("claim.yaml",
                               absl::StrCat(EntryYaml(wanted, county.department(), county.uscc()),
                                            "code: ", of_county, "\ntemplate: ", code, "\n"))});
  };
  Entry local = CodeAndName("城东区社区名录");
  local.items[1].length = 10;
  CHECK(ReasonOf(edit(local)) == "item_locked");
  // What is left out comes with the template, what is added stays behind it.
  local.items = {{.field = "grid", .name = "网格"}};
  const Outcome edited = edit(local);
  REQUIRE(edited.ok());
  const auto items = nlohmann::json::parse(edited.out).at("items");
  REQUIRE(items.size() == 3);
  CHECK(items[0].at("field") == "code");
  CHECK(items[2].at("inherited") == false);
  for (const auto& [client, draft] : {std::pair(county, of_county), std::pair(city, of_city)})
    client.Do({"catalog", "publish", draft});
  network.Until("the province finds both", [&] {
    return province.Do({"catalog", "search", "--template", code}).at("entries").size() == 2;
  });
  CHECK(
      province.Do({"catalog", "search", "--template", "3070120337/000099"}).at("entries").empty());

  // A new version: both are told, with what it changes, and take it in with one command.
  Entry wider = entry;
  wider.items[1].length = 60;
  province.Do(
      {"catalog", "edit",
       network.folder().File("template2.yaml",
                             absl::StrCat(EntryYaml(wider, province.department(), province.uscc()),
                                          "is_template: true\ncode: ", code, "\n"))});
  CHECK(county.Do({"todo"}).at("items").empty());
  province.Do({"catalog", "publish", code});
  network.Until("the county is told of the new version",
                [&] { return county.Do({"todo"}).at("items").size() == 1; });
  const auto told = county.Do({"todo"}).at("items")[0];
  CHECK(told.at("code") == of_county);
  REQUIRE(told.at("changes").size() == 1);
  CHECK(told.at("changes")[0].at("after") == "60");
  CHECK(county.Do({"why", of_county}).at("changes").size() == 1);
  const auto taken = county.Do({"catalog", "claim", code, "--entry", of_county});
  CHECK(taken.at("code") == of_county);
  CHECK(taken.at("items")[1].at("length") == 60);
  CHECK(taken.at("items")[2].at("field") == "grid");
  county.Do({"catalog", "publish", of_county});
  CHECK(county.Do({"todo"}).at("items").empty());
  // Cut off from above the list comes all the same, and says what it could not ask.
  network["630000"].Kill();
  network.Until("the cut is seen",
                [&] { return !city.Do({"todo"}).at("note").get<std::string>().empty(); });
}

}  // namespace
}  // namespace guantong::test
