#include "node/catalogue.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/view.h"
#include "node/limits.h"

namespace guantong {

namespace {

bool IsDraftState(v1::EntryState state) {
  return state == v1::ENTRY_STATE_DRAFT || state == v1::ENTRY_STATE_DEPARTMENT_REVIEW ||
         state == v1::ENTRY_STATE_SUPERVISOR_REVIEW;
}

}  // namespace

absl::StatusOr<v1::ShowResponse> Catalogue::Show(const CallerIdentity& caller,
                                                 const std::string& code, absl::Time deadline) {
  absl::StatusOr<v1::ShowResponse> found = finder_.Find(code, caller, deadline);
  const bool alias = found.ok() && found->entry().code() != code;
  const std::string own_code = alias ? found->entry().code() : code;
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(std::optional<v1::CatalogEntry> draft,
                      LoadStored<v1::CatalogEntry>(*snapshot, DraftKey(own_code)));
  if (alias) found->set_alias(code);
  if (found.ok()) {
    GT_RETURN_IF_ERROR(
        rulings_.CheckShown(*snapshot, caller, found->entry(), found->provider_path()));
    rulings_.Describe(*snapshot, &*found);
  }
  if (!draft.has_value() || !desk_.MaySeeDraft(*snapshot, caller, *draft)) return found;
  v1::ShowResponse shown;
  if (found.ok()) {
    shown = *std::move(found);
  } else {
    // Never published, so no other node can know it.
    *shown.mutable_entry() = *draft;
    shown.set_provider_path(site_.path().text());
    shown.set_provider_node_name(site_.options.name);
  }
  *shown.mutable_draft() = *std::move(draft);
  return shown;
}

absl::StatusOr<v1::EntryList> Catalogue::List(const CallerIdentity& caller,
                                              const v1::ListRequest& request) {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  const size_t limit =
      std::min(request.limit() == 0 ? kSearchLimitDefault : request.limit(), kSearchLimitMax);
  const std::string mine = request.mine() ? caller.uscc : "";
  const std::shared_ptr<const HiddenEntries> hidden = hidden_.At(*snapshot);
  std::map<std::string, v1::ShowResponse> by_code;
  std::string covered;  // published entries are complete up to here; empty: all
  if (!IsDraftState(request.state())) {
    const v1::EntryState state = request.unbound() ? v1::ENTRY_STATE_PUBLISHED : request.state();
    covered = request.page_token();
    size_t left = kListLookedMax;
    do {
      const EntryPage page = FindEntries(*snapshot, {.provider_code = mine,
                                                     .state = state,
                                                     .node = mine.empty() ? "" : site_.node_id(),
                                                     .after_code = covered,
                                                     .limit = limit,
                                                     .looked_max = left});
      left -= page.looked;
      for (const v1::CatalogEntry& entry : page.entries) {
        if (hidden->Hides(*snapshot, entry) && !rulings_.ShowsAll(*snapshot, caller, entry))
          continue;
        if (request.unbound() && !entry.resources().empty()) continue;
        v1::ShowResponse shown;
        *shown.mutable_entry() = entry;
        finder_.Describe(*snapshot, &shown);
        rulings_.Describe(*snapshot, &shown);
        if (!rulings_.HiddenInDivision(*snapshot, caller, shown))
          by_code[entry.code()] = std::move(shown);
      }
      covered = page.next_after_code;
    } while (!covered.empty() && by_code.size() < limit && left > 0);
  }
  const bool drafts =
      IsDraftState(request.state()) || request.state() == v1::ENTRY_STATE_UNSPECIFIED;
  if (drafts && !request.unbound()) {
    const std::string all = KindPrefix('D');
    const std::string begin =
        request.page_token().empty() ? all : DraftKey(request.page_token()) + '\0';
    auto cursor = snapshot->Scan(begin, PrefixEnd(all));
    for (; cursor->Valid(); cursor->Next()) {
      v1::CatalogEntry draft;
      if (!draft.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
        continue;
      if (!desk_.MaySeeDraft(*snapshot, caller, draft)) continue;
      if (IsDraftState(request.state()) && draft.state() != request.state()) continue;
      if (!mine.empty() && draft.provider_code() != mine) continue;
      if (!covered.empty() && draft.code() > covered) break;
      v1::ShowResponse& shown = by_code[draft.code()];
      *shown.mutable_draft() = draft;
      if (!shown.has_entry()) *shown.mutable_entry() = std::move(draft);
      if (by_code.size() > limit) break;
    }
    GT_RETURN_IF_ERROR(cursor->status());
  }
  v1::EntryList list;
  for (auto& [code, shown] : by_code) {
    if (static_cast<size_t>(list.entries_size()) == limit) break;
    if (shown.provider_path().empty()) finder_.Describe(*snapshot, &shown);
    *list.add_entries() = std::move(shown);
  }
  // A page that is not full ended where enough had been looked at.
  const bool full = static_cast<size_t>(list.entries_size()) == limit;
  if (full && (by_code.size() > limit || !covered.empty())) {
    list.set_next_page_token(list.entries(list.entries_size() - 1).entry().code());
  } else {
    list.set_next_page_token(covered);
  }
  return list;
}

}  // namespace guantong
