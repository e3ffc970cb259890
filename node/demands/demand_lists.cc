// Demands: boxes, counts, daily work.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/demand.h"
#include "catalog/demand_view.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "node/clock.h"
#include "node/demands/demands.h"
#include "node/limits.h"

namespace guantong {
namespace {

Addressee AskedBy(const v1::DemandView& view) {
  return StandingOf(view.demand(), {view.answers().begin(), view.answers().end()}).asked;
}

void CountIn(const v1::DemandView& view, v1::DemandCount* count) {
  switch (view.state()) {
    case v1::DEMAND_STATE_UNANSWERED:
      count->set_unanswered(count->unanswered() + 1);
      if (view.has_term() && view.days_left() < 0) count->set_overdue(count->overdue() + 1);
      break;
    case v1::DEMAND_STATE_ANSWERED:
      count->set_answered(count->answered() + 1);
      break;
    case v1::DEMAND_STATE_MATCHED:
      count->set_matched(count->matched() + 1);
      break;
    case v1::DEMAND_STATE_REFUSED:
      count->set_refused(count->refused() + 1);
      break;
    default:
      count->set_closed(count->closed() + 1);
  }
}

v1::TodoItem ItemOf(const v1::DemandView& view, const char* what, std::string next) {
  v1::TodoItem item;
  item.set_code(view.demand().id());
  item.set_name(view.demand().what());
  item.set_provider(view.demand().department());
  item.set_what(what);
  *item.mutable_since() = view.demand().at();
  item.set_due(view.due());
  item.set_days_left(view.days_left());
  item.set_has_term(view.has_term());
  item.set_next(std::move(next));
  return item;
}

}  // namespace

bool Demands::Supervises(const std::optional<v1::Department>& department,
                         const CallerIdentity& caller) const {
  return caller.is_operator() || (department.has_value() && department->supervising());
}

bool Demands::GoneUpTo(const CallerIdentity& caller,
                       const std::optional<v1::Department>& department,
                       const v1::DemandView& view) const {
  if (!view.escalated() || view.authority() != site_.path().text()) return false;
  if (caller.is_operator()) return true;
  const std::string& division =
      view.authority_division().empty() ? site_.options.division : view.authority_division();
  return department.has_value() && department->supervising() && department->division() == division;
}

std::vector<std::string> Demands::IdsOf(const Reader& snapshot, v1::DemandBox box,
                                        const CallerIdentity& caller,
                                        const std::string& after) const {
  if (box != v1::DEMAND_BOX_MINE) return DemandIds(snapshot, after, kDemandsListedMax);
  std::vector<std::string> ids;
  const FeedKey feed = FeedKey::Of(site_.OwnFeed(v1::FEED_KIND_DEMANDS));
  const auto cursor = snapshot.Scan(EntryKey(feed, after.empty() ? "" : after + '\0'),
                                    PrefixEnd(EntryPrefix(feed)));
  for (; cursor->Valid() && ids.size() < kDemandsListedMax; cursor->Next()) {
    v1::Demand demand;
    if (!demand.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())) ||
        demand.has_answer()) {
      continue;
    }
    if (caller.is_operator() || demand.uscc() == caller.uscc) ids.push_back(demand.id());
  }
  return ids;
}

bool Demands::InBox(v1::DemandBox box, const CallerIdentity& caller,
                    const std::optional<v1::Department>& department,
                    const v1::DemandView& view) const {
  switch (box) {
    case v1::DEMAND_BOX_MINE:
      return view.demand().node() == site_.node_id() &&
             (caller.is_operator() || view.demand().uscc() == caller.uscc);
    case v1::DEMAND_BOX_ASKED:
      return department.has_value() &&
             (Names(AskedBy(view), *department) ||
              Names({.whom = view.demand().from(), .division = view.demand().from_division()},
                    *department));
    case v1::DEMAND_BOX_SUPERVISED:
      return GoneUpTo(caller, department, view);
    default:
      return true;
  }
}

Demands::Seen Demands::Visit(DemandSight* sight, v1::DemandBox box, const CallerIdentity& caller,
                             const std::string& after, absl::Time deadline,
                             const std::function<bool(const v1::DemandView&)>& take) {
  Seen seen;
  const auto department = desk_.FindDepartment(sight->snapshot(), caller.uscc);
  // False: enough.
  const auto look = [&](v1::DemandsCall call) {
    const DemandsFound found =
        asking_.Find(sight->snapshot(), std::move(call), caller.uscc, deadline);
    if (!found.complete) {
      seen.complete = false;
      seen.note = found.note;
    }
    for (const v1::HeldDemand& held : found.demands) {
      if (held.demand().id() <= after) continue;
      const v1::DemandView view = asking_.ViewOf(sight, held);
      if (InBox(box, caller, department, view) && !take(view)) return false;
    }
    return true;
  };
  if (box == v1::DEMAND_BOX_ASKED) {
    v1::DemandsCall call;
    if (department.has_value()) {
      call.add_addressees(department->uscc());
      call.add_addressees(PlainName(department->name()));
    }
    seen.more = !look(std::move(call));
    return seen;
  }
  std::string last = after;
  for (size_t asked = 0; asked < kDemandQuestionsMax; ++asked) {
    const std::vector<std::string> ids = IdsOf(sight->snapshot(), box, caller, last);
    if (ids.empty()) return seen;
    v1::DemandsCall call;
    for (const std::string& id : ids) call.add_ids(id);
    if (!look(std::move(call))) {
      seen.more = true;
      return seen;
    }
    last = ids.back();
    if (ids.size() < kDemandsListedMax) return seen;
  }
  seen.complete = false;
  seen.more = true;
  seen.note = "需求太多，没有看完 (cut at a bound)";
  return seen;
}

absl::StatusOr<v1::ListDemandsResponse> Demands::List(const CallerIdentity& caller,
                                                      const v1::ListDemandsRequest& request,
                                                      absl::Time deadline) {
  DemandSight sight(&site_, &directory_);
  const size_t limit = std::min<size_t>(
      request.limit() == 0 ? kSearchLimitDefault : request.limit(), kDemandsListedMax);
  v1::ListDemandsResponse response;
  const Seen seen =
      Visit(&sight, request.box(), caller, request.page_token(), deadline,
            [&](const v1::DemandView& view) {
              const bool wanted = request.state() == v1::DEMAND_STATE_UNSPECIFIED
                                      ? view.state() != v1::DEMAND_STATE_CLOSED
                                      : view.state() == request.state();
              if (!wanted || (request.overdue() && !(view.has_term() && view.days_left() < 0)))
                return true;
              if (static_cast<size_t>(response.demands_size()) == limit) return false;
              *response.add_demands() = view;
              return true;
            });
  response.set_complete(seen.complete);
  response.set_note(seen.note);
  if (seen.more && response.demands_size() > 0)
    response.set_next_page_token(response.demands(response.demands_size() - 1).demand().id());
  return response;
}

absl::StatusOr<v1::CountDemandsResponse> Demands::Count(const CallerIdentity& caller,
                                                        absl::Time deadline) {
  DemandSight sight(&site_, &directory_);
  std::map<std::string, v1::DemandCount> by_branch;
  const size_t depth = site_.path().depth() + 1;
  v1::CountDemandsResponse response;
  const Seen seen = Visit(
      &sight, v1::DEMAND_BOX_UNSPECIFIED, caller, "", deadline, [&](const v1::DemandView& view) {
        const auto place = NodePath::Parse(view.path());
        if (!place.ok() || !site_.path().Contains(*place)) return true;
        const NodePath branch = place->depth() < depth ? *place : place->Ancestor(depth);
        CountIn(view, &by_branch[branch.text()]);
        CountIn(view, response.mutable_total());
        return true;
      });
  for (auto& [path, count] : by_branch) {
    const auto node = std::find_if(sight.nodes().begin(), sight.nodes().end(),
                                   [&](const v1::TreeNode& one) { return one.path() == path; });
    count.set_path(path);
    if (node != sight.nodes().end()) {
      count.set_node_name(node->name());
      count.set_level(node->level());
    }
    *response.add_counts() = std::move(count);
  }
  response.mutable_total()->set_path(site_.path().text());
  response.mutable_total()->set_node_name(site_.options.name);
  response.mutable_total()->set_level(site_.options.level);
  response.set_complete(seen.complete);
  response.set_note(seen.note);
  return response;
}

std::vector<v1::TodoItem> Demands::Todo(const CallerIdentity& caller, absl::Time deadline,
                                        std::string* note) {
  DemandSight sight(&site_, &directory_);
  std::map<std::string, v1::TodoItem> items;
  const auto add = [&](v1::DemandBox box, const std::function<void(const v1::DemandView&)>& look) {
    const Seen seen = Visit(&sight, box, caller, "", deadline, [&](const v1::DemandView& view) {
      if (items.size() > kTodoListedMax) return false;
      look(view);
      return true;
    });
    if (!seen.complete) *note = seen.note;
  };
  const auto department = desk_.FindDepartment(sight.snapshot(), caller.uscc);
  if (department.has_value()) {
    add(v1::DEMAND_BOX_ASKED, [&](const v1::DemandView& view) {
      if (view.state() != v1::DEMAND_STATE_UNANSWERED || !Names(AskedBy(view), *department)) return;
      items[view.demand().id()] = ItemOf(
          view, "答复需求",
          absl::StrCat("guantong demand match ", view.demand().id(), " CODE（或 answer、refuse）"));
    });
  }
  if (caller.role == CertificateRole::kEditor) {
    add(v1::DEMAND_BOX_MINE, [&](const v1::DemandView& view) {
      const bool answered = view.state() == v1::DEMAND_STATE_ANSWERED ||
                            view.state() == v1::DEMAND_STATE_MATCHED ||
                            view.state() == v1::DEMAND_STATE_REFUSED;
      if (!answered) return;
      items[view.demand().id()] = ItemOf(view, "需求已有答复，看后关闭",
                                         absl::StrCat("guantong demand show ", view.demand().id()));
    });
  }
  if (Supervises(department, caller)) {
    add(v1::DEMAND_BOX_SUPERVISED, [&](const v1::DemandView& view) {
      items.emplace(
          view.demand().id(),
          ItemOf(view, "需求无人答复，由主管部门协调",
                 caller.is_operator() ? "由主管部门办理 (the supervising authority answers it)"
                                      : absl::StrCat("guantong demand assign ", view.demand().id(),
                                                     " --to 部门（或 answer、match、refuse）")));
    });
  }
  std::vector<v1::TodoItem> list;
  for (auto& [id, item] : items) list.push_back(std::move(item));
  return list;
}

}  // namespace guantong
