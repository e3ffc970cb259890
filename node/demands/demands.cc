#include "node/demands/demands.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/demand.h"
#include "catalog/demand_view.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
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

absl::Status RefuseDemand(const std::vector<v1::Problem>& problems) {
  if (problems.empty()) return absl::OkStatus();
  std::vector<std::string> texts;
  for (const v1::Problem& problem : problems) texts.push_back(problem.text());
  return Invalid(problems[0].element(), absl::StrJoin(texts, "；"), problems[0].remedy());
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

absl::Status Demands::Append(const v1::Demand& demand, WriteSet extra) {
  AppendRecords append = {.kind = v1::FEED_KIND_DEMANDS, .extra = std::move(extra)};
  append.records.emplace_back().set_demand(demand.SerializeAsString());
  append.author = demand.has_answer() ? demand.answer().uscc() : demand.uscc();
  return site_.driver->Write(std::move(append)).status();
}

// A store that came from a backup may have taken back what was said after it: the number goes on
// behind those.
absl::StatusOr<std::string> Demands::NextId(const Reader& snapshot, const std::string& division,
                                            WriteSet* writes) const {
  const std::string counter = SerialKey(absl::StrCat("demand/", division));
  std::string last;
  uint64_t serial = 0;
  const absl::Status read = snapshot.Get(counter, &last);
  if (!read.ok() && !absl::IsNotFound(read)) return read;
  if (read.ok() && !absl::SimpleAtoi(last, &serial)) return StoredRecordDamaged();
  const std::string day = absl::StrReplaceAll(DateOf(absl::Now()), {{"-", ""}});
  std::string id;
  do {
    id = absl::StrFormat("D%s-%s-%04d", division, day, ++serial);
  } while (!FindDemands(snapshot, id).empty());
  writes->Put(counter, absl::StrCat(serial));
  return id;
}

absl::StatusOr<v1::DemandView> Demands::Say(const CallerIdentity& caller,
                                            const v1::RegisterDemandRequest& request) {
  v1::Demand demand;
  demand.set_what(request.demand().what());
  demand.set_from(request.demand().from());
  demand.set_from_division(request.demand().from_division());
  demand.set_basis(request.demand().basis());
  demand.set_scenario(request.demand().scenario());
  demand.set_frequency(request.demand().frequency());
  NormaliseDemand(&demand);
  GT_RETURN_IF_ERROR(RefuseDemand(CheckDemand(demand)));
  std::lock_guard<std::mutex> lock(change_mutex_);
  DemandSight sight(&site_, &directory_);
  const auto department = desk_.FindDepartment(sight.snapshot(), caller.uscc);
  demand.set_uscc(caller.uscc);
  demand.set_department(department.has_value() ? department->name() : "");
  demand.set_division(department.has_value() ? department->division() : site_.options.division);
  if (Names({.whom = demand.from(), .division = demand.from_division()},
            department.value_or(v1::Department()))) {
    return Invalid("from", "所需数据的提供方是本部门自己 (asked of the own department)",
                   "写持有数据的部门，不知道则不写 (name the one that holds it, or nobody)");
  }
  demand.set_node(site_.node_id());
  *demand.mutable_at() = TimestampOf(absl::Now());
  WriteSet writes;
  GT_ASSIGN_OR_RETURN(*demand.mutable_id(), NextId(sight.snapshot(), demand.division(), &writes));
  demand.set_key(demand.id());
  GT_RETURN_IF_ERROR(Append(demand, std::move(writes)));
  v1::HeldDemand held;
  *held.mutable_demand() = std::move(demand);
  held.set_path(site_.path().text());
  held.set_node_name(site_.options.name);
  return asking_.ViewOf(&sight, held);
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
  const bool supervises = department.supervising() &&
                          department.division() == site_.options.division &&
                          site_.path().Contains(place);
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
  GT_RETURN_IF_ERROR(Append(record, WriteSet()));
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
  GT_RETURN_IF_ERROR(Append(demand, WriteSet()));
  return asking_.ViewOf(&sight, held);
}

}  // namespace guantong
