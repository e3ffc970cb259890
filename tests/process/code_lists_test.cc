// Code lists in the tree: those of a level hold in all of its branch, and are used there.
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

TEST_CASE("a code list of the country is used in a county, one of a province in its counties") {
  Network network(NineNodes());
  Node& national = network["000000"];
  Node& province = network["630000"];
  Node& county = network["630102"];
  Node& far = network["441900"];
  const auto knows = [](Node& node, const std::string& key) {
    return node.Operator().Try({"codelist", "show", key}).ok();
  };
  const auto import = [&](Node& node, const std::string& version, const std::string& rows) {
    return node.Operator().Try({"codelist", "import",
                                network.folder().File("list.csv", "代码,名称\n" + rows), "--id",
                                "GBT2261.1", "--version", version, "--name", "性别代码"});
  };
  Entry entry = CodeAndName("居民名录");
  const Client editor = county.Editor();
  const auto warned = [&] {
    std::string yaml = EntryYaml(entry, editor.department(), editor.uscc());
    const size_t at = yaml.find("field: name");
    REQUIRE(at != std::string::npos);
    yaml.insert(at, "dictionary: GBT2261.1@2003, ");
    const auto drafted =
        editor.Do({"catalog", "register", network.folder().File("entry.yaml", yaml)});
    return !drafted.at("warnings").empty() &&
           drafted.at("warnings")[0].at("element") == "items[1].dictionary";
  };
  CHECK(warned());

  REQUIRE(import(national, "2003", "0,未知\n1,男\n2,女\n").ok());
  network.Until("城东区 knows the list of the country", [&] { return knows(county, "GBT2261.1"); });
  CHECK_FALSE(warned());
  CHECK(county.Operator()
            .Do({"codelist", "show", "GBT2261.1@2003", "--code", "2"})
            .at("list")
            .at("list")
            .at("items")[0]
            .at("name") == "女");

  // What stands above is not said otherwise below, a new version is.
  CHECK(ReasonOf(import(province, "2003", "1,男\n")) == "code_list_exists");
  CHECK(import(province, "2003", "0,未知\n1,男\n2,女\n").ok());
  REQUIRE(import(province, "2003-QH", "0,未知\n1,男\n2,女\n9,未说明\n").ok());
  const std::string map = network.folder().File("map.csv", "原代码,新代码\n0,9\n");
  province.Operator().Do(
      {"codelist", "map", "GBT2261.1@2003", "GBT2261.1@2003-QH", "--import", map});
  network.Until("城东区 knows the list and the mapping of the province", [&] {
    const Outcome mapped =
        county.Operator().Try({"codelist", "map", "GBT2261.1@2003", "GBT2261.1@2003-QH", "0", "1"});
    return mapped.ok() && mapped.json().at("codes")[0].at("to")[0].at("code") == "9" &&
           mapped.json().at("codes")[1].at("by") == "same_code";
  });
  CHECK(county.Operator().Do({"codelist", "list"}).at("lists").size() == 2);
  // It is the province's to correct.
  const Outcome otherwise =
      county.Operator().Try({"codelist", "map", "GBT2261.1@2003", "GBT2261.1@2003-QH", "--import",
                             network.folder().File("other_map.csv", "原代码,新代码\n0,1\n")});
  CHECK(ReasonOf(otherwise) == "code_map_exists");

  // Over the mapping, and a step of the list's own, from another list.
  REQUIRE(
      province.Operator()
          .Try({"codelist", "import", network.folder().File("old.csv", "代码,名称\nW,不详\nM,男\n"),
                "--id", "QH-XB", "--version", "1", "--name", "旧性别代码"})
          .ok());
  province.Operator().Do({"codelist", "map", "QH-XB@1", "GBT2261.1@2003", "--import",
                          network.folder().File("chain.csv", "原代码,新代码\nW,0\nM,1\n")});
  network.Until("城东区 maps over the list between", [&] {
    const Outcome mapped =
        county.Operator().Try({"codelist", "map", "QH-XB", "GBT2261.1@2003-QH", "W"});
    return mapped.ok() && mapped.json().at("via")[0] == "GBT2261.1@2003" &&
           mapped.json().at("codes")[0].at("to")[0].at("code") == "9";
  });
  province.Operator().Do({"codelist", "close", "QH-XB@1"});

  // Beside the province it is not known, but found where it is.
  network.Until("东莞市 knows the list of the country",
                [&] { return knows(far, "GBT2261.1@2003"); });
  CHECK(far.Operator().Try({"codelist", "show", "GBT2261.1@2003-QH"}).exit_status == 3);
  CHECK(far.Operator()
            .Do({"codelist", "show", "GBT2261.1@2003-QH", "--at", province.path()})
            .at("list")
            .at("items") == 4);
  network.Until("the country sees the list of the province", [&] {
    return national.Operator().Do({"codelist", "list", "--all"}).at("lists").size() == 3;
  });
  CHECK(ReasonOf(import(national, "2003-QH", "1,男\n")) == "code_list_exists");

  // It is on disk where it is used, and a closed one is told there.
  county.Kill();
  county.Start();
  CHECK(knows(county, "GBT2261.1@2003-QH"));
  network.UntilLinked(county);
  CHECK(ReasonOf(county.Operator().Try({"codelist", "close", "GBT2261.1@2003"})) ==
        "not_your_code_list");
  national.Operator().Do({"codelist", "close", "GBT2261.1@2003", "--reason", "修订"});
  network.Until("城东区 is told that it is closed", [&] { return warned(); });
}

TEST_CASE("of a version said twice while a line was cut, what the higher level says counts") {
  Network network({{"000000", "国家", "national", ""},
                   {"630000", "青海省", "province", "000000"},
                   {"630100", "西宁市", "city", "630000"}});
  Node& national = network["000000"];
  Node& province = network["630000"];
  Node& city = network["630100"];
  const auto import = [&](Node& node, const std::string& rows) {
    node.Operator().Do({"codelist", "import",
                        network.folder().File("list.csv", "代码,名称\n" + rows), "--id", "XB",
                        "--version", "1", "--name", "性别代码"});
  };
  const auto says = [&](Node& node) {
    return std::string(node.Operator()
                           .Do({"codelist", "show", "XB@1"})
                           .at("list")
                           .at("list")
                           .at("items")[0]
                           .at("name"));
  };
  national.Kill();
  import(province, "1,男性\n");
  network.Until("西宁市 knows what the province says", [&] {
    return city.Operator().Try({"codelist", "show", "XB@1"}).ok();
  });
  CHECK(says(city) == "男性");
  province.Kill();
  national.Start();
  import(national, "1,男\n");
  province.Start();
  network.UntilLinked(province);
  for (Node* node : {&national, &province, &city}) {
    network.Until("what the country says counts", [&] { return says(*node) == "男"; });
  }
}

}  // namespace
}  // namespace guantong::test
