// Where an entry is stuck, with whom, and what next.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "node/entries/worklist.h"
#include "node/limits.h"

namespace guantong {

void Worklist::ExplainTemplate(const CallerIdentity& caller, const v1::CatalogEntry& entry,
                               v1::WhyResponse* why) const {
  if (entry.template_().empty() || entry.node() != desk_.site().node_id()) return;
  Templates::Asked asked;
  auto news =
      templates_.NewsOf(caller, entry, absl::Now() + absl::Seconds(kTodoAskSeconds), &asked);
  if (!news.ok()) {
    why->set_text(absl::StrCat(why->text(), "；标准目录 ", entry.template_(), " 暂时读不到"));
    return;
  }
  if (!news->has_value()) return;
  why->set_text(absl::StrCat(why->text(), "；", (*news)->text));
  if (why->next().empty()) why->set_next((*news)->next);
  for (const v1::Change& change : (*news)->changes) *why->add_changes() = change;
}

absl::StatusOr<v1::WhyResponse> Worklist::Why(const CallerIdentity& caller,
                                              const v1::WhyRequest& request) const {
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  v1::WhyResponse why;
  why.set_code(request.code());
  absl::StatusOr<OwnEntry> own = desk_.Load(*snapshot, request.code());
  if (own.ok() && own->draft.has_value() && !desk_.MaySeeDraft(*snapshot, caller, *own->draft)) {
    if (!own->in_force.has_value()) return EntryUnknown(request.code());
    own->draft.reset();
    own->review.reset();
  }
  if (!own.ok()) {
    // A draft that was refused leaves its acts.
    const std::optional<v1::Act> last = LastAct(*snapshot, request.code());
    if (!last.has_value()) return own.status();
    why.set_text(last->kind() == v1::ACT_KIND_REFUSE ? "已被拒绝，草稿已结束" : "草稿已删除");
    why.set_with(last->by().department());
    why.set_with_uscc(last->by().uscc());
    why.set_reason(last->reason());
    *why.mutable_since() = last->at();
    why.set_next("guantong catalog register FILE");
    return why;
  }
  const v1::CatalogEntry& any = own->any();
  const std::string code = own->code();
  why.set_code(code);
  why.set_name(any.name());
  why.set_state(any.state());
  why.set_with(any.provider());
  why.set_with_uscc(any.provider_code());
  if (own->in_force.has_value()) {
    why.set_in_force(own->in_force->state());
    why.set_reason(own->in_force->state_reason());
  }
  const uint32_t approvals = desk_.rules().Approvals(*snapshot);
  if (own->draft.has_value() && own->review.has_value()) {
    const bool first = any.state() == v1::ENTRY_STATE_DEPARTMENT_REVIEW;
    const auto supervisor = desk_.SupervisorOf(*snapshot, any.division());
    if (!first) {
      why.set_with(supervisor.has_value() ? supervisor->name() : "");
      why.set_with_uscc(supervisor.has_value() ? supervisor->uscc() : "");
    }
    const bool nobody = !first && !supervisor.has_value();
    why.set_text(first ? "等部门审批员审核"
                 : nobody ? absl::StrCat("区划 ", any.division(), " 没有登记主管部门，无人可审")
                          : "等主管部门审批员审核");
    why.set_next(nobody ? absl::StrCat("guantong department add --division ", any.division(),
                                       " --supervising ... （由运维办理）")
                        : absl::StrCat("guantong catalog approve ", code, " （用 ", why.with(),
                                       " 的 approver.yaml）"));
    const Clock clock =
        ClockOf(*snapshot, any, own->review->since(), first ? kDepartmentTerm : kSupervisorTerm);
    clock.Tell(&why);
    return why;
  }
  const std::optional<v1::Act> last = LastAct(*snapshot, code);
  if (own->draft.has_value()) {
    const bool returned = last.has_value() && last->kind() == v1::ACT_KIND_RETURN;
    why.set_text(returned ? "已退回，等编目员修改后重新提交" : "草稿，尚未提交");
    why.set_next(absl::StrCat("guantong catalog ", approvals == 0 ? "publish " : "submit ", code));
    *why.mutable_since() = last.has_value() ? last->at() : any.updated_at();
    if (returned) {
      why.set_reason(last->reason());
      const Clock clock = ClockOf(*snapshot, any, last->at(), kReworkTerm);
      clock.Tell(&why);
    }
    ExplainTemplate(caller, any, &why);
    return why;
  }
  *why.mutable_since() = any.updated_at();
  ExplainInForce(*snapshot, any, &why);
  if (any.state() != v1::ENTRY_STATE_WITHDRAWN) ExplainTemplate(caller, any, &why);
  return why;
}

void Worklist::ExplainInForce(const Reader& snapshot, const v1::CatalogEntry& entry,
                              v1::WhyResponse* why) const {
  why->set_reason(entry.state_reason());
  switch (entry.state()) {
    case v1::ENTRY_STATE_SUSPENDED:
      why->set_text("已下架，重新发布后恢复");
      why->set_next(absl::StrCat("guantong catalog publish ", entry.code()));
      break;
    case v1::ENTRY_STATE_WITHDRAWN:
      why->set_text("已注销，不再恢复");
      break;
    default:
      why->set_text(entry.resources().empty() ? "已发布，尚未挂接资源" : "已发布，没有待办");
      if (entry.resources().empty())
        why->set_next(
            absl::StrCat("guantong catalog bind ", entry.code(), " --mode table --format 0310"));
  }
  for (const v1::Ruling& ruling : rulings_.On(snapshot, entry)) {
    if (!ruling.hidden_because().empty()) {
      why->set_text(absl::StrCat(why->text(), "；", ruling.by(), "已暂停展示"));
      why->set_reason(ruling.hidden_because());
    }
    if (!ReworkOpen(ruling, entry)) continue;
    why->set_text(absl::StrCat(why->text(), "；", ruling.by(), "已退回整改"));
    why->set_reason(ruling.rework().reason());
    why->set_next("guantong catalog edit FILE");
    const Clock clock = ClockUntil(snapshot, ruling.at(), ruling.rework().deadline());
    clock.Tell(why);
  }
}

}  // namespace guantong
