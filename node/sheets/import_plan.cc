#include "node/sheets/import_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/entry.h"
#include "node/language.h"

namespace guantong {
namespace {

// The entries of a department, each taken once.
class Held {
 public:
  explicit Held(const std::vector<v1::CatalogEntry>& entries) {
    for (const v1::CatalogEntry& entry : entries) {
      by_code_[entry.code()] = &entry;
      by_name_[PlainName(entry.name())].push_back(&entry);
    }
  }

  // Null: none.
  const v1::CatalogEntry* TakeByCode(const std::string& code) {
    const auto it = by_code_.find(code);
    return it == by_code_.end() || !taken_.insert(it->second).second ? nullptr : it->second;
  }
  const v1::CatalogEntry* TakeByName(const v1::CatalogEntry& like) {
    const auto it = by_name_.find(PlainName(like.name()));
    if (it == by_name_.end() || it->first.empty()) return nullptr;
    const v1::CatalogEntry* found = nullptr;
    for (const v1::CatalogEntry* one : it->second) {
      if (taken_.count(one) > 0) continue;
      if (found == nullptr || (one->class_() == like.class_() && found->class_() != like.class_()))
        found = one;
    }
    if (found != nullptr) taken_.insert(found);
    return found;
  }

 private:
  std::map<std::string, const v1::CatalogEntry*> by_code_;
  std::map<std::string, std::vector<const v1::CatalogEntry*>> by_name_;
  std::set<const v1::CatalogEntry*> taken_;
};

void AddPlaced(const EntrySheets& sheets, const SheetEntry& from, std::vector<v1::Problem> problems,
               std::vector<v1::Problem>* all) {
  for (v1::Problem& problem : problems) {
    if (!problem.has_place()) *problem.mutable_place() = PlaceOf(sheets, from, problem.element());
    all->push_back(std::move(problem));
  }
}

// What of a cell could not be read is not also missing.
bool SaidAlready(const std::vector<v1::Problem>& cells, const v1::Problem& problem) {
  return std::any_of(cells.begin(), cells.end(), [&](const v1::Problem& cell) {
    return !cell.warning() && cell.element() == problem.element();
  });
}

std::vector<v1::Problem> RulesOn(const v1::CatalogEntry& entry, absl::string_view uscc,
                                 const std::vector<v1::Problem>& of_cells) {
  std::vector<v1::Problem> problems;
  for (v1::Problem& problem : CheckEntry(entry)) {
    const bool given_by_node = problem.element() == "provider" && entry.provider().empty();
    if (!given_by_node && !SaidAlready(of_cells, problem)) problems.push_back(std::move(problem));
  }
  if (IsUscc(entry.provider_code()) && entry.provider_code() != uscc) {
    v1::Problem& problem = problems.emplace_back();
    problem.set_element("provider_code");
    problem.set_text(absl::StrCat(Text("提供方代码 ", "provider code "), entry.provider_code(),
                                  Text(" 不是登录部门 ", " is not the caller's department "),
                                  uscc));
    problem.set_remedy(
        Text("由该部门自己导入，或更正代码", "that department imports it, or correct the code"));
  }
  return problems;
}

}  // namespace

const char* ImportActionName(ImportAction action) {
  switch (action) {
    case ImportAction::kNew:
      return "new";
    case ImportAction::kChange:
      return "change";
    case ImportAction::kUnchanged:
      return "unchanged";
    default:
      return "refused";
  }
}

bool HasError(const std::vector<v1::Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const v1::Problem& problem) { return !problem.warning(); });
}

std::vector<PlannedEntry> PlanImport(EntrySheets* sheets, const std::vector<v1::CatalogEntry>& held,
                                     absl::string_view uscc) {
  Held index(held);
  std::vector<const v1::CatalogEntry*> before(sheets->entries.size());
  for (size_t i = 0; i < before.size(); ++i)
    before[i] =
        index.TakeByCode(std::string(absl::StripAsciiWhitespace(sheets->entries[i].entry.code())));
  std::vector<v1::CatalogEntry> together;
  std::vector<PlannedEntry> plan;
  for (size_t i = 0; i < before.size(); ++i) {
    SheetEntry& from = sheets->entries[i];
    if (before[i] == nullptr) before[i] = index.TakeByName(from.entry);
    if (before[i] != nullptr) {
      KeepUnsaid(*sheets, *before[i], &from);
      from.entry.set_code(before[i]->code());
    }
    PlannedEntry& planned = plan.emplace_back();
    planned.entry = from.entry;
    planned.problems = from.problems;
    if (planned.entry.provider_code().empty()) planned.entry.set_provider_code(std::string(uscc));
    AddPlaced(*sheets, from, NormaliseEntry(&planned.entry), &planned.problems);
    AddPlaced(*sheets, from, RulesOn(planned.entry, uscc, from.problems), &planned.problems);
    together.push_back(planned.entry);
  }
  std::vector<std::vector<v1::Problem>> seen_together = CheckTogether(together);
  for (size_t i = 0; i < plan.size(); ++i) {
    PlannedEntry& planned = plan[i];
    AddPlaced(*sheets, sheets->entries[i], std::move(seen_together[i]), &planned.problems);
    planned.action = HasError(planned.problems)             ? ImportAction::kRefused
                     : before[i] == nullptr                 ? ImportAction::kNew
                     : SameEntry(planned.entry, *before[i]) ? ImportAction::kUnchanged
                                                            : ImportAction::kChange;
  }
  return plan;
}

}  // namespace guantong
