#include "node/entries/drafts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "catalog/row.h"
#include "node/entries/codes.h"
#include "node/entry_rules.h"

namespace guantong {
namespace {

std::string SchemaBytes(const v1::CatalogEntry& entry) {
  absl::StatusOr<v1::DatasetSchema> schema = SchemaOf(entry);
  if (!schema.ok()) return "";
  schema->set_version(0);
  return schema->SerializeAsString();
}

void Begin(v1::CatalogEntry* entry) {
  entry->set_state(v1::ENTRY_STATE_DRAFT);
  entry->set_version(1);
  entry->set_schema_version(1);
  entry->clear_publication_date();
  entry->clear_items_withheld();
  entry->clear_aliases();
  entry->clear_state_reason();
}

// Warnings are for who asks, not for the store.
std::string Stored(v1::CatalogEntry entry) {
  entry.clear_warnings();
  return entry.SerializeAsString();
}

v1::Problem ProblemOf(const absl::Status& status) {
  const ErrorDetail detail = DetailOf(status);
  v1::Problem problem;
  problem.set_element(detail.subject);
  problem.set_text(std::string(status.message()));
  problem.set_remedy(detail.remedy);
  return problem;
}

bool HasError(const v1::ImportedEntry& imported) {
  return std::any_of(imported.problems().begin(), imported.problems().end(),
                     [](const v1::Problem& problem) { return !problem.warning(); });
}

}  // namespace

absl::StatusOr<v1::CatalogEntry> Drafts::Register(const CallerIdentity& caller,
                                                  const v1::RegisterRequest& request) {
  v1::CatalogEntry entry = request.entry();
  // Before the lock: the nodes above may be asked.
  GT_RETURN_IF_ERROR(templates_.Apply(caller, nullptr, &entry));
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_RETURN_IF_ERROR(desk_.Prepare(*snapshot, caller, &entry));
  Begin(&entry);
  const auto tree = desk_.classes().Tree(*snapshot);
  CodeGiver codes(&desk_.site(), snapshot.get(), tree.get());
  GT_RETURN_IF_ERROR(codes.Give(&entry));
  if (request.dry_run()) return entry;
  WriteSet writes;
  codes.Save(&writes);
  writes.Put(DraftKey(entry.code()), Stored(entry));
  GT_RETURN_IF_ERROR(desk_.Note(*snapshot, entry,
                                MakeAct(v1::ACT_KIND_REGISTER, desk_.ActorOf(*snapshot, caller), "",
                                        v1::ENTRY_STATE_UNSPECIFIED, v1::ENTRY_STATE_DRAFT),
                                &writes));
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  return entry;
}

absl::StatusOr<v1::CatalogEntry> Drafts::Edit(const CallerIdentity& caller,
                                              const v1::RegisterRequest& request) {
  v1::CatalogEntry entry = request.entry();
  {
    GT_ASSIGN_OR_RETURN(const OwnEntry held,
                        desk_.LoadOwn(*desk_.site().store->Snapshot(), caller, entry.code()));
    GT_RETURN_IF_ERROR(templates_.Apply(caller, &held.any(), &entry));
  }
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const OwnEntry own, desk_.LoadOwn(*snapshot, caller, entry.code()));
  const v1::CatalogEntry* before = own.before();
  if (before != nullptr && before->state() != v1::ENTRY_STATE_SUSPENDED)
    GT_RETURN_IF_ERROR(CheckInForce(*before));
  if (own.review.has_value()) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "under_review",
        absl::StrCat("条目正在审核，不能修改：", own.code(), " (the draft is under review)"),
        own.code(), absl::StrCat("先撤回 (recall it first): guantong catalog recall ", own.code()));
  }
  entry.set_code(own.code());
  GT_RETURN_IF_ERROR(desk_.Prepare(*snapshot, caller, &entry));
  Begin(&entry);
  *entry.mutable_aliases() = own.any().aliases();
  if (before != nullptr) {
    entry.set_version(before->version() + 1);
    entry.set_publication_date(before->publication_date());
    entry.set_schema_version(before->schema_version() +
                             (SchemaBytes(*before) == SchemaBytes(entry) ? 0 : 1));
    // Said now already, so that nobody works on a draft that cannot be published.
    GT_RETURN_IF_ERROR(desk_.CheckChange(*snapshot, *before, entry));
  }
  const auto tree = desk_.classes().Tree(*snapshot);
  CodeGiver codes(&desk_.site(), snapshot.get(), tree.get());
  GT_RETURN_IF_ERROR(codes.GiveAliases(&entry));
  if (request.dry_run()) return entry;
  WriteSet writes;
  codes.Save(&writes);
  writes.Put(DraftKey(entry.code()), Stored(entry));
  GT_RETURN_IF_ERROR(desk_.Note(
      *snapshot, entry,
      MakeAct(v1::ACT_KIND_EDIT, desk_.ActorOf(*snapshot, caller), "",
              own.draft.has_value() ? own.draft->state() : before->state(), v1::ENTRY_STATE_DRAFT),
      &writes));
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  return entry;
}

absl::StatusOr<v1::ImportResponse> Drafts::Import(const CallerIdentity& caller,
                                                  const v1::ImportRequest& request) {
  std::vector<v1::CatalogEntry> entries(request.entries().begin(), request.entries().end());
  std::vector<absl::Status> claimed;
  for (v1::CatalogEntry& entry : entries)
    claimed.push_back(templates_.Apply(caller, nullptr, &entry));
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  const auto tree = desk_.classes().Tree(*snapshot);
  CodeGiver codes(&desk_.site(), snapshot.get(), tree.get());
  v1::ImportResponse response;
  std::vector<std::vector<v1::Problem>> together = CheckTogether(entries);
  for (size_t i = 0; i < entries.size(); ++i) {
    v1::CatalogEntry& entry = entries[i];
    v1::ImportedEntry* imported = response.add_entries();
    absl::StatusOr<std::vector<v1::Problem>> problems = desk_.Examine(*snapshot, caller, &entry);
    if (problems.ok()) {
      for (v1::Problem& problem : *problems) *imported->add_problems() = std::move(problem);
    } else {
      *imported->add_problems() = ProblemOf(problems.status());
    }
    if (!claimed[i].ok()) *imported->add_problems() = ProblemOf(claimed[i]);
    for (v1::Problem& problem : together[i]) *imported->add_problems() = std::move(problem);
    if (!HasError(*imported)) {
      Begin(&entry);
      if (const absl::Status given = codes.Give(&entry); !given.ok())
        *imported->add_problems() = ProblemOf(given);
      for (const v1::Problem& warning : entry.warnings()) *imported->add_problems() = warning;
    }
    if (HasError(*imported)) {
      response.set_refused(response.refused() + 1);
    } else {
      response.set_taken(response.taken() + 1);
      imported->set_code(entry.code());
    }
  }
  const bool store = !request.dry_run() && response.taken() > 0 &&
                     (request.accept_valid() || response.refused() == 0);
  if (!store) {
    for (v1::ImportedEntry& imported : *response.mutable_entries()) imported.clear_code();
    return response;
  }
  const v1::Actor actor = desk_.ActorOf(*snapshot, caller);
  WriteSet writes;
  codes.Save(&writes);
  for (size_t i = 0; i < entries.size(); ++i) {
    if (response.entries(static_cast<int>(i)).code().empty()) continue;
    writes.Put(DraftKey(entries[i].code()), Stored(entries[i]));
    GT_RETURN_IF_ERROR(desk_.Note(*snapshot, entries[i],
                                  MakeAct(v1::ACT_KIND_REGISTER, actor, "",
                                          v1::ENTRY_STATE_UNSPECIFIED, v1::ENTRY_STATE_DRAFT),
                                  &writes));
  }
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  response.set_stored(true);
  return response;
}

}  // namespace guantong
