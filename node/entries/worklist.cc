#include "node/entries/worklist.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
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

// Of CatalogEntry.template (26), as it stands before its text.
constexpr char kTemplateTag[] = "\xD2\x01";

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
    clock.Tell(&item);
  }
  return absl::OkStatus();
}

absl::Status Worklist::AddTemplateNews(const Reader& snapshot, const CallerIdentity& caller,
                                       absl::Time deadline, std::vector<v1::TodoItem>* items,
                                       std::string* note) const {
  if (caller.role != CertificateRole::kEditor) return absl::OkStatus();
  std::map<std::string, v1::CatalogEntry> claimed;  // as last written
  const auto look = [&](const std::string& prefix) {
    const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      // Most entries claim nothing: they are not parsed.
      if (!absl::StrContains(cursor->value(), caller.uscc) ||
          !absl::StrContains(cursor->value(), kTemplateTag)) {
        continue;
      }
      v1::CatalogEntry entry;
      if (entry.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())) &&
          entry.provider_code() == caller.uscc && !entry.template_().empty() &&
          entry.state() != v1::ENTRY_STATE_WITHDRAWN) {
        claimed[entry.code()] = std::move(entry);
      }
    }
    return cursor->status();
  };
  GT_RETURN_IF_ERROR(
      look(EntryPrefix(FeedKey::Of(desk_.site().OwnFeed(v1::FEED_KIND_CATALOG_OPEN)))));
  GT_RETURN_IF_ERROR(
      look(EntryPrefix(FeedKey::Of(desk_.site().OwnFeed(v1::FEED_KIND_CATALOG_UPWARD)))));
  GT_RETURN_IF_ERROR(look(KindPrefix('D')));
  Templates::Asked asked;
  for (const auto& [code, entry] : claimed) {
    const bool may_edit = entry.state() == v1::ENTRY_STATE_DRAFT ||
                          entry.state() == v1::ENTRY_STATE_PUBLISHED ||
                          entry.state() == v1::ENTRY_STATE_SUSPENDED;
    if (!may_edit || items->size() > kTodoListedMax) continue;
    const auto news = templates_.NewsOf(caller, entry, deadline, &asked);
    if (!news.ok()) {
      *note = absl::StrCat(
          "标准目录 ", entry.template_(),
          " 读不到，可能已有新版本 (a template could not be read): ", news.status().message());
      continue;
    }
    if (!news->has_value()) continue;
    v1::TodoItem& item = items->emplace_back();
    item.set_code(code);
    item.set_name(entry.name());
    item.set_provider(entry.provider());
    item.set_state(entry.state());
    item.set_what((*news)->text);
    *item.mutable_since() = (*news)->since;
    item.set_next((*news)->next);
    for (const v1::Change& change : (*news)->changes) *item.add_changes() = change;
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
      clock.Tell(&item);
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
  clock.Tell(&item);
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
  GT_RETURN_IF_ERROR(AddTemplateNews(snapshot, caller, absl::Now() + absl::Seconds(kTodoAskSeconds),
                                     &items, note));
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

}  // namespace guantong
