#include "node/entries/publication.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "catalog/row.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/entry_rules.h"

namespace guantong {
namespace {

v1::CatalogEntry Tombstone(const v1::CatalogEntry& entry, const std::string& reason) {
  v1::CatalogEntry tombstone = entry;
  tombstone.clear_items();
  tombstone.set_state(v1::ENTRY_STATE_WITHDRAWN);
  tombstone.set_state_reason(reason);
  tombstone.set_version(entry.version() + 1);
  *tombstone.mutable_updated_at() = TimestampOf(absl::Now());
  return tombstone;
}

// A draft goes on from the version that came in force beside it.
WriteSet DraftAfter(v1::CatalogEntry draft, const v1::CatalogEntry& in_force) {
  draft.set_version(in_force.version() + 1);
  WriteSet writes;
  writes.Put(DraftKey(draft.code()), draft.SerializeAsString());
  return writes;
}

}  // namespace

absl::Status Publication::CloseTable(const std::string& table) {
  return desk_.site().driver->Write(CloseRows{.resource = table}).status();
}

absl::Status Publication::OpenTables(const v1::CatalogEntry& entry,
                                     const v1::CatalogEntry* before) {
  const std::vector<std::string> tables = TablesOf(entry);
  if (before != nullptr) {
    for (const std::string& table : TablesOf(*before)) {
      if (std::find(tables.begin(), tables.end(), table) == tables.end())
        GT_RETURN_IF_ERROR(CloseTable(table));
    }
  }
  for (const std::string& table : tables) {
    GT_ASSIGN_OR_RETURN(v1::DatasetSchema schema, SchemaOf(entry));
    schema.set_version(entry.schema_version());
    GT_RETURN_IF_ERROR(
        desk_.site()
            .driver
            ->Write(OpenRows{.resource = table,
                             .schema = std::move(schema),
                             .shared = entry.sharing().type() == v1::SHARING_TYPE_UNCONDITIONAL})
            .status());
  }
  return absl::OkStatus();
}

absl::Status Publication::Append(v1::FeedKind kind, const v1::CatalogEntry& entry, WriteSet extra) {
  AppendRecords append = {.kind = kind, .extra = std::move(extra), .author = entry.provider_code()};
  append.records.emplace_back().set_entry(entry.SerializeAsString());
  return desk_.site().driver->Write(std::move(append)).status();
}

absl::Status Publication::AppendBoth(const v1::CatalogEntry& entry, const v1::CatalogEntry* before,
                                     WriteSet extra) {
  const bool was_withheld = before != nullptr && NotShared(*before);
  if (NotShared(entry)) {
    GT_RETURN_IF_ERROR(Append(v1::FEED_KIND_CATALOG_UPWARD, entry, {}));
  } else if (was_withheld) {
    GT_RETURN_IF_ERROR(Append(v1::FEED_KIND_CATALOG_UPWARD, Tombstone(*before, ""), {}));
  }
  return Append(v1::FEED_KIND_CATALOG_OPEN, NotShared(entry) ? OpenHalf(entry) : entry,
                std::move(extra));
}

absl::StatusOr<v1::CatalogEntry> Publication::PutInForce(const Reader& snapshot,
                                                         const OwnEntry& own,
                                                         v1::CatalogEntry entry, const v1::Act& act,
                                                         WriteSet extra) {
  const v1::CatalogEntry* before = own.before();
  GT_RETURN_IF_ERROR(ValidateEntry(entry, desk_.rules().Today(snapshot)));
  if (before != nullptr) GT_RETURN_IF_ERROR(desk_.CheckChange(snapshot, *before, entry));
  entry.clear_warnings();
  entry.clear_state_reason();
  entry.set_state(v1::ENTRY_STATE_PUBLISHED);
  *entry.mutable_updated_at() = TimestampOf(absl::Now());
  if (entry.publication_date().empty()) entry.set_publication_date(DateOf(absl::Now()));

  // The tables first: what is narrowed is narrow before the entry says so. The draft goes with the
  // last record, so that a publication that was interrupted is repeated whole.
  GT_RETURN_IF_ERROR(OpenTables(entry, before));
  if (own.draft.has_value()) {
    extra.Delete(DraftKey(entry.code()));
    extra.Delete(ReviewKey(entry.code()));
  }
  extra.Put(VersionKey(entry.code(), entry.version()), entry.SerializeAsString());
  GT_RETURN_IF_ERROR(desk_.Note(snapshot, entry, act, &extra));
  GT_RETURN_IF_ERROR(AppendBoth(entry, before, std::move(extra)));
  return entry;
}

absl::StatusOr<v1::CatalogEntry> Publication::Publish(const CallerIdentity& caller,
                                                      const v1::EntryRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const OwnEntry own, desk_.Load(*snapshot, request.code()));
  const v1::CatalogEntry* before = own.before();
  const v1::Actor actor = desk_.ActorOf(*snapshot, caller);
  if (before != nullptr && before->state() == v1::ENTRY_STATE_SUSPENDED) {
    GT_RETURN_IF_ERROR(CheckMayEnd(*snapshot, caller, *before));
    v1::CatalogEntry entry = *before;
    entry.set_version(before->version() + 1);
    OwnEntry resumed = own;
    resumed.draft.reset();
    WriteSet extra;
    if (own.draft.has_value()) extra = DraftAfter(*own.draft, entry);
    return PutInForce(*snapshot, resumed, std::move(entry),
                      MakeAct(v1::ACT_KIND_PUBLISH, actor, request.reason(),
                              v1::ENTRY_STATE_SUSPENDED, v1::ENTRY_STATE_PUBLISHED),
                      std::move(extra));
  }
  if (before != nullptr) GT_RETURN_IF_ERROR(CheckInForce(*before));
  if (!own.draft.has_value()) return *own.in_force;
  GT_RETURN_IF_ERROR(CheckOwner(desk_.site(), caller, own.any()));
  const uint32_t approvals = desk_.rules().Approvals(*snapshot);
  if (approvals > 0) {
    const std::string next = own.review.has_value()
                                 ? absl::StrCat("见 guantong why ", own.code())
                                 : absl::StrCat("guantong catalog submit ", own.code());
    return Error(absl::StatusCode::kFailedPrecondition, "approval_needed",
                 absl::StrCat("本网络发布需要 ", approvals, " 级审批 (publication needs approval)"),
                 own.code(), absl::StrCat("先提交审批 (submit it): ", next));
  }
  return PutInForce(*snapshot, own, *own.draft,
                    MakeAct(v1::ACT_KIND_PUBLISH, actor, request.reason(), own.draft->state(),
                            v1::ENTRY_STATE_PUBLISHED),
                    {});
}

absl::Status Publication::CheckMayEnd(const Reader& snapshot, const CallerIdentity& caller,
                                      const v1::CatalogEntry& entry) const {
  const bool approver = caller.role == CertificateRole::kApprover;
  if (approver && entry.node() == desk_.site().node_id()) {
    const auto supervisor = desk_.SupervisorOf(snapshot, entry.division());
    if (supervisor.has_value() && supervisor->uscc() == caller.uscc) return absl::OkStatus();
  }
  GT_RETURN_IF_ERROR(CheckOwner(desk_.site(), caller, entry));
  if (approver || desk_.rules().Approvals(snapshot) == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied, "approver_needed",
               absl::StrCat("需由审批员办理：", entry.code(), " (an approver has to do it)"),
               entry.code(), "使用部门或主管部门的 approver.yaml (use an approver's profile)");
}

absl::StatusOr<v1::CatalogEntry> Publication::Suspend(const CallerIdentity& caller,
                                                      const v1::EntryRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const OwnEntry own, desk_.Load(*snapshot, request.code()));
  const v1::CatalogEntry& meant = own.in_force.has_value() ? *own.in_force : *own.draft;
  GT_RETURN_IF_ERROR(CheckMayEnd(*snapshot, caller, meant));
  if (meant.state() == v1::ENTRY_STATE_SUSPENDED) return meant;
  GT_RETURN_IF_ERROR(CheckInForce(meant));
  v1::CatalogEntry entry = *own.in_force;
  entry.set_state(v1::ENTRY_STATE_SUSPENDED);
  entry.set_state_reason(request.reason());
  return Restate(*snapshot, own, std::move(entry),
                 MakeAct(v1::ACT_KIND_SUSPEND, desk_.ActorOf(*snapshot, caller), request.reason(),
                         v1::ENTRY_STATE_PUBLISHED, v1::ENTRY_STATE_SUSPENDED));
}

absl::StatusOr<v1::CatalogEntry> Publication::Restate(const Reader& snapshot, const OwnEntry& own,
                                                      v1::CatalogEntry entry, v1::Act act) {
  if (act.from() == v1::ENTRY_STATE_UNSPECIFIED) {
    act.set_from(entry.state());
    act.set_to(entry.state());
  }
  entry.set_version(own.in_force->version() + 1);
  *entry.mutable_updated_at() = TimestampOf(absl::Now());
  WriteSet extra;
  if (own.draft.has_value()) extra = DraftAfter(*own.draft, entry);
  extra.Put(VersionKey(entry.code(), entry.version()), entry.SerializeAsString());
  GT_RETURN_IF_ERROR(desk_.Note(snapshot, entry, std::move(act), &extra));
  GT_RETURN_IF_ERROR(AppendBoth(entry, nullptr, std::move(extra)));
  return entry;
}

absl::StatusOr<v1::CatalogEntry> Publication::Withdraw(const CallerIdentity& caller,
                                                       const v1::EntryRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const OwnEntry own, desk_.Load(*snapshot, request.code()));
  WriteSet extra;
  extra.Delete(ReviewKey(own.code()));
  if (own.draft.has_value()) extra.Delete(DraftKey(own.code()));
  v1::Act act = MakeAct(v1::ACT_KIND_WITHDRAW, desk_.ActorOf(*snapshot, caller), request.reason(),
                        own.any().state(), v1::ENTRY_STATE_WITHDRAWN);
  if (!own.in_force.has_value()) {
    // Never in force: its own department drops it.
    GT_RETURN_IF_ERROR(CheckOwner(desk_.site(), caller, *own.draft));
    GT_RETURN_IF_ERROR(desk_.Note(*snapshot, *own.draft, std::move(act), &extra));
    GT_RETURN_IF_ERROR(desk_.Commit(std::move(extra)));
    return Tombstone(*own.draft, request.reason());
  }
  const v1::CatalogEntry& entry = *own.in_force;
  GT_RETURN_IF_ERROR(CheckMayEnd(*snapshot, caller, entry));
  v1::CatalogEntry tombstone = entry;
  if (entry.state() != v1::ENTRY_STATE_WITHDRAWN) {
    tombstone = Tombstone(entry, request.reason());
    act.set_from(entry.state());
    GT_RETURN_IF_ERROR(desk_.Note(*snapshot, tombstone, std::move(act), &extra));
    if (NotShared(entry)) GT_RETURN_IF_ERROR(Append(v1::FEED_KIND_CATALOG_UPWARD, tombstone, {}));
    GT_RETURN_IF_ERROR(Append(v1::FEED_KIND_CATALOG_OPEN, tombstone, std::move(extra)));
  }
  for (const std::string& table : TablesOf(entry)) GT_RETURN_IF_ERROR(CloseTable(table));
  return tombstone;
}

}  // namespace guantong
