#include "node/demands/demands.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/demand.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/entry_rules.h"

namespace guantong {
namespace {

absl::Status Unknown(const std::string& id) {
  return Error(absl::StatusCode::kNotFound, "demand_unknown",
               absl::StrCat("没有这个需求：", id, " (no such demand)"), id,
               "见 guantong demand list (see the list)");
}

absl::Status Invalid(absl::string_view element, absl::string_view text, absl::string_view remedy) {
  return Error(absl::StatusCode::kInvalidArgument, "demand_invalid", text, element, remedy);
}

// `answer` is what the department has just said.
void SetOwn(const v1::TreeNode& self, const v1::DemandAnswer& answer, v1::HeldDemand* held) {
  v1::HeldAnswer* own = nullptr;
  for (v1::HeldAnswer& one : *held->mutable_answers()) {
    if (one.node() == self.node_id() && one.answer().uscc() == answer.uscc()) own = &one;
  }
  if (own == nullptr) own = held->add_answers();
  *own->mutable_answer() = answer;
  own->set_node(self.node_id());
  own->set_path(self.path());
  own->set_node_name(self.name());
  held->clear_escalated();
}

}  // namespace

absl::Status Demands::Append(const std::vector<v1::Demand>& demands, WriteSet extra) {
  AppendRecords append = {.kind = v1::FEED_KIND_DEMANDS, .extra = std::move(extra)};
  for (const v1::Demand& demand : demands) {
    append.records.emplace_back().set_demand(demand.SerializeAsString());
    append.author = demand.has_answer() ? demand.answer().uscc() : demand.uscc();
  }
  return site_.driver->Write(std::move(append)).status();
}

absl::StatusOr<v1::HeldDemand> Demands::Load(const Reader& snapshot, const CallerIdentity& caller,
                                             const std::string& id, absl::Time deadline) {
  v1::DemandsCall call;
  call.add_ids(id);
  DemandsFound found = asking_.Find(snapshot, std::move(call), caller.uscc, deadline);
  if (!found.demands.empty()) {
    // Of two of one id the own one is meant.
    const auto own = std::find_if(
        found.demands.begin(), found.demands.end(),
        [&](const v1::HeldDemand& held) { return held.demand().node() == site_.node_id(); });
    return own == found.demands.end() ? found.demands.front() : *own;
  }
  if (found.complete) return Unknown(id);
  return Error(absl::StatusCode::kUnavailable, "demand_unasked",
               absl::StrCat("本节点没有需求 ", id, "；", found.note), id,
               "上级恢复后再试 (try again when the parent is back)");
}

absl::StatusOr<v1::DemandView> Demands::Show(const CallerIdentity& caller, const std::string& id,
                                             absl::Time deadline) {
  DemandSight sight(&site_, &directory_);
  v1::DemandsCall call;
  call.add_ids(id);
  const DemandsFound found = asking_.Find(sight.snapshot(), std::move(call), caller.uscc, deadline);
  if (found.demands.empty()) return Load(sight.snapshot(), caller, id, deadline).status();
  v1::DemandView view = asking_.ViewOf(&sight, found.demands.front());
  view.set_complete(found.complete);
  view.set_note(found.note);
  return view;
}

absl::Status Demands::CheckAnswer(const CallerIdentity& caller, const v1::HeldDemand& held,
                                  const v1::Department& department, v1::DemandAnswer* answer,
                                  absl::Time deadline) {
  const v1::Demand& demand = held.demand();
  if (demand.closed()) {
    return Error(absl::StatusCode::kFailedPrecondition, "demand_closed",
                 absl::StrCat("需求 ", demand.id(), " 已关闭 (the demand is closed)"), demand.id());
  }
  GT_ASSIGN_OR_RETURN(const NodePath place, NodePath::Parse(held.path()));
  const std::vector<v1::HeldAnswer> counting =
      AnswersThatCount(demand, place, {held.answers().begin(), held.answers().end()});
  const DemandStanding standing = StandingOf(demand, counting);
  const bool assigns = answer->kind() == v1::DEMAND_ANSWER_KIND_ASSIGN;
  const bool asked = Names(standing.asked, department) ||
                     Names({.whom = demand.from(), .division = demand.from_division()}, department);
  const bool hosted =
      demand.node() == site_.node_id() && department.division() == demand.division();
  const bool supervises = department.supervising() && site_.path().Contains(place) &&
                          (hosted || department.division() == site_.options.division);
  if (!(asked && !assigns) && !supervises) {
    return Error(
        absl::StatusCode::kPermissionDenied, "not_asked",
        absl::StrCat("需求 ", demand.id(),
                     assigns ? " 只能由主管部门转派 (only a supervising authority assigns)"
                             : " 没有问 "
                               "本部门，本部门也不是其上级的主管部门 (it is not asked of you)"),
        demand.id(), "见 guantong demand show (see whom it asks)");
  }
  answer->set_supervising(assigns || !asked);
  switch (answer->kind()) {
    case v1::DEMAND_ANSWER_KIND_REPLY:
    case v1::DEMAND_ANSWER_KIND_REFUSE:
      if (answer->text().empty())
        return Invalid("text", "缺少答复内容 (an answer has to say something)", "加 --text");
      break;
    case v1::DEMAND_ANSWER_KIND_MATCH: {
      GT_ASSIGN_OR_RETURN(const v1::ShowResponse shown,
                          finder_.Find(answer->code(), caller, deadline));
      GT_RETURN_IF_ERROR(CheckInForce(shown.entry()));
      answer->set_code(shown.entry().code());
      break;
    }
    case v1::DEMAND_ANSWER_KIND_ASSIGN: {
      v1::Demand to;
      to.set_from(answer->to());
      to.set_from_division(answer->to_division());
      NormaliseDemand(&to);
      if (to.from().empty())
        return Invalid("to", "没有写转派给谁 (it says nobody)", "加 --to 部门或代码");
      for (const v1::Problem& problem : CheckDemand(to)) {
        if (problem.element() == "from" || problem.element() == "from_division")
          return Invalid("to", problem.text(), problem.remedy());
      }
      answer->set_to(to.from());
      answer->set_to_division(to.from_division());
      break;
    }
    default:
      return Invalid("kind", "没有写答复的种类 (it says no kind)", "");
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::DemandView> Demands::Answer(const CallerIdentity& caller,
                                               const v1::AnswerDemandRequest& request,
                                               absl::Time deadline) {
  DemandSight sight(&site_, &directory_);
  GT_ASSIGN_OR_RETURN(v1::HeldDemand held, Load(sight.snapshot(), caller, request.id(), deadline));
  const auto department = desk_.FindDepartment(sight.snapshot(), caller.uscc);
  v1::DemandAnswer answer;
  answer.set_kind(request.answer().kind());
  answer.set_text(std::string(absl::StripAsciiWhitespace(request.answer().text())));
  answer.set_code(request.answer().code());
  answer.set_to(request.answer().to());
  answer.set_to_division(request.answer().to_division());
  GT_RETURN_IF_ERROR(
      CheckAnswer(caller, held, department.value_or(v1::Department()), &answer, deadline));
  answer.set_uscc(caller.uscc);
  answer.set_department(department->name());
  answer.set_division(department->division());
  *answer.mutable_at() = TimestampOf(absl::Now());
  v1::Demand record;
  record.set_id(held.demand().id());
  record.set_node(held.demand().node());
  record.set_key(absl::StrCat(record.id(), "/", answer.uscc()));
  *record.mutable_answer() = answer;
  GT_RETURN_IF_ERROR(Append({record}, WriteSet()));
  SetOwn(directory_.self(), answer, &held);
  return asking_.ViewOf(&sight, held);
}

absl::StatusOr<v1::DemandView> Demands::Close(const CallerIdentity& caller,
                                              const v1::CloseDemandRequest& request,
                                              absl::Time deadline) {
  std::lock_guard<std::mutex> lock(change_mutex_);
  DemandSight sight(&site_, &directory_);
  GT_ASSIGN_OR_RETURN(v1::HeldDemand held, Load(sight.snapshot(), caller, request.id(), deadline));
  v1::Demand& demand = *held.mutable_demand();
  if (demand.node() != site_.node_id() || demand.uscc() != caller.uscc) {
    return Error(absl::StatusCode::kPermissionDenied, "not_your_demand",
                 absl::StrCat("需求 ", demand.id(), " 由 ", demand.department(),
                              " 提出 (another department has said it)"),
                 demand.id(), "请提出部门关闭 (ask that department)");
  }
  if (demand.closed()) return asking_.ViewOf(&sight, held);
  demand.set_closed(true);
  demand.set_closed_because(request.reason());
  *demand.mutable_closed_at() = TimestampOf(absl::Now());
  GT_RETURN_IF_ERROR(Append({demand}, WriteSet()));
  return asking_.ViewOf(&sight, held);
}

}  // namespace guantong
