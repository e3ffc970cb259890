#include "node/entries/bindings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "node/entry_rules.h"

namespace guantong {
namespace {

absl::Status CheckChangeable(const OwnEntry& own) {
  if (own.before() != nullptr) GT_RETURN_IF_ERROR(CheckInForce(*own.before()));
  if (!own.review.has_value()) return absl::OkStatus();
  return Error(
      absl::StatusCode::kFailedPrecondition, "under_review",
      absl::StrCat("条目正在审核：", own.code(), " (the draft is under review)"), own.code(),
      absl::StrCat("先撤回，或等审核结束 (recall it first): guantong catalog recall ", own.code()));
}

// The sharing modes that were approved with the entry, where it names any.
absl::Status CheckMode(const v1::CatalogEntry& entry, const v1::Resource& resource) {
  const auto& modes = entry.sharing().modes();
  if (modes.empty() || std::count(modes.begin(), modes.end(), resource.mode()) > 0)
    return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "mode_not_shared",
               absl::StrCat("条目的共享方式不含这一种：", entry.code(),
                            " (the entry is not shared in this mode)"),
               "mode",
               "按条目的共享方式挂接，或先修改条目 (bind as it is shared, or edit the entry)");
}

void Drop(const std::string& id, v1::CatalogEntry* entry) {
  auto* resources = entry->mutable_resources();
  for (int i = resources->size() - 1; i >= 0; --i) {
    if (resources->Get(i).id() == id) resources->DeleteSubrange(i, 1);
  }
}

}  // namespace

absl::StatusOr<v1::CatalogEntry> Bindings::Change(const Reader& snapshot, const OwnEntry& own,
                                                  v1::CatalogEntry* in_force,
                                                  v1::CatalogEntry* draft, v1::Act act) {
  WriteSet extra;
  if (in_force == nullptr) {
    act.set_from(v1::ENTRY_STATE_DRAFT);
    act.set_to(v1::ENTRY_STATE_DRAFT);
    GT_RETURN_IF_ERROR(ValidateEntry(*draft, desk_.rules().Today(snapshot)));
    extra.Put(DraftKey(draft->code()), draft->SerializeAsString());
    GT_RETURN_IF_ERROR(desk_.Note(snapshot, *draft, std::move(act), &extra));
    GT_RETURN_IF_ERROR(desk_.Commit(std::move(extra)));
    return *draft;
  }
  act.set_from(v1::ENTRY_STATE_PUBLISHED);
  act.set_to(v1::ENTRY_STATE_PUBLISHED);
  in_force->set_version(own.before()->version() + 1);
  if (draft != nullptr) {
    draft->set_version(in_force->version() + 1);
    extra.Put(DraftKey(draft->code()), draft->SerializeAsString());
  }
  OwnEntry changed = own;
  changed.draft.reset();
  return publication_.PutInForce(snapshot, changed, *in_force, act, std::move(extra));
}

absl::StatusOr<v1::CatalogEntry> Bindings::Bind(const CallerIdentity& caller,
                                                const v1::BindRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(OwnEntry own, desk_.LoadOwn(*snapshot, caller, request.code()));
  GT_RETURN_IF_ERROR(CheckChangeable(own));
  v1::Resource resource = request.resource();
  const v1::CatalogEntry* const drafted = own.draft.has_value() ? &*own.draft : nullptr;
  for (const v1::CatalogEntry* entry : {own.before(), drafted}) {
    if (entry == nullptr) continue;
    GT_RETURN_IF_ERROR(CheckMode(*entry, resource));
    for (const v1::Resource& held : entry->resources()) {
      if (held.id() != resource.id()) continue;
      return Error(absl::StatusCode::kAlreadyExists, "resource_exists",
                   absl::StrCat("资源编号 ", resource.id(), " 已被使用 (the id is in use)"),
                   absl::StrCat(own.code(), ":", resource.id()),
                   "换一个编号，或不写编号 (choose another id, or none)");
    }
  }
  std::optional<v1::CatalogEntry> in_force = own.in_force, draft = own.draft;
  for (auto* entry : {&in_force, &draft}) {
    if (!entry->has_value()) continue;
    *(*entry)->add_resources() = resource;
    NormaliseEntry(&**entry);
    // One id in both.
    resource = (*entry)->resources((*entry)->resources_size() - 1);
  }
  return Change(*snapshot, own, in_force.has_value() ? &*in_force : nullptr,
                draft.has_value() ? &*draft : nullptr,
                MakeAct(v1::ACT_KIND_BIND, desk_.ActorOf(*snapshot, caller), resource.id(),
                        v1::ENTRY_STATE_UNSPECIFIED, v1::ENTRY_STATE_UNSPECIFIED));
}

absl::StatusOr<v1::CatalogEntry> Bindings::Unbind(const CallerIdentity& caller,
                                                  const v1::UnbindRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const ResourceRef ref, ParseResourceRef(request.code()));
  GT_ASSIGN_OR_RETURN(OwnEntry own, desk_.LoadOwn(*snapshot, caller, ref.code));
  GT_RETURN_IF_ERROR(CheckChangeable(own));
  const auto& resources = own.any().resources();
  const std::string id = ref.id.empty() && resources.size() == 1 ? resources[0].id() : ref.id;
  const bool known = std::any_of(resources.begin(), resources.end(),
                                 [&](const v1::Resource& one) { return one.id() == id; });
  if (!known) {
    return Error(absl::StatusCode::kNotFound, "resource_unknown",
                 absl::StrCat("条目没有资源“", id, "” (no resource of that id)"), request.code(),
                 "用 CODE:id 指明，见 guantong catalog show (name it as CODE:id)");
  }
  std::optional<v1::CatalogEntry> in_force = own.in_force, draft = own.draft;
  for (auto* entry : {&in_force, &draft}) {
    if (entry->has_value()) Drop(id, &**entry);
  }
  return Change(*snapshot, own, in_force.has_value() ? &*in_force : nullptr,
                draft.has_value() ? &*draft : nullptr,
                MakeAct(v1::ACT_KIND_UNBIND, desk_.ActorOf(*snapshot, caller),
                        request.reason().empty() ? id : absl::StrCat(id, "：", request.reason()),
                        v1::ENTRY_STATE_UNSPECIFIED, v1::ENTRY_STATE_UNSPECIFIED));
}

}  // namespace guantong
