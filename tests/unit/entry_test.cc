#include "catalog/entry.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/format.h"
#include "tests/catch.h"

namespace guantong {
namespace {

v1::CatalogEntry Streets() {
  v1::CatalogEntry entry;
  entry.set_class_("3070120337");
  entry.set_name("街道名录");
  entry.set_provider("青海省民政厅");
  entry.set_provider_code("116300000150100095");
  entry.set_abstract("全省乡镇街道");
  v1::DataItem* item = entry.add_items();
  item->set_name("代码");
  item->set_field("code");
  item->set_type(v1::ITEM_TYPE_C);
  item->set_length(9);
  item->set_key(true);
  item = entry.add_items();
  item->set_name("名称");
  item->set_field("name");
  item->set_type(v1::ITEM_TYPE_C);
  entry.mutable_sharing()->set_type(v1::SHARING_TYPE_UNCONDITIONAL);
  v1::Resource* resource = entry.add_resources();
  resource->set_mode(v1::SHARING_MODE_TABLE);
  resource->set_format("0310");
  entry.mutable_open()->set_public_(true);
  entry.mutable_open()->set_condition("无");
  entry.set_update_cycle(v1::UPDATE_CYCLE_YEARLY);
  entry.set_division("630000");
  NormaliseEntry(&entry);
  return entry;
}

TEST_CASE("entry: credit codes of GB 32100") {
  for (const char* good : {"91350100M000100Y43", "11100000000013338W", "91330203674737244W",
                           "91320105780688132K", "91512081MA62K0260E", "91230500MA1B3N1N2M",
                           "11370800MB28559184", "113700000045046442", "11430000006122244L"}) {
    INFO(good);
    CHECK(IsUscc(good));
    // Every single wrong character is noticed.
    for (size_t i = 0; i < 18; ++i) {
      std::string wrong = good;
      wrong[i] = wrong[i] == '1' ? '2' : '1';
      CHECK_FALSE(IsUscc(wrong));
    }
  }
  for (const char* bad : {"91350100M000100Y4Z", "91105105780688132K", "91350100m000100y43", "",
                          "91350100M000100Y4", "91350100M000100Y433", "9135O100M000100Y43"}) {
    INFO(bad);
    CHECK_FALSE(IsUscc(bad));
  }
  CHECK(DivisionOfUscc("91350100M000100Y43") == "350100");
}

TEST_CASE("entry: a complete entry has no problems") {
  const v1::CatalogEntry entry = Streets();
  for (const v1::Problem& problem : CheckEntry(entry)) {
    FAIL_CHECK(problem.element() << ": " << problem.text());
  }
  CHECK(ValidateEntry(entry).ok());
}

TEST_CASE("entry: each rule is broken once") {
  struct Case {
    const char* element;
    std::function<void(v1::CatalogEntry*)> change;
    bool warning = false;
  };
  const std::vector<Case> cases = {
      {"class", [](auto* e) { e->set_class_(""); }},
      {"class", [](auto* e) { e->set_class_("307/012"); }},
      {"class", [](auto* e) { e->set_class_(std::string(25, '1')); }},
      {"other_classes[1]",
       [](auto* e) {
         e->add_other_classes("201");
         e->add_other_classes("x");
       }},
      {"name", [](auto* e) { e->set_name(""); }},
      {"code", [](auto* e) { e->set_code("307-1"); }},
      {"code", [](auto* e) { e->set_code("307/630000000001:1"); }},
      {"provider", [](auto* e) { e->set_provider(""); }},
      {"provider_code", [](auto* e) { e->set_provider_code(""); }},
      {"provider_code", [](auto* e) { e->set_provider_code("91350100M000100Y4Z"); }},
      {"division", [](auto* e) { e->set_division("6300"); }},
      {"division", [](auto* e) { e->set_division("640000"); }, true},
      {"abstract", [](auto* e) { e->set_abstract(""); }},
      {"items", [](auto* e) { e->clear_items(); }},
      {"items", [](auto* e) { e->mutable_items(0)->set_key(false); }},
      {"items[1].name", [](auto* e) { e->mutable_items(1)->set_name(""); }},
      {"items[1].field", [](auto* e) { e->mutable_items(1)->set_field("code"); }},
      {"items[1].field", [](auto* e) { e->mutable_items(1)->set_field("Name"); }},
      {"items[1].field", [](auto* e) { e->mutable_items(1)->set_field("1st"); }},
      {"items[1].field", [](auto* e) { e->mutable_items(1)->set_field(""); }},
      {"items[0].type", [](auto* e) { e->mutable_items(0)->clear_type(); }},
      {"items[0].scale", [](auto* e) { e->mutable_items(0)->set_scale(10); }},
      {"items[0].sharing.basis",
       [](auto* e) {
         e->mutable_items(0)->mutable_sharing()->set_type(v1::SHARING_TYPE_NOT_SHARED);
       }},
      {"sharing.type", [](auto* e) { e->clear_sharing(); }},
      {"sharing.condition",
       [](auto* e) { e->mutable_sharing()->set_type(v1::SHARING_TYPE_CONDITIONAL); }},
      {"sharing.basis",
       [](auto* e) {
         e->mutable_open()->set_public_(false);
         e->mutable_sharing()->set_type(v1::SHARING_TYPE_NOT_SHARED);
       }},
      {"open.condition", [](auto* e) { e->mutable_open()->clear_condition(); }},
      {"open.public",
       [](auto* e) {
         e->mutable_sharing()->set_type(v1::SHARING_TYPE_NOT_SHARED);
         e->mutable_sharing()->set_basis("保密法");
       },
       true},
      {"update_cycle", [](auto* e) { e->clear_update_cycle(); }},
      {"format", [](auto* e) { e->set_format("0399"); }},
      {"format", [](auto* e) { e->clear_format(); }, true},
      {"resources[0].mode", [](auto* e) { e->mutable_resources(0)->clear_mode(); }},
      {"resources[0].format", [](auto* e) { e->mutable_resources(0)->set_format(""); }},
      {"resources[0].format", [](auto* e) { e->mutable_resources(0)->set_format("9999"); }},
      {"resources[0].format", [](auto* e) { e->mutable_resources(0)->set_format("0105"); }},
      {"resources[0].format",
       [](auto* e) { e->mutable_resources(0)->set_mode(v1::SHARING_MODE_SERVICE); }},
      {"resources[0].id", [](auto* e) { e->mutable_resources(0)->set_id("a:b"); }},
      {"resources[1].id", [](auto* e) { *e->add_resources() = e->resources(0); }},
      {"related[0]", [](auto* e) { e->add_related("街道"); }},
      {"secrecy", [](auto* e) { e->set_secrecy("秘密"); }},
      {"entry", [](auto* e) { e->set_abstract(std::string(kEntryBytesMax, 'a')); }},
  };
  for (const Case& broken : cases) {
    v1::CatalogEntry entry = Streets();
    broken.change(&entry);
    const std::vector<v1::Problem> problems = CheckEntry(entry);
    INFO(broken.element << " of " << problems.size());
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].element() == broken.element);
    CHECK(problems[0].warning() == broken.warning);
    CHECK_FALSE(problems[0].text().empty());
    const absl::Status status = ValidateEntry(entry);
    CHECK(status.ok() == broken.warning);
    if (!status.ok()) {
      CHECK(DetailOf(status).reason == "entry_invalid");
      CHECK(DetailOf(status).subject == broken.element);
    }
  }
}

TEST_CASE("entry: an empty entry lists everything it lacks") {
  const absl::Status status = ValidateEntry(v1::CatalogEntry());
  const std::string text(status.message());
  for (const char* element :
       {"class", "name", "provider", "provider_code", "abstract", "sharing.type", "update_cycle"}) {
    INFO(element);
    CHECK(text.find(std::string(element) + ": ") != std::string::npos);
  }
}

TEST_CASE("entry: what is right in other ways") {
  v1::CatalogEntry entry = Streets();
  entry.set_secrecy("非涉密");
  CHECK(ValidateEntry(entry).ok());
  // Published before anything is bound; of a database the items are known all the same.
  entry.clear_resources();
  CHECK(ValidateEntry(entry).ok());
  entry.clear_items();
  CHECK(DetailOf(ValidateEntry(entry)).subject == "items");
  entry.set_format("0105");
  CHECK(ValidateEntry(entry).ok());
  v1::Resource* file = entry.add_resources();
  file->set_id("docs");
  file->set_mode(v1::SHARING_MODE_FILE);
  file->set_format("0105");
  v1::Resource* service = entry.add_resources();
  service->set_id("2");
  service->set_mode(v1::SHARING_MODE_SERVICE);
  service->set_format("07");
  CHECK(ValidateEntry(entry).ok());
  entry.mutable_sharing()->set_type(v1::SHARING_TYPE_CONDITIONAL);
  entry.mutable_sharing()->set_condition("工作参考");
  CHECK(ValidateEntry(entry).ok());
}

RulesOfDay Weighed(const char* check, v1::RuleWeight weight, std::vector<std::string> classes,
                   std::vector<std::string> words) {
  v1::RulePack pack;
  pack.set_id("test");
  pack.set_effective_from("2020-01-01");
  v1::EntryRule* rule = pack.add_entry_rules();
  rule->set_check(check);
  rule->set_weight(weight);
  rule->set_basis("某号文");
  for (const std::string& one : classes) rule->add_classes(one);
  for (const std::string& one : words) rule->add_words(one);
  RuleBook book;
  book.Add(pack);
  return book.On(absl::CivilDay(2026, 1, 1));
}

TEST_CASE("entry: what a base library shares is unconditional, as heavily as a rule says") {
  v1::CatalogEntry entry = Streets();
  entry.set_class_("101");
  entry.mutable_items(1)->mutable_sharing()->set_type(v1::SHARING_TYPE_CONDITIONAL);
  entry.mutable_items(1)->mutable_sharing()->set_condition("核验");
  CHECK(CheckEntry(entry).empty());
  const auto refused =
      CheckEntry(entry, Weighed("base_unconditional", v1::RULE_WEIGHT_REFUSE, {"1"}, {}));
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].element() == "items[1].sharing.type");
  CHECK_FALSE(refused[0].warning());
  CHECK(refused[0].remedy().find("某号文") != std::string::npos);
  const auto flagged =
      CheckEntry(entry, Weighed("base_unconditional", v1::RULE_WEIGHT_WARN, {"1"}, {}));
  REQUIRE(flagged.size() == 1);
  CHECK(flagged[0].warning());
  CHECK(
      CheckEntry(entry, Weighed("base_unconditional", v1::RULE_WEIGHT_IGNORE, {"1"}, {})).empty());
  entry.set_class_("301");
  CHECK(
      CheckEntry(entry, Weighed("base_unconditional", v1::RULE_WEIGHT_REFUSE, {"1"}, {})).empty());
}

TEST_CASE("entry: secrets of state and of work never enter, words of a rule neither") {
  v1::CatalogEntry entry = Streets();
  for (const char* secret : {"秘密", "机密", "工作秘密", "涉密"}) {
    entry.set_secrecy(secret);
    CHECK(DetailOf(ValidateEntry(entry)).subject == "secrecy");
  }
  entry.set_secrecy("否");
  CHECK(ValidateEntry(entry).ok());
  entry.set_name("工作秘密清单");
  const RulesOfDay rules =
      Weighed("secrecy_words", v1::RULE_WEIGHT_REFUSE, {}, {"工作秘密", "绝密"});
  CHECK(DetailOf(ValidateEntry(entry, rules)).subject == "name");
}

TEST_CASE("entry: a lower-case provider code is taken in capitals and flagged") {
  v1::CatalogEntry entry = Streets();
  const std::string code = "11100000000013338W";
  entry.set_provider_code(absl::AsciiStrToLower(code));
  const auto problems = NormaliseEntry(&entry);
  CHECK(entry.provider_code() == code);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].element() == "provider_code");
  CHECK(problems[0].warning());
  CHECK(NormaliseEntry(&entry).empty());
}

TEST_CASE("entry: a dictionary is named with its version, items apart by more than spaces") {
  v1::CatalogEntry entry = Streets();
  entry.mutable_items(0)->set_dictionary("GBT2260@2023");
  CHECK(CheckEntry(entry).empty());
  for (const char* bad : {"GBT2260", "@2023", "GBT2260@", "a@b@c"}) {
    entry.mutable_items(0)->set_dictionary(bad);
    CHECK(DetailOf(ValidateEntry(entry)).subject == "items[0].dictionary");
  }
  entry.mutable_items(0)->clear_dictionary();
  entry.mutable_items(1)->set_name(" " + entry.items(0).name() + "（）");
  const auto problems = CheckEntry(entry);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].element() == "items[1].name");
  CHECK(problems[0].warning());
}

TEST_CASE("entries: what dragging down leaves behind, and names that differ by punctuation") {
  std::vector<v1::CatalogEntry> entries(6, Streets());
  const char* names[] = {"目录1",        "目录2",           "目录3",
                         "企业登记信息", "企业 登记信息。", "婚姻登记2020"};
  for (size_t i = 0; i < entries.size(); ++i) entries[i].set_name(names[i]);
  const auto problems = CheckTogether(entries);
  REQUIRE(problems.size() == 6);
  for (size_t i = 0; i < 3; ++i) {
    REQUIRE(problems[i].size() == 1);
    CHECK(problems[i][0].text().find("目录3") != std::string::npos);
  }
  CHECK(problems[3].empty());
  REQUIRE(problems[4].size() == 1);
  CHECK(problems[4][0].text().find("企业登记信息") != std::string::npos);
  CHECK(problems[5].empty());
}

TEST_CASE("entry: normalising fills what follows from the rest") {
  v1::CatalogEntry entry;
  entry.set_name("\u3000街道名录 \t");
  entry.set_provider_code(" 91350100m000100y43\n");
  v1::DataItem* item = entry.add_items();
  item->set_name(" 行政相对人 ");
  item->set_english_name("XK_XDR MC");
  entry.add_items()->set_field(" kept ");
  entry.add_themes(" 民生 ");
  for (const char* id : {"", "1", ""}) {
    v1::Resource* resource = entry.add_resources();
    resource->set_id(id);
    resource->set_mode(v1::SHARING_MODE_TABLE);
    resource->set_format("0310");
  }
  entry.set_node(" \x01 ");
  NormaliseEntry(&entry);
  CHECK(entry.name() == "街道名录");
  CHECK(entry.provider_code() == "91350100M000100Y43");
  CHECK(entry.items(0).name() == "行政相对人");
  CHECK(entry.items(0).field() == "xk_xdr_mc");
  CHECK(entry.items(1).field() == "kept");
  CHECK(entry.themes(0) == "民生");
  CHECK(entry.resources(0).id() == "2");
  CHECK(entry.resources(1).id() == "1");
  CHECK(entry.resources(2).id() == "3");
  CHECK(entry.format() == "0310");
  REQUIRE(entry.sharing().modes_size() == 1);
  CHECK(entry.sharing().modes(0) == v1::SHARING_MODE_TABLE);
  CHECK(entry.node() == " \x01 ");
  const std::string once = entry.SerializeAsString();
  NormaliseEntry(&entry);
  CHECK(entry.SerializeAsString() == once);
}

TEST_CASE("entry: codes and references") {
  CHECK(MakeCode("3070120337", "630000", 1) == "3070120337/630000000001");
  CHECK(MakeCode("1", "630000", 1234567) == "1/6300001234567");
  const auto ref = ParseResourceRef("3070120337/630000000001:docs-1");
  REQUIRE(ref.ok());
  CHECK(ref->code == "3070120337/630000000001");
  CHECK(ref->id == "docs-1");
  CHECK(ParseResourceRef("3070240106/000001")->id == "");
  for (const char* bad : {"", "/", "1/", "/1", "1", "1:1", "a/1", "1/1:", "1/1:1:1", "1/1/1",
                          "1 /1", "1/甲", "1/1:甲", "1:1/1"}) {
    INFO(bad);
    const auto refused = ParseResourceRef(bad);
    CHECK(DetailOf(refused.status()).reason == "code_malformed");
    CHECK_FALSE(DetailOf(refused.status()).remedy.empty());
  }
  CHECK(ParseResourceRef(MakeCode("1", "630000", 1)).ok());
}

TEST_CASE("entry: the public half has no items") {
  const v1::CatalogEntry open = OpenHalf(Streets());
  CHECK(open.items().empty());
  CHECK(open.items_withheld());
  CHECK(open.name() == "街道名录");
  CHECK(ValidateEntry(open).ok());
}

TEST_CASE("entry: formats of the guide") {
  CHECK(FormatName("0310") == "mysql");
  CHECK(FormatName("07") == "服务接口");
  CHECK(FormatName("03") == "");
  CHECK(FormatName("") == "");
  CHECK(FormatFits("0203", v1::SHARING_MODE_TABLE));
  CHECK(FormatFits("0203", v1::SHARING_MODE_FILE));
  CHECK_FALSE(FormatFits("0101", v1::SHARING_MODE_TABLE));
  CHECK_FALSE(FormatFits("07", v1::SHARING_MODE_FILE));
}

}  // namespace
}  // namespace guantong
