#include "catalog/demand.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/entry.h"

namespace guantong {
namespace {

constexpr char kTerm[] = "demand_answer";

bool Plain(absl::string_view text) { return text.find('\0') == absl::string_view::npos; }

absl::Time TimeOf(const google::protobuf::Timestamp& at) {
  return absl::FromUnixSeconds(at.seconds()) + absl::Nanoseconds(at.nanos());
}

NodePath CommonAncestor(const NodePath& a, const NodePath& b) {
  NodePath at = a;
  while (!at.Contains(b)) at = at.Parent();
  return at;
}

v1::Department DepartmentOf(const v1::DemandAnswer& answer) {
  v1::Department department;
  department.set_uscc(answer.uscc());
  department.set_name(answer.department());
  department.set_division(answer.division());
  return department;
}

std::optional<uint32_t> TermOf(const DemandStanding& standing, const RuleBook& book) {
  const RulesOfDay rules = book.On(DayOf(standing.since));
  const v1::Term* term = rules.FindTerm(kTerm);
  if (term == nullptr) return std::nullopt;
  return term->working_days();
}

}  // namespace

std::string NameOfDemand(const v1::Demand& demand) {
  const bool plain = Plain(demand.id()) && demand.id().find('/') == std::string::npos &&
                     Plain(demand.answer().uscc());
  if (demand.id().empty() || !plain) return "";
  const std::string name =
      demand.has_answer() ? absl::StrCat(demand.id(), "/", demand.answer().uscc()) : demand.id();
  return demand.key() == name ? name : "";
}

DemandIndex IndexOfDemand(const FeedKey& feed, const v1::Demand& demand) {
  DemandIndex index;
  index.held.push_back(DemandIndexKey(demand.id(), demand.answer().uscc(), feed));
  const bool assigns = demand.answer().kind() == v1::DEMAND_ANSWER_KIND_ASSIGN;
  if (demand.has_answer() && !assigns) return index;
  const std::string whom = AddresseeKey(assigns ? demand.answer().to() : demand.from());
  if (whom.size() > kFactNameBytesMax || !Plain(whom)) return index;
  (demand.closed() ? index.ended : index.held)
      .push_back(AddresseeIndexKey(whom, demand.id(), feed));
  return index;
}

void NormaliseDemand(v1::Demand* demand) {
  for (std::string* text :
       {demand->mutable_what(), demand->mutable_from(), demand->mutable_from_division(),
        demand->mutable_basis(), demand->mutable_scenario(), demand->mutable_frequency()}) {
    *text = std::string(absl::StripAsciiWhitespace(*text));
  }
  const std::string upper = absl::AsciiStrToUpper(demand->from());
  if (IsUscc(upper)) demand->set_from(upper);
}

std::vector<v1::Problem> CheckDemand(const v1::Demand& demand) {
  constexpr size_t kTextBytesMax = 4096;
  std::vector<v1::Problem> problems;
  const auto add = [&](const char* element, std::string text, const char* remedy) {
    v1::Problem& problem = problems.emplace_back();
    problem.set_element(element);
    problem.set_text(std::move(text));
    problem.set_remedy(remedy);
  };
  const auto require = [&](const std::string& text, const char* element, const char* name,
                           const char* remedy) {
    if (text.empty()) add(element, absl::StrCat("缺少", name, "（必填）"), remedy);
    if (text.size() > kTextBytesMax)
      add(element, absl::StrCat(name, "过长"), "写短一些 (shorten it)");
  };
  require(demand.what(), "what", "所需数据", "说明需要哪些数据 (say what is needed): --what");
  require(demand.basis(), "basis", "依据", "写明法规或职责依据 (say on what basis): --basis");
  require(demand.scenario(), "scenario", "应用场景", "写明用途 (say for what): --scenario");
  require(demand.frequency(), "frequency", "更新频率",
          "如 每日、每月 (say how often): --frequency");
  if (demand.from().size() > kFactNameBytesMax || !Plain(demand.from()))
    add("from", "提供方过长", "写名称或统一社会信用代码 (a name or a USCC)");
  const bool looks_like_uscc = demand.from().size() == kUsccBytes &&
                               std::all_of(demand.from().begin(), demand.from().end(),
                                           [](unsigned char c) { return absl::ascii_isalnum(c); });
  if (looks_like_uscc && !IsUscc(demand.from())) {
    add("from", absl::StrCat("“", demand.from(), "”不是有效的统一社会信用代码（校验码不符）"),
        "改正代码，或写部门名称 (correct it, or write the name)");
  }
  if (!demand.from_division().empty() && !IsDivisionCode(demand.from_division())) {
    add("from_division", absl::StrCat("“", demand.from_division(), "”不是 6 位行政区划代码"),
        "如 (like) 441900");
  }
  return problems;
}

std::string AddresseeKey(absl::string_view whom) {
  std::string upper = absl::AsciiStrToUpper(whom);
  return IsUscc(upper) ? upper : PlainName(whom);
}

bool Names(const Addressee& addressee, const v1::Department& department) {
  if (addressee.whom.empty()) return false;
  const std::string whom = AddresseeKey(addressee.whom);
  if (whom == department.uscc()) return true;
  return whom == PlainName(department.name()) &&
         (addressee.division.empty() || addressee.division == department.division());
}

std::string DivisionOf(const Addressee& addressee) {
  if (!addressee.division.empty()) return addressee.division;
  const std::string upper = absl::AsciiStrToUpper(addressee.whom);
  return IsUscc(upper) ? DivisionOfUscc(upper) : "";
}

std::vector<v1::HeldAnswer> AnswersThatCount(const v1::Demand& demand, const NodePath& place,
                                             const std::vector<v1::HeldAnswer>& answers) {
  std::vector<v1::HeldAnswer> counting;
  std::vector<Addressee> asked = {{.whom = demand.from(), .division = demand.from_division()}};
  for (const v1::HeldAnswer& held : answers) {
    const absl::StatusOr<NodePath> path = NodePath::Parse(held.path());
    if (!held.answer().supervising() || !path.ok() || !path->Contains(place)) continue;
    counting.push_back(held);
    if (held.answer().kind() == v1::DEMAND_ANSWER_KIND_ASSIGN)
      asked.push_back({.whom = held.answer().to(), .division = held.answer().to_division()});
  }
  for (const v1::HeldAnswer& held : answers) {
    if (held.answer().supervising() || held.answer().kind() == v1::DEMAND_ANSWER_KIND_ASSIGN)
      continue;
    const v1::Department department = DepartmentOf(held.answer());
    if (std::any_of(asked.begin(), asked.end(),
                    [&](const Addressee& one) { return Names(one, department); })) {
      counting.push_back(held);
    }
  }
  std::stable_sort(counting.begin(), counting.end(), [](const auto& a, const auto& b) {
    return TimeOf(a.answer().at()) < TimeOf(b.answer().at());
  });
  return counting;
}

DemandStanding StandingOf(const v1::Demand& demand, const std::vector<v1::HeldAnswer>& answers) {
  DemandStanding standing{.state = v1::DEMAND_STATE_UNANSWERED,
                          .asked = {.whom = demand.from(), .division = demand.from_division()},
                          .since = TimeOf(demand.at())};
  for (const v1::HeldAnswer& held : answers) {
    switch (held.answer().kind()) {
      case v1::DEMAND_ANSWER_KIND_MATCH:
        standing.state = v1::DEMAND_STATE_MATCHED;
        break;
      case v1::DEMAND_ANSWER_KIND_REFUSE:
        standing.state = v1::DEMAND_STATE_REFUSED;
        break;
      case v1::DEMAND_ANSWER_KIND_ASSIGN:
        standing = {.state = v1::DEMAND_STATE_UNANSWERED,
                    .asked = {.whom = held.answer().to(), .division = held.answer().to_division()},
                    .since = TimeOf(held.answer().at())};
        break;
      default:
        standing.state = v1::DEMAND_STATE_ANSWERED;
    }
  }
  if (demand.closed()) standing.state = v1::DEMAND_STATE_CLOSED;
  return standing;
}

std::optional<NodePath> PlaceOfDivision(const std::vector<v1::TreeNode>& nodes,
                                        absl::string_view division) {
  if (!IsDivisionCode(division)) return std::nullopt;
  for (const size_t digits : {6, 4, 2, 0}) {
    const std::string wanted =
        absl::StrCat(division.substr(0, digits), std::string(6 - digits, '0'));
    const v1::TreeNode* found = nullptr;
    for (const v1::TreeNode& node : nodes) {
      if (node.division() == wanted && (found == nullptr || node.path() < found->path()))
        found = &node;
    }
    if (found == nullptr) continue;
    absl::StatusOr<NodePath> path = NodePath::Parse(found->path());
    if (path.ok()) return *std::move(path);
  }
  return std::nullopt;
}

std::optional<absl::CivilDay> DueDay(const DemandStanding& standing, const RuleBook& book) {
  const std::optional<uint32_t> term = TermOf(standing, book);
  if (standing.state != v1::DEMAND_STATE_UNANSWERED || !term.has_value()) return std::nullopt;
  return book.Due(DayOf(standing.since), *term);
}

std::optional<NodePath> AuthorityOf(const DemandStanding& standing, const NodePath& place,
                                    const std::vector<v1::TreeNode>& nodes, const RuleBook& book,
                                    absl::CivilDay today) {
  if (standing.state != v1::DEMAND_STATE_UNANSWERED) return std::nullopt;
  const std::optional<uint32_t> term = TermOf(standing, book);
  size_t terms = 0;
  if (term.has_value()) {
    for (absl::CivilDay due = book.Due(DayOf(standing.since), *term);
         due < today && terms <= place.depth(); due = book.Due(due, *term)) {
      ++terms;
    }
  }
  const std::string division = DivisionOf(standing.asked);
  if (!division.empty()) {
    const std::optional<NodePath> asked = PlaceOfDivision(nodes, division);
    if (terms == 0) return std::nullopt;
    return asked.has_value() ? CommonAncestor(place, *asked) : NodePath();
  }
  // A name that many may have: first those who have it.
  if (!standing.asked.whom.empty()) {
    if (terms == 0) return std::nullopt;
    --terms;
  }
  return place.Ancestor(place.depth() - std::min(terms, place.depth()));
}

}  // namespace guantong
