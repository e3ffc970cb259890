// Code lists: what a version must be, that it stays what it is, what codes are in another one.
#include "catalog/code_list.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "catalog/code_list_way.h"
#include "catalog/row_findings.h"
#include "node/sheets/code_files.h"
#include "node/sheets/workbook.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

v1::ImportCodeListRequest Version(const std::string& version,
                                  const std::vector<std::pair<std::string, std::string>>& codes,
                                  const std::string& id = "GBT2261.1") {
  v1::ImportCodeListRequest request;
  request.mutable_list()->set_id(id);
  request.mutable_list()->set_version(version);
  request.mutable_list()->set_name("性别代码");
  uint32_t row = 2;
  for (const auto& [code, name] : codes) {
    v1::CodeListItem* item = request.mutable_list()->add_items();
    item->set_code(code);
    item->set_name(name);
    request.add_rows(row++);
  }
  return request;
}

std::vector<v1::Problem> Check(const v1::ImportCodeListRequest& request) {
  return CheckCodeList(request.list(), {request.rows().begin(), request.rows().end()});
}

v1::ImportCodeMapRequest Mapping(const std::string& from, const std::string& to,
                                 const std::vector<std::pair<std::string, std::string>>& pairs) {
  v1::ImportCodeMapRequest request;
  request.mutable_map()->set_from(from);
  request.mutable_map()->set_to(to);
  uint32_t row = 2;
  for (const auto& [a, b] : pairs) {
    v1::CodePair* pair = request.mutable_map()->add_pairs();
    pair->set_from(a);
    pair->set_to(b);
    request.add_rows(row++);
  }
  return request;
}

v1::MappedCode Map(LoneNode& node, const std::string& from, const std::string& to,
                   const std::string& code) {
  v1::MapCodesRequest request;
  request.set_from(from);
  request.set_to(to);
  request.add_codes(code);
  const auto mapped = node.code_lists().Map(request);
  REQUIRE(mapped.ok());
  return mapped->codes(0);
}

TEST_CASE("code lists: versions are ordered by the value of their figures") {
  for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{{"9", "10"},
                                                                             {"2003", "2023"},
                                                                             {"201709", "201710"},
                                                                             {"v1.9", "v1.10"},
                                                                             {"2003", "2003-2"},
                                                                             {"a", "b"},
                                                                             {"1", "01"}}) {
    INFO(a << " " << b);
    CHECK(EarlierVersion(a, b) != EarlierVersion(b, a));
    if (a != "1") CHECK(EarlierVersion(a, b));
  }
  CHECK_FALSE(EarlierVersion("7", "7"));
  CHECK(ParseCodeListKey("GBT2261.1@2003")->version == "2003");
  for (const char* bad : {"", "A", "@1", "A@", "A@1@2", "字典@1", "A>B@1"})
    CHECK_FALSE(ParseCodeListKey(bad).has_value());
}

TEST_CASE("code lists: what is wrong is said with its row") {
  CHECK(Check(Version("2003", {{"1", "男"}, {"2", "女"}})).empty());
  const auto row_of = [](v1::ImportCodeListRequest request, const std::string& element) {
    for (const v1::Problem& problem : Check(request)) {
      if (problem.element() == element && !problem.warning()) return problem.place().row();
    }
    return uint32_t{0};
  };
  CHECK(row_of(Version("2003", {{"1", "男"}, {"", "女"}}), "code") == 3);
  CHECK(row_of(Version("2003", {{"1", "男"}, {"2", ""}}), "name") == 3);
  CHECK(row_of(Version("2003", {{"1", "男"}, {"2", "女"}, {"1", "男性"}}), "code") == 4);
  CHECK(Check(Version("2003", {{"1", "男"}, {"2", "女"}, {"1", "男性"}}))[0].text().find(
            "第 2 行") != std::string::npos);
  CHECK(row_of(Version("2003", {{std::string(65, '1'), "长"}}), "code") == 2);
  auto above = Version("2003", {{"1", "省"}, {"11", "市"}});
  above.mutable_list()->mutable_items(1)->set_parent("2");
  CHECK(row_of(above, "parent") == 3);
  above.mutable_list()->mutable_items(1)->set_parent("1");
  CHECK(Check(above).empty());
  above.mutable_list()->mutable_items(0)->set_parent("11");
  CHECK(row_of(above, "parent") == 2);  // a circle
  for (const auto& bad : {Version("", {{"1", "男"}}), Version("2003/1", {{"1", "男"}}),
                          Version("2003", {}), Version("2003", {{"1", "男"}}, "性别")}) {
    CHECK_FALSE(RefuseRows(Check(bad), absl::StatusCode::kInvalidArgument, "x").ok());
  }
  // Not wrong, but worth a look.
  for (const auto& odd : {Version("2003", {{"１", "男"}}), Version("2003", {{"1 ", "男"}}),
                          Version("2003", {{"1", "男"}, {"2", "男"}})}) {
    const auto problems = Check(odd);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].warning());
  }
}

TEST_CASE("code lists: a version is never changed, the next one says what it changes") {
  LoneNode node;
  const auto first = Version("2003", {{"0", "未知"}, {"1", "男"}, {"2", "女"}});
  auto dry = first;
  dry.set_dry_run(true);
  REQUIRE(node.code_lists().Import(dry).ok());
  v1::ShowCodeListRequest show;
  show.set_key("GBT2261.1");
  CHECK(ReasonOf(node.code_lists().Show(show, absl::InfiniteFuture()).status()) ==
        "code_list_unknown");
  REQUIRE(node.code_lists().Import(first).ok());
  CHECK(node.code_lists().Import(first)->same());
  const auto other = Version("2003", {{"0", "未知"}, {"1", "男性"}, {"2", "女"}});
  CHECK(ReasonOf(node.code_lists().Import(other).status()) == "code_list_exists");
  const auto second =
      node.code_lists().Import(Version("2023", {{"0", "未知"}, {"1", "男性"}, {"9", "未说明"}}));
  REQUIRE(second.ok());
  CHECK(second->previous() == "GBT2261.1@2003");
  CHECK(second->added() == 1);
  CHECK(second->removed() == 1);
  CHECK(second->renamed() == 1);

  node.Restart();
  auto shown = node.code_lists().Show(show, absl::InfiniteFuture());
  REQUIRE(shown.ok());
  CHECK(shown->list().list().version() == "2023");
  CHECK(shown->list().items() == 3);
  CHECK(shown->versions_size() == 2);
  show.set_key("GBT2261.1@2003");
  show.set_limit(2);
  shown = node.code_lists().Show(show, absl::InfiniteFuture());
  CHECK(shown->list().list().items_size() == 2);
  show.set_page_token(shown->next_page_token());
  CHECK(node.code_lists().Show(show, absl::InfiniteFuture())->list().list().items(0).code() == "2");

  v1::CloseCodeListRequest close;
  close.set_key("GBT2261.1@2023");
  close.set_successor("GBT2261.1@2023");
  CHECK(ReasonOf(node.code_lists().Close(close).status()) == "successor_closed");
  close.set_successor("GBT2261.1@2003");
  REQUIRE(node.code_lists().Close(close).ok());
  v1::ShowCodeListRequest newest;
  newest.set_key("GBT2261.1");
  CHECK(node.code_lists().Show(newest, absl::InfiniteFuture())->list().list().version() == "2003");
  CHECK(node.code_lists().List({})->lists_size() == 2);
}

TEST_CASE("code lists: a code in another version, and back") {
  LoneNode node;
  REQUIRE(node.code_lists()
              .Import(Version("201709", {{"1", "甲"}, {"2", "乙"}, {"3", "丙"}, {"4", "丁"}}))
              .ok());
  REQUIRE(node.code_lists()
              .Import(Version("201710", {{"1", "甲"}, {"22", "新乙"}, {"23", "旧乙"}}))
              .ok());
  REQUIRE(node.code_lists().Import(Version("1", {{"A", "甲类"}, {"1", "一类"}}, "OTHER")).ok());
  const std::string from = "GBT2261.1@201709", to = "GBT2261.1@201710";
  // Between versions of one list what both have stands for itself, before anybody maps anything.
  CHECK(Map(node, from, to, "1").by() == v1::MAPPED_BY_SAME_CODE);
  CHECK(Map(node, from, to, "2").by() == v1::MAPPED_BY_NOTHING);

  const auto bad = [&](std::vector<std::pair<std::string, std::string>> pairs) {
    return ReasonOf(node.code_lists().ImportMap(Mapping(from, to, pairs)).status());
  };
  CHECK(bad({{"7", "1"}}) == "code_map_invalid");
  CHECK(bad({{"2", "7"}}) == "code_map_invalid");
  CHECK(bad({{"2", "22"}, {"2", "22"}}) == "code_map_invalid");
  CHECK(bad({{"2", "22"}, {"2", ""}}) == "code_map_invalid");
  CHECK(bad({}) == "code_map_invalid");
  const auto mapped =
      node.code_lists().ImportMap(Mapping(from, to, {{"2", "22"}, {"2", "23"}, {"3", ""}}));
  REQUIRE(mapped.ok());
  REQUIRE(mapped->unmapped() == 1);
  CHECK(mapped->unmapped_codes(0) == "4");

  node.Restart();
  CHECK(Map(node, from, to, "1").by() == v1::MAPPED_BY_SAME_CODE);
  const v1::MappedCode split = Map(node, from, to, "2");
  REQUIRE(split.to_size() == 2);
  CHECK(split.to(1).name() == "旧乙");
  CHECK(Map(node, from, to, "3").by() == v1::MAPPED_BY_ENDED);
  CHECK(Map(node, from, to, "4").by() == v1::MAPPED_BY_NOTHING);
  CHECK(Map(node, from, to, "5").by() == v1::MAPPED_BY_NO_CODE);
  const v1::MappedCode back = Map(node, to, from, "23");
  REQUIRE(back.to_size() == 1);
  CHECK(back.to(0).code() == "2");
  // Another list: that both have a code of that name says nothing.
  v1::MapCodesRequest across;
  across.set_from(from);
  across.set_to("OTHER@1");
  CHECK(ReasonOf(node.code_lists().Map(across).status()) == "code_map_unknown");
  REQUIRE(node.code_lists().ImportMap(Mapping(from, "OTHER", {{"2", "A"}})).ok());
  CHECK(Map(node, from, "OTHER", "2").to(0).name() == "甲类");
  CHECK(Map(node, from, "OTHER", "1").by() == v1::MAPPED_BY_NOTHING);
  // Said again, it is corrected.
  REQUIRE(node.code_lists().ImportMap(Mapping(from, to, {{"4", "22"}})).ok());
  CHECK(Map(node, from, to, "4").to(0).code() == "22");
  CHECK(node.code_lists().List({})->maps_size() == 2);
}

TEST_CASE("code lists: an item's dictionary is weighed as the rule says") {
  LoneNode node;
  REQUIRE(node.code_lists().Import(Version("2003", {{"1", "男"}})).ok());
  const auto problems_of = [&](const std::string& dictionary, v1::RuleWeight weight) {
    v1::CatalogEntry entry = LoneNode::Entry(v1::SHARING_TYPE_UNCONDITIONAL);
    entry.mutable_items(1)->set_dictionary(dictionary);
    v1::RulePack pack;
    pack.set_id("x");
    pack.set_effective_from("2020-01-01");
    v1::EntryRule* rule = pack.add_entry_rules();
    rule->set_check("dictionary_known");
    rule->set_weight(weight);
    RuleBook book;
    book.Add(pack);
    const auto snapshot = node.store().Snapshot();
    return CheckDictionariesOf(entry, book.On(DayOf(absl::Now())), [&](const std::string& key) {
      return node.code_lists().Find(*snapshot, key);
    });
  };
  CHECK(problems_of("GBT2261.1@2003", v1::RULE_WEIGHT_REFUSE).empty());
  CHECK(problems_of("", v1::RULE_WEIGHT_REFUSE).empty());
  CHECK(problems_of("GBT2261.1@2023", v1::RULE_WEIGHT_IGNORE).empty());
  REQUIRE(problems_of("GBT2261.1@2023", v1::RULE_WEIGHT_WARN).size() == 1);
  CHECK(problems_of("GBT2261.1@2023", v1::RULE_WEIGHT_WARN)[0].warning());
  const auto refused = problems_of("GBT2261.1@2023", v1::RULE_WEIGHT_REFUSE);
  REQUIRE(refused.size() == 1);
  CHECK_FALSE(refused[0].warning());
  CHECK(refused[0].element() == "items[1].dictionary");
  v1::CloseCodeListRequest close;
  close.set_key("GBT2261.1@2003");
  REQUIRE(node.code_lists().Close(close).ok());
  REQUIRE(problems_of("GBT2261.1@2003", v1::RULE_WEIGHT_REFUSE).size() == 1);
  CHECK(problems_of("GBT2261.1@2003", v1::RULE_WEIGHT_REFUSE)[0].warning());
}

TEST_CASE("code lists: files with title lines, as csv and as a workbook, read the same") {
  const ScratchFolder folder;
  const std::string csv = folder.path("list.csv"), xlsx = folder.path("list.xlsx");
  std::ofstream(csv) << "性别代码表\n\n代 码,名称,排序,上级代码\n1,男,1,\n\n2,女,2,1\n";
  {
    Workbook workbook(xlsx);
    workbook.AddSheet("封面");
    workbook.Write(0, 0, "说明");
    workbook.AddSheet("代码");
    uint32_t row = 2;
    for (const auto& cells : std::vector<std::vector<std::string>>{
             {"代码", "名称", "", "上级代码"}, {"1", "男"}, {}, {"2", "女", "", "1"}}) {
      for (uint32_t column = 0; column < cells.size(); ++column)
        workbook.Write(row, column, cells[column]);
      ++row;
    }
    REQUIRE(workbook.Finish().ok());
  }
  for (const std::string& file : {csv, xlsx}) {
    INFO(file);
    const auto read = ReadCodeListFile(file);
    REQUIRE(read.ok());
    REQUIRE(read->list().items_size() == 2);
    CHECK(read->list().items(1).name() == "女");
    CHECK(read->list().items(1).parent() == "1");
    CHECK(read->rows(0) == 4);
    CHECK(read->rows(1) == 6);
    const auto map = ReadCodeMapFile(file);
    CHECK(ReasonOf(map.status()) == "columns_missing");
  }
  std::ofstream(csv) << "代码,名字\n1,男\n";
  const absl::Status missing = ReadCodeListFile(csv).status();
  CHECK(ReasonOf(missing) == "columns_missing");
  CHECK(missing.message().find("名称") != absl::string_view::npos);
  std::ofstream(csv) << "原代码,新代码\n1,\n2,22\n";
  const auto map = ReadCodeMapFile(csv);
  REQUIRE(map.ok());
  CHECK(map->map().pairs_size() == 2);
  CHECK(map->map().pairs(0).to().empty());
}

TEST_CASE("code lists: the way between versions, over mappings that are known") {
  using Maps = std::vector<std::pair<std::string, std::string>>;
  using Way = std::vector<std::string>;
  const Maps chain = {{"A@1", "B@1"}, {"C@1", "B@1"}};
  CHECK(WayBetween(chain, "A@1", "C@1") == Way{"A@1", "B@1", "C@1"});
  CHECK(WayBetween(chain, "C@1", "A@1") == Way{"C@1", "B@1", "A@1"});
  CHECK(WayBetween(chain, "A@1", "D@1").empty());
  CHECK(WayBetween({}, "A@1", "A@2") == Way{"A@1", "A@2"});
  // Mapped steps before those that only keep their codes, though the way be longer.
  CHECK(WayBetween({{"A@1", "A@2"}, {"A@2", "A@3"}}, "A@1", "A@3") == Way{"A@1", "A@2", "A@3"});
  CHECK(WayBetween({{"A@2", "B@1"}}, "A@1", "B@1") == Way{"A@1", "A@2", "B@1"});
  // Between versions of one list no other list says what a code is.
  CHECK(WayBetween({{"A@1", "B@1"}, {"B@1", "A@2"}}, "A@1", "A@2") == Way{"A@1", "A@2"});
  // The shorter, then the first by its keys; a circle ends.
  CHECK(WayBetween({{"A@1", "C@1"}, {"C@1", "D@1"}, {"A@1", "B@1"}, {"B@1", "D@1"}, {"B@1", "C@1"}},
                   "A@1", "D@1") == Way{"A@1", "B@1", "D@1"});
  Maps long_chain;
  for (int i = 0; i < 9; ++i)
    long_chain.push_back({absl::StrCat("L", i, "@1"), absl::StrCat("L", i + 1, "@1")});
  CHECK(WayBetween(long_chain, "L0@1", "L8@1").size() == kCodeListStepsMax + 1);
  CHECK(WayBetween(long_chain, "L0@1", "L9@1").empty());
}

TEST_CASE("code lists: codes along a chain of mappings, with where they are lost") {
  LoneNode node;
  const auto import = [&](const std::string& id,
                          const std::vector<std::pair<std::string, std::string>>& codes) {
    REQUIRE(node.code_lists().Import(Version("1", codes, id)).ok());
  };
  import("A", {{"1", "甲"}, {"2", "乙"}, {"3", "丙"}, { "4", "丁" }});
  import("B", {{"a", "子"}, {"b", "丑"}, { "c", "寅" }});
  import("C", {{"x", "一"}, { "y", "二" }});
  v1::MapCodesRequest request;
  request.set_from("A@1");
  request.set_to("C");
  CHECK(ReasonOf(node.code_lists().Map(request).status()) == "code_map_unknown");
  REQUIRE(node.code_lists()
              .ImportMap(Mapping("A@1", "B@1",
                                 {{"1", "a"}, {"1", "b"}, {"2", "b"}, {"3", ""}, {"4", "c"}}))
              .ok());
  CHECK(ReasonOf(node.code_lists().Map(request).status()) == "code_map_unknown");
  // Said from the other end.
  REQUIRE(node.code_lists().ImportMap(Mapping("C@1", "B@1", {{"x", "a"}, {"y", "b"}})).ok());
  const auto mapped = node.code_lists().Map(request);
  REQUIRE(mapped.ok());
  REQUIRE(mapped->via_size() == 1);
  CHECK(mapped->via(0) == "B@1");
  REQUIRE(mapped->codes_size() == 4);
  CHECK(mapped->codes(0).to_size() == 2);
  CHECK(mapped->codes(0).to(1).name() == "二");
  CHECK(mapped->codes(0).by() == v1::MAPPED_BY_MAP);
  CHECK(mapped->codes(1).to(0).code() == "y");
  CHECK(mapped->codes(2).by() == v1::MAPPED_BY_ENDED);
  CHECK(mapped->codes(2).note().find("A@1 3 → B@1 废止") != std::string::npos);
  CHECK(mapped->codes(3).by() == v1::MAPPED_BY_NOTHING);
  CHECK(mapped->codes(3).note().find("B@1 c → C@1 无对应") != std::string::npos);
  // Back along the same way.
  CHECK(Map(node, "C@1", "A@1", "y").to_size() == 2);
  CHECK(Map(node, "C@1", "A@1", "9").by() == v1::MAPPED_BY_NO_CODE);
  // A mapping of the two themselves goes before.
  REQUIRE(node.code_lists().ImportMap(Mapping("A@1", "C@1", {{"1", "y"}})).ok());
  const auto direct = node.code_lists().Map(request);
  CHECK(direct->via().empty());
  CHECK(direct->codes(0).to_size() == 1);
}

}  // namespace
}  // namespace guantong
