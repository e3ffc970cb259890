#include "node/entries/desk.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "catalog/row.h"
#include "catalog/table.h"
#include "catalog/view.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/entry_rules.h"

namespace guantong {

absl::Status StoredRecordDamaged() {
  return Error(absl::StatusCode::kDataLoss, "store_corrupt",
               "存储中的记录无法解析 (a stored record does not parse)");
}

bool NotShared(const v1::CatalogEntry& entry) {
  return entry.sharing().type() == v1::SHARING_TYPE_NOT_SHARED;
}

v1::Act MakeAct(v1::ActKind kind, const v1::Actor& by, const std::string& reason,
                v1::EntryState from, v1::EntryState to) {
  v1::Act act;
  act.set_kind(kind);
  *act.mutable_at() = TimestampOf(absl::Now());
  *act.mutable_by() = by;
  act.set_reason(reason);
  act.set_from(from);
  act.set_to(to);
  return act;
}

absl::Status EntryUnknown(const std::string& code) {
  return Error(absl::StatusCode::kNotFound, "entry_unknown",
               absl::StrCat("没有这个条目：", code, " (no such entry)"), code,
               "核对代码，或用 guantong catalog list --mine 查看 (check the code)");
}

absl::Status RequireReason(const std::string& reason, const std::string& code) {
  if (!reason.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "reason_missing",
               "必须说明原因 (a reason has to be given)", code, "加 --reason (say --reason)");
}

absl::StatusOr<OwnEntry> EntryDesk::Load(const Reader& snapshot, const std::string& code) const {
  OwnEntry own;
  GT_ASSIGN_OR_RETURN(own.draft, LoadStored<v1::CatalogEntry>(snapshot, DraftKey(code)));
  absl::StatusOr<v1::CatalogEntry> in_force = FindEntry(snapshot, code);
  if (in_force.ok()) {
    own.in_force = *std::move(in_force);
    // An alias was said.
    if (own.in_force->code() != code) {
      GT_ASSIGN_OR_RETURN(own.draft,
                          LoadStored<v1::CatalogEntry>(snapshot, DraftKey(own.in_force->code())));
    }
  } else if (!absl::IsNotFound(in_force.status())) {
    return in_force.status();
  }
  if (!own.draft.has_value() && !own.in_force.has_value()) return EntryUnknown(code);
  GT_ASSIGN_OR_RETURN(own.review,
                      LoadStored<storage::v1::StoredReview>(snapshot, ReviewKey(own.code())));
  return own;
}

absl::StatusOr<OwnEntry> EntryDesk::LoadOwn(const Reader& snapshot, const CallerIdentity& caller,
                                            const std::string& code) const {
  GT_ASSIGN_OR_RETURN(OwnEntry own, Load(snapshot, code));
  GT_RETURN_IF_ERROR(CheckOwner(site_, caller, own.any()));
  return own;
}

std::optional<v1::Department> EntryDesk::FindDepartment(const Reader& snapshot,
                                                        const std::string& uscc) const {
  const auto stored = LoadStored<storage::v1::StoredDepartment>(snapshot, DepartmentKey(uscc));
  if (!stored.ok() || !stored->has_value()) return std::nullopt;
  return (*stored)->department();
}

std::optional<v1::Department> EntryDesk::SupervisorOf(const Reader& snapshot,
                                                      const std::string& division) const {
  const std::string all = KindPrefix('U');
  const auto cursor = snapshot.Scan(all, PrefixEnd(all));
  for (; cursor->Valid(); cursor->Next()) {
    storage::v1::StoredDepartment stored;
    if (stored.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())) &&
        stored.department().supervising() && stored.department().division() == division) {
      return stored.department();
    }
  }
  return std::nullopt;
}

v1::Actor EntryDesk::ActorOf(const Reader& snapshot, const CallerIdentity& caller) const {
  v1::Actor actor;
  actor.set_uscc(caller.uscc);
  actor.set_role(caller.role == CertificateRole::kApprover   ? "approver"
                 : caller.role == CertificateRole::kOperator ? "operator"
                                                             : "editor");
  actor.set_key_digest(caller.key_digest);
  if (const auto department = FindDepartment(snapshot, caller.uscc))
    actor.set_department(department->name());
  std::string id;
  if (!caller.key_digest.empty() && snapshot.Get(ProfileOwnerKey(caller.key_digest), &id).ok()) {
    const auto person = LoadStored<storage::v1::StoredPerson>(snapshot, PersonKey(id));
    actor.set_person(id);
    if (person.ok() && person->has_value()) actor.set_person_name((*person)->person().name());
  }
  return actor;
}

bool EntryDesk::MaySeeDraft(const Reader& snapshot, const CallerIdentity& caller,
                            const v1::CatalogEntry& draft) const {
  if (caller.node_id != site_.node_id()) return false;
  if (caller.is_operator() || caller.uscc == draft.provider_code()) return true;
  const auto department = FindDepartment(snapshot, caller.uscc);
  return draft.state() == v1::ENTRY_STATE_SUPERVISOR_REVIEW && department.has_value() &&
         department->supervising() && department->division() == draft.division();
}

absl::Status EntryDesk::Note(const Reader& snapshot, const v1::CatalogEntry& entry, v1::Act act,
                             WriteSet* writes) const {
  uint64_t number = 0;
  const std::string prefix = ActPrefix(entry.code());
  const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) ++number;
  GT_RETURN_IF_ERROR(cursor->status());
  act.set_number(number + 1);
  act.set_version(entry.version());
  writes->Put(ActKey(entry.code(), act.number()), act.SerializeAsString());
  return absl::OkStatus();
}

absl::Status EntryDesk::Commit(WriteSet writes) const {
  return site_.driver->WriteOwn(std::move(writes));
}

void EntryDesk::FillContact(const Reader& snapshot, const std::string& element,
                            const std::string& uscc, v1::Contact* contact,
                            std::vector<v1::Problem>* problems) const {
  if (contact->person().empty()) return;
  const auto stored = LoadStored<storage::v1::StoredPerson>(snapshot, PersonKey(contact->person()));
  if (stored.ok() && stored->has_value() && !(*stored)->person().disabled() &&
      (*stored)->person().uscc() == uscc) {
    contact->set_name((*stored)->person().name());
    contact->set_phone((*stored)->person().phone());
    contact->set_email((*stored)->person().email());
    return;
  }
  v1::Problem& problem = problems->emplace_back();
  problem.set_element(absl::StrCat(element, ".person"));
  problem.set_text(absl::StrCat("人员 ", contact->person(),
                                " 不是本部门在用的人员 (no active person of the department)"));
  problem.set_remedy("见 guantong person list，或只写姓名 (see the list, or write the name alone)");
}

absl::StatusOr<std::vector<v1::Problem>> EntryDesk::Examine(const Reader& snapshot,
                                                            const CallerIdentity& caller,
                                                            v1::CatalogEntry* entry) {
  entry->clear_warnings();
  std::vector<v1::Problem> problems = NormaliseEntry(entry);
  const std::optional<v1::Department> department = FindDepartment(snapshot, caller.uscc);
  if (entry->provider_code().empty()) entry->set_provider_code(caller.uscc);
  if (department.has_value()) {
    if (entry->provider().empty()) entry->set_provider(department->name());
    entry->set_division(department->division());
  }
  entry->set_node(site_.node_id());
  *entry->mutable_updated_at() = TimestampOf(absl::Now());
  GT_RETURN_IF_ERROR(CheckOwner(site_, caller, *entry));
  if (entry->has_contact())
    FillContact(snapshot, "contact", caller.uscc, entry->mutable_contact(), &problems);
  if (entry->has_responsible())
    FillContact(snapshot, "responsible", caller.uscc, entry->mutable_responsible(), &problems);
  for (v1::Problem& problem : CheckEntry(*entry, rules_.Today(snapshot)))
    problems.push_back(std::move(problem));
  for (v1::Problem& problem : CheckDictionariesOf(
           *entry, rules_.Today(snapshot),
           [&](const std::string& key) { return code_lists_.Find(snapshot, key); })) {
    problems.push_back(std::move(problem));
  }
  for (v1::Problem& problem : CheckClassesOf(*entry, *classes_.Tree(snapshot)))
    problems.push_back(std::move(problem));
  return problems;
}

absl::Status EntryDesk::CheckStorable(const v1::CatalogEntry& entry) {
  if (!TablesOf(entry).empty()) GT_RETURN_IF_ERROR(SchemaOf(entry).status());
  if (entry.ByteSizeLong() > kEntryBytesMax) {
    return Error(absl::StatusCode::kInvalidArgument, "entry_invalid",
                 absl::StrCat("条目超过 ", kEntryBytesMax, " 字节 (the entry is too large)"),
                 entry.name());
  }
  return absl::OkStatus();
}

absl::Status EntryDesk::Prepare(const Reader& snapshot, const CallerIdentity& caller,
                                v1::CatalogEntry* entry) {
  GT_ASSIGN_OR_RETURN(std::vector<v1::Problem> problems, Examine(snapshot, caller, entry));
  GT_RETURN_IF_ERROR(RefuseProblems(problems));
  GT_RETURN_IF_ERROR(CheckStorable(*entry));
  for (v1::Problem& problem : problems) *entry->add_warnings() = std::move(problem);
  return absl::OkStatus();
}

absl::Status EntryDesk::CheckChange(const Reader& snapshot, const v1::CatalogEntry& from,
                                    const v1::CatalogEntry& to) const {
  GT_RETURN_IF_ERROR(CheckSharingChange(from, to));
  for (const std::string& table : TablesOf(to)) {
    const FeedKey feed = FeedKey::Of(site_.OwnFeed(v1::FEED_KIND_ROWS, table));
    absl::StatusOr<TableReader> reader = TableReader::Open(snapshot, feed);
    if (absl::IsNotFound(reader.status())) continue;
    GT_RETURN_IF_ERROR(reader.status());
    if (reader->record().rows() == 0) continue;
    GT_ASSIGN_OR_RETURN(const v1::DatasetSchema old_schema, SchemaOf(from));
    GT_ASSIGN_OR_RETURN(const v1::DatasetSchema new_schema, SchemaOf(to));
    GT_RETURN_IF_ERROR(CheckSchemaChange(old_schema, new_schema));
  }
  return absl::OkStatus();
}

}  // namespace guantong
