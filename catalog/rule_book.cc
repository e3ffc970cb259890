#include "catalog/rule_book.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/status.h"
#include "catalog/search/synonyms.h"
#include "catalog/search/text.h"

namespace guantong {
namespace {

absl::Status Invalid(const v1::RulePack& pack, absl::string_view text) {
  return Error(absl::StatusCode::kInvalidArgument, "rule_pack_invalid",
               absl::StrCat("规则包 ", pack.id(), "：", text), pack.id());
}

absl::CivilDay EffectiveDay(const v1::RulePack& pack) {
  return ParseDay(pack.effective_from()).value_or(absl::CivilDay());
}

bool EarlierPack(const v1::RulePack& a, const v1::RulePack& b) {
  return std::make_pair(EffectiveDay(a), a.id()) < std::make_pair(EffectiveDay(b), b.id());
}

}  // namespace

std::optional<absl::CivilDay> ParseDay(absl::string_view text) {
  absl::CivilDay day;
  if (text.size() != 10 || !absl::ParseCivilTime(text, &day)) return std::nullopt;
  if (absl::FormatCivilTime(day) != text) return std::nullopt;
  return day;
}

std::string DayText(absl::CivilDay day) { return absl::FormatCivilTime(day); }

absl::CivilDay DayOf(absl::Time time) {
  constexpr int kSecondsEastOfGreenwich = 8 * 3600;
  return absl::ToCivilDay(time, absl::FixedTimeZone(kSecondsEastOfGreenwich));
}

absl::Status CheckRulePack(const v1::RulePack& pack) {
  if (pack.id().empty()) return Invalid(pack, "缺少 id (it has no id)");
  if (!ParseDay(pack.effective_from()).has_value())
    return Invalid(pack, "effective_from 应为 CCYY-MM-DD (is no date)");
  for (const v1::Term& term : pack.terms()) {
    if (term.name().empty() || term.working_days() == 0)
      return Invalid(pack, "terms 应有 name 和 working_days (a term lacks name or days)");
  }
  for (const v1::EntryRule& rule : pack.entry_rules()) {
    if (rule.check().empty() || rule.weight() == v1::RULE_WEIGHT_UNSPECIFIED)
      return Invalid(pack, "entry_rules 应有 check 和 weight (a rule lacks check or weight)");
  }
  if (static_cast<size_t>(pack.synonyms_size()) > search::kSynonymGroupsMax)
    return Invalid(pack, "synonyms 组数太多 (too many groups)");
  for (const v1::SynonymGroup& group : pack.synonyms()) {
    if (group.words_size() < 2) return Invalid(pack, "synonyms 每组至少两个词 (a single word)");
    for (const std::string& word : group.words()) {
      if (search::PiecesOf(word).size() != 1)
        return Invalid(pack, absl::StrCat("synonyms 的 ", word, " 应为不含标点的词 (no word)"));
    }
  }
  for (const auto* days : {&pack.holidays(), &pack.workdays()}) {
    for (const std::string& day : *days) {
      if (!ParseDay(day).has_value())
        return Invalid(pack, absl::StrCat(day, " 不是日期 (no date)"));
    }
  }
  return absl::OkStatus();
}

const v1::Term* RulesOfDay::FindTerm(absl::string_view name) const {
  const auto it = terms_.find(std::string(name));
  return it == terms_.end() ? nullptr : &it->second;
}

const v1::EntryRule* RulesOfDay::FindEntryRule(absl::string_view check) const {
  const auto it = entry_rules_.find(std::string(check));
  return it == entry_rules_.end() ? nullptr : &it->second;
}

std::vector<v1::SynonymGroup> RulesOfDay::Synonyms() const {
  std::vector<v1::SynonymGroup> all;
  for (const auto& [id, groups] : synonyms_) all.insert(all.end(), groups.begin(), groups.end());
  return all;
}

void RuleBook::Add(v1::RulePack pack) {
  for (const std::string& day : pack.holidays()) {
    if (const auto parsed = ParseDay(day)) calendar_[*parsed] = false;
  }
  for (const std::string& day : pack.workdays()) {
    if (const auto parsed = ParseDay(day)) calendar_[*parsed] = true;
  }
  packs_.erase(std::remove_if(packs_.begin(), packs_.end(),
                              [&](const v1::RulePack& held) {
                                return held.id() == pack.id() &&
                                       held.effective_from() == pack.effective_from();
                              }),
               packs_.end());
  packs_.insert(std::upper_bound(packs_.begin(), packs_.end(), pack, EarlierPack), std::move(pack));
}

RulesOfDay RuleBook::On(absl::CivilDay day) const {
  RulesOfDay rules;
  for (const v1::RulePack& pack : packs_) {
    if (EffectiveDay(pack) > day) break;
    for (const v1::Term& term : pack.terms()) rules.terms_[term.name()] = term;
    for (const v1::EntryRule& rule : pack.entry_rules()) rules.entry_rules_[rule.check()] = rule;
    if (pack.synonyms_size() > 0)
      rules.synonyms_[pack.id()].assign(pack.synonyms().begin(), pack.synonyms().end());
  }
  return rules;
}

bool RuleBook::IsWorkingDay(absl::CivilDay day) const {
  const auto it = calendar_.find(day);
  if (it != calendar_.end()) return it->second;
  const absl::Weekday weekday = absl::GetWeekday(day);
  return weekday != absl::Weekday::saturday && weekday != absl::Weekday::sunday;
}

absl::CivilDay RuleBook::Due(absl::CivilDay from, uint32_t days) const {
  for (uint32_t left = days; left > 0;) {
    ++from;
    if (IsWorkingDay(from)) --left;
  }
  return from;
}

int RuleBook::DaysLeft(absl::CivilDay from, absl::CivilDay until) const {
  int days = 0;
  for (; from < until; ++from) days += IsWorkingDay(from + 1) ? 1 : 0;
  for (; from > until; --from) days -= IsWorkingDay(from) ? 1 : 0;
  return days;
}

std::optional<v1::Problem> Weigh(const v1::EntryRule& rule, absl::string_view element,
                                 absl::string_view text) {
  if (rule.weight() == v1::RULE_WEIGHT_IGNORE) return std::nullopt;
  v1::Problem problem;
  problem.set_element(std::string(element));
  problem.set_text(std::string(text));
  if (!rule.basis().empty())
    problem.set_remedy(absl::StrCat("依据 ", rule.basis(), " (by this rule)"));
  problem.set_warning(rule.weight() == v1::RULE_WEIGHT_WARN);
  return problem;
}

bool RuleCovers(const v1::EntryRule& rule, absl::string_view code) {
  return std::any_of(rule.classes().begin(), rule.classes().end(),
                     [&](const std::string& prefix) { return absl::StartsWith(code, prefix); });
}

}  // namespace guantong
