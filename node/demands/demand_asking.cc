#include "node/demands/demand_asking.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/demand.h"
#include "catalog/demand_view.h"
#include "node/clock.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr char kDemands[] = "demands";

bool SameDemand(const v1::HeldDemand& a, const v1::HeldDemand& b) {
  return a.demand().id() == b.demand().id() && a.demand().node() == b.demand().node();
}

// Two nodes' words about one demand: of each record the later one.
void MergeInto(const v1::HeldDemand& from, v1::HeldDemand* to) {
  if (from.demand().closed()) *to->mutable_demand() = from.demand();
  if (from.escalated()) {
    to->set_authority(from.authority());
    to->set_authority_division(from.authority_division());
    to->set_escalated(true);
  }
  for (const v1::HeldAnswer& answer : from.answers()) {
    v1::HeldAnswer* same = nullptr;
    for (v1::HeldAnswer& held : *to->mutable_answers()) {
      if (held.node() == answer.node() && held.answer().uscc() == answer.answer().uscc())
        same = &held;
    }
    if (same == nullptr) {
      *to->add_answers() = answer;
    } else if (TimeOfTimestamp(same->answer().at()) < TimeOfTimestamp(answer.answer().at())) {
      *same = answer;
    }
  }
}

}  // namespace

void DemandAsking::Register() {
  calls_.Serve(kDemands,
               [this](const v1::SignedCall& call, absl::Time) -> absl::StatusOr<std::string> {
                 v1::DemandsCall asked;
                 if (!asked.ParseFromString(call.body())) {
                   return Error(absl::StatusCode::kInvalidArgument, "call_malformed",
                                "调用内容无法解析 (the call's body does not parse)");
                 }
                 DemandSight sight(&site_, &directory_);
                 v1::DemandsReply reply = FindHere(sight.snapshot(), asked);
                 for (v1::HeldDemand& held : *reply.mutable_demands()) {
                   const v1::DemandView view = ViewOf(&sight, held);
                   held.set_escalated(view.escalated());
                   held.set_authority(view.authority());
                   held.set_authority_division(view.authority_division());
                 }
                 return reply.SerializeAsString();
               });
}

bool DemandAsking::HoldsAll() const {
  return site_.path().is_root() || site_.options.catalog_scope == CatalogScope::kCountry;
}

v1::DemandsReply DemandAsking::FindHere(const Reader& snapshot, const v1::DemandsCall& call) const {
  std::set<std::string> ids(call.ids().begin(), call.ids().end());
  for (const std::string& whom : call.addressees()) {
    for (std::string& id : DemandsAsking(snapshot, whom, kDemandsListedMax))
      ids.insert(std::move(id));
  }
  v1::DemandsReply reply;
  size_t bytes = 0;
  for (const std::string& id : ids) {
    if (static_cast<size_t>(reply.demands_size()) >= kDemandsListedMax ||
        bytes > kReplyBytesMax / 2) {
      reply.set_more(true);
      break;
    }
    for (DemandRecords& records : FindDemands(snapshot, id)) {
      const absl::StatusOr<v1::TreeNode> node = directory_.Find(snapshot, records.demand.node());
      if (!node.ok()) continue;
      v1::HeldDemand* held = reply.add_demands();
      *held->mutable_demand() = std::move(records.demand);
      held->set_path(node->path());
      held->set_node_name(node->name());
      for (DemandRecords::Answer& answer : records.answers) {
        // Who is not known here may stand anywhere.
        const absl::StatusOr<v1::TreeNode> by = directory_.Find(snapshot, answer.node_id);
        if (!by.ok()) continue;
        v1::HeldAnswer* told = held->add_answers();
        *told->mutable_answer() = std::move(answer.answer);
        told->set_node(answer.node_id);
        told->set_path(by->path());
        told->set_node_name(by->name());
      }
      bytes += held->ByteSizeLong();
    }
  }
  return reply;
}

DemandsFound DemandAsking::Find(const Reader& snapshot, v1::DemandsCall call,
                                const std::string& uscc, absl::Time deadline) {
  DemandsFound found;
  v1::DemandsReply here = FindHere(snapshot, call);
  found.demands.assign(here.demands().begin(), here.demands().end());
  found.complete = !here.more();
  if (here.more()) found.note = "需求太多，没有列全 (cut at a bound)";
  if (HoldsAll()) return found;
  // Above there may be answers to what was found here by whom it asks.
  std::set<std::string> ids(call.ids().begin(), call.ids().end());
  for (const v1::HeldDemand& held : found.demands) {
    if (ids.insert(held.demand().id()).second) call.add_ids(held.demand().id());
  }
  if (call.ids().empty() && call.addressees().empty()) return found;
  const Calls::Highest above = calls_.AskHighest(
      NodePath(), {.method = kDemands, .body = call.SerializeAsString(), .uscc = uscc}, deadline);
  v1::DemandsReply more;
  const bool answered = above.answer.status.ok() && more.ParseFromString(above.answer.body);
  if (!answered) {
    found.complete = false;
    found.note = absl::StrCat(
        "上级不可达，可能还有别处的需求和答复 (nobody above could be asked, there may be more): ",
        above.answer.status.message());
    return found;
  }
  if (!above.missing.ok()) {
    found.complete = false;
    found.note = absl::StrCat("只问到 ", DisplayPath(above.by),
                              " (asked no higher than there): ", above.missing.message());
  }
  found.complete &= !more.more();
  for (const v1::HeldDemand& told : more.demands()) {
    const auto same =
        std::find_if(found.demands.begin(), found.demands.end(),
                     [&](const v1::HeldDemand& held) { return SameDemand(held, told); });
    if (same == found.demands.end()) {
      found.demands.push_back(told);
    } else {
      MergeInto(told, &*same);
    }
  }
  std::sort(found.demands.begin(), found.demands.end(),
            [](const auto& a, const auto& b) { return a.demand().id() < b.demand().id(); });
  return found;
}

std::string DemandAsking::HostedAbove(const Reader& snapshot, const v1::Demand& demand,
                                      const Addressee& asked) const {
  if (demand.node() != site_.node_id()) return "";
  const std::string& division = demand.division();
  const std::string of = DivisionOf(asked);
  const bool both = of.empty() || of == division;
  if (!both || division == site_.options.division) return "";
  return desk_.SupervisorOf(snapshot, division).has_value() ? division : "";
}

v1::DemandView DemandAsking::ViewOf(DemandSight* sight, const v1::HeldDemand& held) const {
  v1::DemandView view;
  *view.mutable_demand() = held.demand();
  view.set_path(held.path());
  view.set_node_name(held.node_name());
  view.set_complete(true);
  const NodePath place = NodePath::Parse(held.path()).value_or(NodePath());
  const std::vector<v1::HeldAnswer> answers =
      AnswersThatCount(held.demand(), place, {held.answers().begin(), held.answers().end()});
  const DemandStanding standing = StandingOf(held.demand(), answers);
  for (const v1::HeldAnswer& answer : answers) *view.add_answers() = answer;
  view.set_state(standing.state);
  const std::shared_ptr<const RuleBook> book = rules_.Book(sight->snapshot());
  const absl::CivilDay today = DayOf(absl::Now());
  if (const auto due = DueDay(standing, *book)) {
    view.set_has_term(true);
    view.set_due(DayText(*due));
    view.set_days_left(book->DaysLeft(today, *due));
  }
  if (standing.state != v1::DEMAND_STATE_UNANSWERED) return view;
  if (held.escalated()) {
    view.set_escalated(true);
    view.set_authority(held.authority());
    // Whoever stands above does not know who is hosted here.
    view.set_authority_division(held.authority() == site_.path().text()
                                    ? HostedAbove(sight->snapshot(), held.demand(), standing.asked)
                                    : held.authority_division());
    return view;
  }
  // Before it is overdue only what asks nobody has gone up.
  if (view.days_left() >= 0 && !standing.asked.whom.empty()) return view;
  const std::optional<NodePath> authority =
      AuthorityOf(standing, place, sight->nodes(), *book, today);
  // Of nodes beside this branch only whoever holds all knows how near they are.
  if (authority.has_value() && (*authority == site_.path() || HoldsAll())) {
    view.set_escalated(true);
    view.set_authority(authority->text());
    if (*authority == site_.path()) {
      view.set_authority_division(HostedAbove(sight->snapshot(), held.demand(), standing.asked));
    }
  }
  return view;
}

}  // namespace guantong
