#include "node/entries/drafts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
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
  Finder::Taken above;
  if (!entry.code().empty()) above = finder_.TakenAbove({entry.code()}, caller);
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_RETURN_IF_ERROR(desk_.Prepare(*snapshot, caller, &entry));
  Begin(&entry);
  const auto tree = desk_.classes().Tree(*snapshot);
  CodeGiver codes(&desk_.site(), snapshot.get(), tree.get());
  codes.Beside(std::move(above));
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

absl::StatusOr<OwnEntry> Drafts::LoadToEdit(const Reader& snapshot, const CallerIdentity& caller,
                                            const std::string& code) const {
  GT_ASSIGN_OR_RETURN(OwnEntry own, desk_.LoadOwn(snapshot, caller, code));
  const v1::CatalogEntry* before = own.before();
  if (before != nullptr && before->state() != v1::ENTRY_STATE_SUSPENDED)
    GT_RETURN_IF_ERROR(CheckInForce(*before));
  if (own.review.has_value()) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "under_review",
        absl::StrCat("条目正在审核，不能修改：", own.code(), " (the draft is under review)"),
        own.code(), absl::StrCat("先撤回 (recall it first): guantong catalog recall ", own.code()));
  }
  return own;
}

absl::Status Drafts::Follow(const Reader& snapshot, const OwnEntry& own, CodeGiver* codes,
                            v1::CatalogEntry* entry) const {
  Begin(entry);
  *entry->mutable_aliases() = own.any().aliases();
  if (const v1::CatalogEntry* before = own.before(); before != nullptr) {
    entry->set_version(before->version() + 1);
    entry->set_publication_date(before->publication_date());
    entry->set_schema_version(before->schema_version() +
                              (SchemaBytes(*before) == SchemaBytes(*entry) ? 0 : 1));
    // Said now already, so that nobody works on a draft that cannot be published.
    GT_RETURN_IF_ERROR(desk_.CheckChange(snapshot, *before, *entry));
  }
  return codes->GiveAliases(entry);
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
  GT_ASSIGN_OR_RETURN(const OwnEntry own, LoadToEdit(*snapshot, caller, entry.code()));
  entry.set_code(own.code());
  GT_RETURN_IF_ERROR(desk_.Prepare(*snapshot, caller, &entry));
  const auto tree = desk_.classes().Tree(*snapshot);
  CodeGiver codes(&desk_.site(), snapshot.get(), tree.get());
  GT_RETURN_IF_ERROR(Follow(*snapshot, own, &codes, &entry));
  if (request.dry_run()) return entry;
  WriteSet writes;
  codes.Save(&writes);
  writes.Put(DraftKey(entry.code()), Stored(entry));
  GT_RETURN_IF_ERROR(desk_.Note(*snapshot, entry,
                                MakeAct(v1::ACT_KIND_EDIT, desk_.ActorOf(*snapshot, caller), "",
                                        own.any().state(), v1::ENTRY_STATE_DRAFT),
                                &writes));
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  return entry;
}

absl::StatusOr<v1::ImportResponse> Drafts::Import(const CallerIdentity& caller,
                                                  const v1::ImportRequest& request,
                                                  const NameReaders& name_readers) {
  std::vector<v1::CatalogEntry> entries(request.entries().begin(), request.entries().end());
  const std::set<uint32_t> changes(request.changes().begin(), request.changes().end());
  std::vector<absl::Status> claimed;
  std::vector<std::string> brought;
  {
    const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
    Templates::Asked asked;
    for (uint32_t i = 0; i < entries.size(); ++i) {
      std::optional<OwnEntry> held;
      if (changes.count(i) > 0) {
        absl::StatusOr<OwnEntry> own = desk_.LoadOwn(*snapshot, caller, entries[i].code());
        if (own.ok()) held = *std::move(own);
      } else if (!entries[i].code().empty()) {
        brought.push_back(entries[i].code());
      }
      claimed.push_back(
          templates_.Apply(caller, held.has_value() ? &held->any() : nullptr, &entries[i], &asked));
    }
  }
  Finder::Taken above = finder_.TakenAbove(brought, caller);
  std::unique_lock<std::mutex> lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  const auto tree = desk_.classes().Tree(*snapshot);
  CodeGiver codes(&desk_.site(), snapshot.get(), tree.get());
  codes.Beside(std::move(above));
  v1::ImportResponse response;
  std::vector<std::vector<v1::Problem>> together = CheckTogether(entries);
  std::vector<v1::Act> acts(entries.size());
  const v1::Actor actor = desk_.ActorOf(*snapshot, caller);
  std::map<size_t, absl::Status> broken;  // changes that readers would not bear
  std::set<std::string> changed;
  for (size_t i = 0; i < entries.size(); ++i) {
    v1::CatalogEntry& entry = entries[i];
    v1::ImportedEntry* imported = response.add_entries();
    const auto refuse = [&](const absl::Status& status) {
      *imported->add_problems() = ProblemOf(status);
    };
    std::optional<OwnEntry> own;
    if (changes.count(static_cast<uint32_t>(i)) > 0) {
      absl::StatusOr<OwnEntry> loaded = LoadToEdit(*snapshot, caller, entry.code());
      if (!loaded.ok()) {
        refuse(loaded.status());
      } else if (!changed.insert(loaded->code()).second) {
        refuse(
            Error(absl::StatusCode::kInvalidArgument, "entry_invalid",
                  absl::StrCat("条目 ", loaded->code(), " 在一次导入中修改了两次 (changed twice)"),
                  "code", "只留一行 (keep one of them)"));
      } else {
        own = *std::move(loaded);
        entry.set_code(own->code());
      }
    }
    absl::StatusOr<std::vector<v1::Problem>> problems = desk_.Examine(*snapshot, caller, &entry);
    if (problems.ok()) {
      for (v1::Problem& problem : *problems) *imported->add_problems() = std::move(problem);
    } else {
      refuse(problems.status());
    }
    if (!claimed[i].ok()) refuse(claimed[i]);
    for (v1::Problem& problem : together[i]) *imported->add_problems() = std::move(problem);
    if (!HasError(*imported)) {
      if (const absl::Status fits = EntryDesk::CheckStorable(entry); !fits.ok()) refuse(fits);
    }
    if (!HasError(*imported)) {
      if (!own.has_value()) Begin(&entry);
      const absl::Status made =
          own.has_value() ? Follow(*snapshot, *own, &codes, &entry) : codes.Give(&entry);
      if (!made.ok()) broken.emplace(i, made);
      for (const v1::Problem& warning : entry.warnings()) *imported->add_problems() = warning;
      acts[i] = own.has_value() ? MakeAct(v1::ACT_KIND_EDIT, actor, "", own->any().state(),
                                          v1::ENTRY_STATE_DRAFT)
                                : MakeAct(v1::ACT_KIND_REGISTER, actor, "",
                                          v1::ENTRY_STATE_UNSPECIFIED, v1::ENTRY_STATE_DRAFT);
    }
    if (HasError(*imported) || broken.count(i) > 0) {
      response.set_refused(response.refused() + 1);
    } else {
      response.set_taken(response.taken() + 1);
      imported->set_code(entry.code());
    }
  }
  const bool store = !request.dry_run() && response.taken() > 0 &&
                     (request.accept_valid() || response.refused() == 0);
  if (store) {
    WriteSet writes;
    codes.Save(&writes);
    for (size_t i = 0; i < entries.size(); ++i) {
      if (response.entries(static_cast<int>(i)).code().empty()) continue;
      writes.Put(DraftKey(entries[i].code()), Stored(entries[i]));
      GT_RETURN_IF_ERROR(desk_.Note(*snapshot, entries[i], acts[i], &writes));
    }
    GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
    response.set_stored(true);
  } else {
    for (v1::ImportedEntry& imported : *response.mutable_entries()) imported.clear_code();
  }
  lock.unlock();
  for (const auto& [i, status] : broken) {
    *response.mutable_entries(static_cast<int>(i))->add_problems() =
        ProblemOf(name_readers ? name_readers(status, entries[i].code()) : status);
  }
  return response;
}

}  // namespace guantong
