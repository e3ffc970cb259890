#include "catalog/rule_book.h"

#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "node/rules.h"
#include "tests/catch.h"

namespace guantong {
namespace {

v1::RulePack Pack(const std::string& id, const std::string& from, uint32_t days) {
  v1::RulePack pack;
  pack.set_id(id);
  pack.set_effective_from(from);
  v1::Term* term = pack.add_terms();
  term->set_name("supervisor_review");
  term->set_working_days(days);
  return pack;
}

TEST_CASE("rules: the later pack holds from its day, the earlier one before") {
  RuleBook book;
  book.Add(Pack("new", "2025-08-01", 5));
  book.Add(Pack("old", "2016-09-05", 10));
  CHECK(book.On(absl::CivilDay(2016, 9, 4)).FindTerm("supervisor_review") == nullptr);
  CHECK(book.On(absl::CivilDay(2025, 7, 31)).FindTerm("supervisor_review")->working_days() == 10);
  CHECK(book.On(absl::CivilDay(2025, 8, 1)).FindTerm("supervisor_review")->working_days() == 5);
  // Said again: the same pack, otherwise.
  book.Add(Pack("new", "2025-08-01", 7));
  CHECK(book.packs().size() == 2);
  CHECK(book.On(absl::CivilDay(2026, 1, 1)).FindTerm("supervisor_review")->working_days() == 7);
}

TEST_CASE("rules: working days pass over week ends and holidays, not over days worked instead") {
  RuleBook book;
  v1::RulePack pack = Pack("calendar", "2020-01-01", 1);
  pack.add_holidays("2026-10-01");  // a Thursday
  pack.add_workdays("2026-10-10");  // a Saturday
  book.Add(pack);
  const absl::CivilDay wednesday(2026, 9, 30);
  CHECK(book.Due(wednesday, 1) == absl::CivilDay(2026, 10, 2));
  CHECK(book.Due(wednesday, 2) == absl::CivilDay(2026, 10, 5));
  CHECK(book.Due(absl::CivilDay(2026, 10, 9), 1) == absl::CivilDay(2026, 10, 10));
  CHECK(book.DaysLeft(wednesday, book.Due(wednesday, 5)) == 5);
  CHECK(book.DaysLeft(wednesday, wednesday) == 0);
  CHECK(book.DaysLeft(absl::CivilDay(2026, 10, 5), wednesday) == -2);
}

TEST_CASE("rules: a rule covers its classes and what is below them") {
  v1::EntryRule rule;
  rule.add_classes("1");
  rule.add_classes("307012");
  CHECK(RuleCovers(rule, "101"));
  CHECK(RuleCovers(rule, "30701299"));
  CHECK_FALSE(RuleCovers(rule, "301"));
}

TEST_CASE("rules: the packs shipped are well-formed and weigh base libraries") {
  const auto packs = LoadRulePacks(std::string(GUANTONG_SOURCE_DIR) + "/deploy/rules");
  REQUIRE(packs.ok());
  REQUIRE(packs->size() >= 2);
  RuleBook book;
  for (const v1::RulePack& pack : *packs) book.Add(pack);
  const RulesOfDay rules = book.On(absl::CivilDay(2026, 1, 1));
  REQUIRE(rules.FindEntryRule("base_unconditional") != nullptr);
  CHECK(RuleCovers(*rules.FindEntryRule("base_unconditional"), "101"));
  CHECK_FALSE(RuleCovers(*rules.FindEntryRule("base_unconditional"), "301"));
  CHECK(rules.FindTerm("department_review") != nullptr);
  CHECK(rules.FindTerm("rework")->working_days() == 10);
}

TEST_CASE("rules: synonyms of all packs hold, of each pack those of its latest edition") {
  const auto pack = [](const std::string& id, const std::string& from,
                       const std::vector<std::string>& words) {
    v1::RulePack made = Pack(id, from, 1);
    v1::SynonymGroup* group = made.add_synonyms();
    for (const std::string& word : words) group->add_words(word);
    return made;
  };
  RuleBook book;
  book.Add(pack("a", "2026-01-01", {"低保", "最低生活保障"}));
  book.Add(pack("a", "2027-01-01", {"社保", "社会保险"}));
  book.Add(pack("b", "2025-01-01", {"卫健委", "卫生健康委员会"}));
  const auto first_words = [&](absl::CivilDay day) {
    std::vector<std::string> words;
    for (const v1::SynonymGroup& group : book.On(day).Synonyms()) words.push_back(group.words(0));
    return words;
  };
  CHECK(first_words(absl::CivilDay(2025, 6, 1)) == std::vector<std::string>{"卫健委"});
  CHECK(first_words(absl::CivilDay(2026, 6, 1)) == std::vector<std::string>{"低保", "卫健委"});
  CHECK(first_words(absl::CivilDay(2027, 6, 1)) == std::vector<std::string>{"社保", "卫健委"});
  for (const std::vector<std::string>& bad :
       {std::vector<std::string>{"低保"}, {"低保", ""}, {"低保", "最低，生活"}})
    CHECK(DetailOf(CheckRulePack(pack("x", "2026-01-01", bad))).reason == "rule_pack_invalid");
}

TEST_CASE("rules: a pack that says nothing usable is refused with its reason") {
  const auto reason = [](const v1::RulePack& pack) { return DetailOf(CheckRulePack(pack)).reason; };
  CHECK(reason(Pack("good", "2026-01-01", 3)).empty());
  CHECK(reason(Pack("", "2026-01-01", 3)) == "rule_pack_invalid");
  CHECK(reason(Pack("x", "2026-02-30", 3)) == "rule_pack_invalid");
  CHECK(reason(Pack("x", "2026-01-01", 0)) == "rule_pack_invalid");
  v1::RulePack days = Pack("x", "2026-01-01", 1);
  days.add_holidays("国庆");
  CHECK(reason(days) == "rule_pack_invalid");
}

}  // namespace
}  // namespace guantong
