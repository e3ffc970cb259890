// Rule packs (rule.proto): which of them holds on a day, terms in working days, how checks on
// entries weigh. The packs are data: shipped with the program, added to in the node's folder, sent
// down by a level.
#ifndef GUANTONG_CATALOG_RULE_BOOK_H_
#define GUANTONG_CATALOG_RULE_BOOK_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/rule.pb.h"

namespace guantong {

// CCYY-MM-DD; nothing when it is no date.
std::optional<absl::CivilDay> ParseDay(absl::string_view text);
std::string DayText(absl::CivilDay day);
// The day of a moment in China, where all working days are counted.
absl::CivilDay DayOf(absl::Time time);

// INVALID_ARGUMENT rule_pack_invalid names what is wrong.
absl::Status CheckRulePack(const v1::RulePack& pack);

// What holds on one day: of two packs that speak of the same thing the later one.
class RulesOfDay {
 public:
  // Null: no such term.
  const v1::Term* FindTerm(absl::string_view name) const;
  // Null: nobody has said how the check weighs.
  const v1::EntryRule* FindEntryRule(absl::string_view check) const;
  // Words that search takes for each other: of all packs, of each the edition that holds.
  std::vector<v1::SynonymGroup> Synonyms() const;

 private:
  friend class RuleBook;
  std::map<std::string, v1::Term> terms_;
  std::map<std::string, v1::EntryRule> entry_rules_;
  std::map<std::string, std::vector<v1::SynonymGroup>> synonyms_;  // by id of the pack
};

// Immutable once filled; any thread.
class RuleBook {
 public:
  // A pack of the same id and date takes the place of one added before.
  void Add(v1::RulePack pack);
  const std::vector<v1::RulePack>& packs() const { return packs_; }

  RulesOfDay On(absl::CivilDay day) const;

  // Monday to Friday, but for what the calendars of all packs say.
  bool IsWorkingDay(absl::CivilDay day) const;
  // The last of `days` working days that follow `from`.
  absl::CivilDay Due(absl::CivilDay from, uint32_t days) const;
  // Working days after `from` up to and with `until`; negative when `until` has passed.
  int DaysLeft(absl::CivilDay from, absl::CivilDay until) const;

 private:
  std::vector<v1::RulePack> packs_;  // by date
  std::map<absl::CivilDay, bool> calendar_;
};

// A finding as the rule weighs it; nothing when it is to be ignored. The remedy names the basis.
std::optional<v1::Problem> Weigh(const v1::EntryRule& rule, absl::string_view element,
                                 absl::string_view text);

// Whether class `code` is one of the rule's or stands below one.
bool RuleCovers(const v1::EntryRule& rule, absl::string_view code);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_RULE_BOOK_H_
