#include "node/entries/worklist.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/view.h"
#include "node/clock.h"
#include "node/demands/demands.h"
#include "node/entry_rules.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr char kDepartmentTerm[] = "department_review";
constexpr char kSupervisorTerm[] = "supervisor_review";
constexpr char kReworkTerm[] = "rework";

template <typename Message>
void SetClock(const google::protobuf::Timestamp& since, const std::string& due, int days_left,
              bool has_term, Message* message) {
  *message->mutable_since() = since;
  message->set_due(due);
  message->set_days_left(days_left);
  message->set_has_term(has_term);
}

}  // namespace

Worklist::Clock Worklist::ClockOf(const Reader& snapshot, const v1::CatalogEntry&,
                                  const google::protobuf::Timestamp& since,
                                  absl::string_view term) const {
  Clock clock{.since = since};
  const std::shared_ptr<const RuleBook> book = desk_.rules().Book(snapshot);
  const absl::CivilDay begun = DayOf(TimeOfTimestamp(since));
  const RulesOfDay rules = book->On(begun);
  const v1::Term* found = rules.FindTerm(term);
  if (found == nullptr) return clock;
  const absl::CivilDay due = book->Due(begun, found->working_days());
  clock.due = DayText(due);
  clock.days_left = book->DaysLeft(DayOf(absl::Now()), due);
  clock.has_term = true;
  return clock;
}

Worklist::Clock Worklist::ClockUntil(const Reader& snapshot,
                                     const google::protobuf::Timestamp& since,
                                     const std::string& day) const {
  Clock clock{.since = since};
  const std::optional<absl::CivilDay> due = ParseDay(day);
  if (!due.has_value()) return clock;
  clock.due = day;
  clock.days_left = desk_.rules().Book(snapshot)->DaysLeft(DayOf(absl::Now()), *due);
  clock.has_term = true;
  return clock;
}

absl::Status Worklist::AddReturned(const Reader& snapshot, const CallerIdentity& caller,
                                   std::vector<v1::TodoItem>* items) const {
  if (caller.role != CertificateRole::kEditor) return absl::OkStatus();
  GT_ASSIGN_OR_RETURN(const auto returned, rulings_.ReturnedTo(snapshot, caller.uscc));
  for (const Rulings::Returned& one : returned) {
    v1::TodoItem& item = items->emplace_back();
    item.set_code(one.entry.code());
    item.set_name(one.entry.name());
    item.set_provider(one.entry.provider());
    item.set_state(one.entry.state());
    item.set_what(absl::StrCat("上级退回整改（", one.ruling.by(), "）"));
    item.set_reason(one.ruling.rework().reason());
    item.set_next("guantong catalog edit FILE");
    const Clock clock = ClockUntil(snapshot, one.ruling.at(), one.ruling.rework().deadline());
    SetClock(clock.since, clock.due, clock.days_left, clock.has_term, &item);
  }
  return absl::OkStatus();
}

std::optional<v1::Act> Worklist::LastAct(const Reader& snapshot, const std::string& code) const {
  std::optional<v1::Act> last;
  const auto cursor = snapshot.Scan(ActPrefix(code), PrefixEnd(ActPrefix(code)));
  for (; cursor->Valid(); cursor->Next()) {
    v1::Act act;
    if (act.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
      last = std::move(act);
  }
  return last;
}

std::optional<v1::TodoItem> Worklist::ItemOf(const Reader& snapshot, const CallerIdentity& caller,
                                             const v1::CatalogEntry& draft,
                                             const std::optional<v1::Department>& department,
                                             uint32_t approvals) const {
  v1::TodoItem item;
  item.set_code(draft.code());
  item.set_name(draft.name());
  item.set_provider(draft.provider());
  item.set_state(draft.state());
  const bool own = draft.provider_code() == caller.uscc;
  const bool approver = caller.role == CertificateRole::kApprover;
  const bool supervises = department.has_value() && department->supervising() &&
                          department->division() == draft.division();
  if (draft.state() == v1::ENTRY_STATE_DRAFT) {
    if (!own || approver) return std::nullopt;
    const std::optional<v1::Act> last = LastAct(snapshot, draft.code());
    const bool returned = last.has_value() && last->kind() == v1::ACT_KIND_RETURN;
    const char* next = approvals == 0 ? "publish" : "submit";
    if (returned) {
      item.set_what("按退回意见修改后重新提交");
      item.set_reason(last->reason());
      const Clock clock = ClockOf(snapshot, draft, last->at(), kReworkTerm);
      SetClock(clock.since, clock.due, clock.days_left, clock.has_term, &item);
      item.set_next(
          absl::StrCat("guantong catalog edit FILE; guantong catalog submit ", draft.code()));
    } else {
      item.set_what(approvals == 0 ? "发布草稿" : "提交草稿");
      *item.mutable_since() = draft.updated_at();
      item.set_next(absl::StrCat("guantong catalog ", next, " ", draft.code()));
    }
    return item;
  }
  const bool first = draft.state() == v1::ENTRY_STATE_DEPARTMENT_REVIEW;
  if (!approver || !(first ? own : supervises)) return std::nullopt;
  const auto review = LoadStored<storage::v1::StoredReview>(snapshot, ReviewKey(draft.code()));
  if (!review.ok() || !review->has_value()) return std::nullopt;
  item.set_what(first ? "部门审核" : "主管审核");
  const Clock clock =
      ClockOf(snapshot, draft, (*review)->since(), first ? kDepartmentTerm : kSupervisorTerm);
  SetClock(clock.since, clock.due, clock.days_left, clock.has_term, &item);
  item.set_next(absl::StrCat("guantong catalog approve ", draft.code()));
  return item;
}

absl::StatusOr<std::vector<v1::TodoItem>> Worklist::ItemsOf(const Reader& snapshot,
                                                            const CallerIdentity& caller,
                                                            std::string* note) const {
  // Demands are asked of other nodes, too; the list does not wait for a line that hangs.
  std::vector<v1::TodoItem> items =
      demands_.Todo(caller, absl::Now() + absl::Seconds(kTodoAskSeconds), note);
  const auto department = desk_.FindDepartment(snapshot, caller.uscc);
  const uint32_t approvals = desk_.rules().Approvals(snapshot);
  const std::string all = KindPrefix('D');
  auto cursor = snapshot.Scan(all, PrefixEnd(all));
  for (; cursor->Valid(); cursor->Next()) {
    v1::CatalogEntry draft;
    if (!draft.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
      continue;
    auto item = ItemOf(snapshot, caller, draft, department, approvals);
    if (item.has_value()) items.push_back(*std::move(item));
  }
  GT_RETURN_IF_ERROR(cursor->status());
  GT_RETURN_IF_ERROR(AddReturned(snapshot, caller, &items));
  std::stable_sort(items.begin(), items.end(), [](const v1::TodoItem& a, const v1::TodoItem& b) {
    return std::make_tuple(!a.has_term(), a.days_left(), a.code()) <
           std::make_tuple(!b.has_term(), b.days_left(), b.code());
  });
  return items;
}

absl::StatusOr<v1::TodoResponse> Worklist::Todo(const CallerIdentity& caller) const {
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  v1::TodoResponse response;
  GT_ASSIGN_OR_RETURN(std::vector<v1::TodoItem> items,
                      ItemsOf(*snapshot, caller, response.mutable_note()));
  response.set_more(items.size() > kTodoListedMax);
  if (response.more()) items.resize(kTodoListedMax);
  for (v1::TodoItem& item : items) *response.add_items() = std::move(item);
  return response;
}

absl::StatusOr<v1::MineResponse> Worklist::Mine(const CallerIdentity& caller) const {
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  v1::MineResponse mine;
  mine.set_uscc(caller.uscc);
  if (const auto department = desk_.FindDepartment(*snapshot, caller.uscc)) {
    mine.set_department(department->name());
    mine.set_division(department->division());
    mine.set_supervising(department->supervising());
  }
  std::map<v1::EntryState, uint64_t> counts;
  const bool all_departments = caller.is_operator();
  const auto is_mine = [&](const v1::CatalogEntry& entry) {
    return entry.node() == desk_.site().node_id() &&
           (all_departments || entry.provider_code() == caller.uscc);
  };
  const std::string feed =
      EntryPrefix(FeedKey::Of(desk_.site().OwnFeed(v1::FEED_KIND_CATALOG_OPEN)));
  auto entry_at = snapshot->Scan(feed, PrefixEnd(feed));
  for (; entry_at->Valid(); entry_at->Next()) {
    v1::CatalogEntry entry;
    if (!entry.ParseFromArray(entry_at->value().data(),
                              static_cast<int>(entry_at->value().size())) ||
        !is_mine(entry)) {
      continue;
    }
    ++counts[entry.state()];
    if (entry.state() == v1::ENTRY_STATE_PUBLISHED && entry.resources().empty())
      mine.set_unbound(mine.unbound() + 1);
  }
  GT_RETURN_IF_ERROR(entry_at->status());
  const std::string drafts = KindPrefix('D');
  auto draft_at = snapshot->Scan(drafts, PrefixEnd(drafts));
  for (; draft_at->Valid(); draft_at->Next()) {
    v1::CatalogEntry draft;
    if (!draft.ParseFromArray(draft_at->value().data(),
                              static_cast<int>(draft_at->value().size())) ||
        !is_mine(draft)) {
      continue;
    }
    ++counts[draft.state()];
    if (draft.version() > 1) mine.set_changing(mine.changing() + 1);
  }
  GT_RETURN_IF_ERROR(draft_at->status());
  for (const auto& [state, entries] : counts) {
    v1::StateCount* count = mine.add_states();
    count->set_state(state);
    count->set_entries(entries);
  }
  std::string note;
  GT_ASSIGN_OR_RETURN(const std::vector<v1::TodoItem> items, ItemsOf(*snapshot, caller, &note));
  mine.set_todo(items.size());
  for (const v1::TodoItem& item : items) {
    if (!item.reason().empty() && static_cast<size_t>(mine.returned_size()) < kTodoListedMax)
      *mine.add_returned() = item;
  }
  return mine;
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
    SetClock(clock.since, clock.due, clock.days_left, clock.has_term, &why);
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
      SetClock(clock.since, clock.due, clock.days_left, clock.has_term, &why);
    }
    return why;
  }
  *why.mutable_since() = any.updated_at();
  ExplainInForce(*snapshot, any, &why);
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
    SetClock(clock.since, clock.due, clock.days_left, clock.has_term, why);
  }
}

}  // namespace guantong
