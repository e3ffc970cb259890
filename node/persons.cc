#include "node/persons.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/clock.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr char kSerial[] = "person";

absl::Status Invalid(absl::string_view subject, absl::string_view text) {
  return Error(absl::StatusCode::kInvalidArgument, "person_invalid", text, subject,
               "改正后重试 (correct it)");
}

// Whether the contact named `from`; it names `to` then.
bool Move(const v1::Person& from, const v1::Person& to, v1::Contact* contact) {
  if (contact->person() != from.id()) return false;
  *contact = ContactOf(to);
  return true;
}

bool MoveContacts(const v1::Person& from, const v1::Person& to, v1::CatalogEntry* entry) {
  bool moved = false;
  if (entry->has_contact()) moved |= Move(from, to, entry->mutable_contact());
  if (entry->has_responsible()) moved |= Move(from, to, entry->mutable_responsible());
  return moved;
}

bool Names(const v1::CatalogEntry& entry, const std::string& id) {
  return entry.contact().person() == id || entry.responsible().person() == id;
}

bool HasRole(const v1::Person& person, const std::string& role) {
  return std::count(person.roles().begin(), person.roles().end(), role) > 0;
}

}  // namespace

v1::Contact ContactOf(const v1::Person& person) {
  v1::Contact contact;
  contact.set_name(person.name());
  contact.set_phone(person.phone());
  contact.set_email(person.email());
  contact.set_person(person.id());
  return contact;
}

absl::Status Persons::CheckMayManage(const CallerIdentity& caller, const std::string& uscc) const {
  if (caller.is_operator()) return absl::OkStatus();
  if (caller.uscc == uscc && caller.role == CertificateRole::kApprover) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied, "not_your_department",
               absl::StrCat("只有该部门的审批员或节点运维可以管理人员：", uscc,
                            " (an approver of the department, or the operator, does it)"),
               uscc, "使用该部门的 approver.yaml (use the approver's profile)");
}

absl::StatusOr<Persons::Stored> Persons::Load(const Reader& snapshot, const CallerIdentity& caller,
                                              const std::string& id) const {
  GT_ASSIGN_OR_RETURN(auto stored, LoadStored<Stored>(snapshot, PersonKey(id)));
  if (!stored.has_value()) {
    return Error(absl::StatusCode::kNotFound, "person_unknown",
                 absl::StrCat("没有人员 ", id, " (no such person)"), id,
                 "见 (see) guantong person list");
  }
  GT_RETURN_IF_ERROR(CheckMayManage(caller, stored->person().uscc()));
  return *std::move(stored);
}

absl::Status Persons::Issue(const Reader& snapshot, const v1::ProfileKey& key, Stored* stored,
                            v1::ProfileCertificate* certificate, WriteSet* writes) const {
  const bool approver = key.role() == "approver";
  if (!approver && key.role() != "editor") {
    return Invalid("role",
                   absl::StrCat("角色应为 editor 或 approver：", key.role(), " (no such role)"));
  }
  const std::string digest = Sha256(key.public_key());
  std::string holder;
  const absl::Status taken = snapshot.Get(ProfileOwnerKey(digest), &holder);
  if (!taken.ok() && !absl::IsNotFound(taken)) return taken;
  if (taken.ok()) {
    return Error(absl::StatusCode::kAlreadyExists, "key_in_use",
                 absl::StrCat("密钥已属于 ", holder, " (the key is another person's)"), holder,
                 "为每人生成自己的密钥 (make a key for each person)");
  }
  v1::Person* person = stored->mutable_person();
  certificate->set_role(key.role());
  GT_ASSIGN_OR_RETURN(*certificate->mutable_chain(),
                      IssueProfile(*desk_.site().identity,
                                   approver ? CertificateRole::kApprover : CertificateRole::kEditor,
                                   person->uscc(), person->name(), key.public_key()));
  if (!HasRole(*person, key.role())) person->add_roles(key.role());
  storage::v1::StoredKey* held = stored->add_keys();
  held->set_role(key.role());
  held->set_key_digest(digest);
  writes->Put(ProfileOwnerKey(digest), person->id());
  return absl::OkStatus();
}

absl::StatusOr<v1::AddPersonResponse> Persons::Add(const CallerIdentity& caller,
                                                   const v1::AddPersonRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  Stored stored;
  v1::Person* person = stored.mutable_person();
  person->set_uscc(request.person().uscc().empty() ? caller.uscc : request.person().uscc());
  GT_RETURN_IF_ERROR(CheckMayManage(caller, person->uscc()));
  if (!desk_.FindDepartment(*snapshot, person->uscc()).has_value()) {
    return Error(absl::StatusCode::kNotFound, "department_unknown",
                 absl::StrCat("本节点没有登记部门 ", person->uscc(), " (no such department)"),
                 person->uscc(), "先登记部门 (add it first): guantong department add");
  }
  const v1::Person& said = request.person();
  if (said.name().empty() || said.name().size() > kNameBytesMax)
    return Invalid("name", "姓名为空或太长 (the name is empty or too long)");
  if (said.phone().size() > kNameBytesMax || said.email().size() > kNameBytesMax)
    return Invalid("phone", "电话或邮箱太长 (phone or mail is too long)");
  if (static_cast<size_t>(request.keys_size()) > kProfileKeysMax)
    return Invalid("keys", "密钥太多 (too many keys)");
  person->set_name(said.name());
  person->set_phone(said.phone());
  person->set_email(said.email());
  *person->mutable_since() = TimestampOf(absl::Now());

  std::string last;
  uint64_t serial = 0;
  const absl::Status read = snapshot->Get(SerialKey(kSerial), &last);
  if (!read.ok() && !absl::IsNotFound(read)) return read;
  if (read.ok() && !absl::SimpleAtoi(last, &serial)) return StoredRecordDamaged();
  person->set_id(absl::StrFormat("P%06d", ++serial));
  WriteSet writes;
  writes.Put(SerialKey(kSerial), absl::StrCat(serial));
  v1::AddPersonResponse response;
  for (const v1::ProfileKey& key : request.keys())
    GT_RETURN_IF_ERROR(Issue(*snapshot, key, &stored, response.add_certificates(), &writes));
  writes.Put(PersonKey(person->id()), stored.SerializeAsString());
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  *response.mutable_person() = *person;
  return response;
}

absl::StatusOr<Persons::Work> Persons::WorkOf(const Reader& snapshot,
                                              const v1::Person& person) const {
  Work work;
  const std::string entries =
      EntryPrefix(FeedKey::Of(desk_.site().OwnFeed(v1::FEED_KIND_CATALOG_OPEN)));
  auto entry_at = snapshot.Scan(entries, PrefixEnd(entries));
  for (; entry_at->Valid(); entry_at->Next()) {
    v1::CatalogEntry entry;
    if (!entry.ParseFromArray(entry_at->value().data(), static_cast<int>(entry_at->value().size())))
      return StoredRecordDamaged();
    if (entry.state() != v1::ENTRY_STATE_WITHDRAWN && Names(entry, person.id()))
      work.entries.push_back(entry.code());
  }
  GT_RETURN_IF_ERROR(entry_at->status());
  const std::string drafts = KindPrefix('D');
  auto draft_at = snapshot.Scan(drafts, PrefixEnd(drafts));
  for (; draft_at->Valid(); draft_at->Next()) {
    v1::CatalogEntry draft;
    if (!draft.ParseFromArray(draft_at->value().data(), static_cast<int>(draft_at->value().size())))
      return StoredRecordDamaged();
    GT_ASSIGN_OR_RETURN(const auto review,
                        LoadStored<storage::v1::StoredReview>(snapshot, ReviewKey(draft.code())));
    const bool submitted = review.has_value() && review->submitted_by().person() == person.id();
    if (submitted || Names(draft, person.id())) work.drafts.push_back(draft.code());
  }
  GT_RETURN_IF_ERROR(draft_at->status());
  return work;
}

absl::Status Persons::MoveDraft(const std::string& code, const v1::Person& from,
                                const v1::Person& to, const v1::Act& act) {
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(OwnEntry own, desk_.Load(*snapshot, code));
  if (!own.draft.has_value()) return absl::OkStatus();
  MoveContacts(from, to, &*own.draft);
  WriteSet writes;
  writes.Put(DraftKey(own.code()), own.draft->SerializeAsString());
  if (own.review.has_value() && own.review->submitted_by().person() == from.id()) {
    // The work is the successor's now, so he does not approve it either.
    own.review->mutable_submitted_by()->set_person(to.id());
    own.review->mutable_submitted_by()->set_person_name(to.name());
    writes.Put(ReviewKey(own.code()), own.review->SerializeAsString());
  }
  v1::Act moved = act;
  moved.set_from(own.draft->state());
  moved.set_to(own.draft->state());
  GT_RETURN_IF_ERROR(desk_.Note(*snapshot, *own.draft, std::move(moved), &writes));
  return desk_.Commit(std::move(writes));
}

absl::Status Persons::MoveEntry(const std::string& code, const v1::Person& from,
                                const v1::Person& to, const v1::Act& act) {
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(OwnEntry own, desk_.Load(*snapshot, code));
  v1::CatalogEntry entry = *own.in_force;
  if (!MoveContacts(from, to, &entry)) return absl::OkStatus();
  return publication_.Restate(*snapshot, own, std::move(entry), act).status();
}

absl::StatusOr<v1::HandOverResponse> Persons::HandOver(const CallerIdentity& caller,
                                                       const v1::HandOverRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(Stored from, Load(*snapshot, caller, request.from()));
  GT_ASSIGN_OR_RETURN(Stored to, Load(*snapshot, caller, request.to()));
  if (from.person().id() == to.person().id() || from.person().uscc() != to.person().uscc())
    return Invalid("to", "只能移交给同部门的另一人 (another person of the department takes over)");
  for (const Stored* person : {&from, &to}) {
    if (!person->person().disabled()) continue;
    return Error(absl::StatusCode::kFailedPrecondition, "person_disabled",
                 absl::StrCat(person->person().name(), " (", person->person().id(),
                              ") 已停用 (the person's profile has ended)"),
                 person->person().id(), "见 (see) guantong person list");
  }
  v1::HandOverResponse response;
  WriteSet writes;
  for (const v1::ProfileKey& key : request.keys())
    GT_RETURN_IF_ERROR(Issue(*snapshot, key, &to, response.add_certificates(), &writes));
  std::vector<std::string> missing;
  for (const std::string& role : from.person().roles()) {
    if (!HasRole(to.person(), role)) missing.push_back(role);
  }
  if (!missing.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "keys_missing",
                 absl::StrCat("接手人还没有角色 ", absl::StrJoin(missing, "、"),
                              "，需要它的密钥 (the successor lacks the role and needs a key)"),
                 to.person().id(), "加 --out DIR，由命令生成 (say --out, the command makes them)");
  }
  GT_ASSIGN_OR_RETURN(const Work work, WorkOf(*snapshot, from.person()));
  v1::Act act = MakeAct(v1::ACT_KIND_HAND_OVER, desk_.ActorOf(*snapshot, caller),
                        absl::StrCat(from.person().name(), " → ", to.person().name(),
                                     request.reason().empty() ? "" : "：", request.reason()),
                        v1::ENTRY_STATE_UNSPECIFIED, v1::ENTRY_STATE_UNSPECIFIED);
  // The person ends last: interrupted before, the rest moves when it is said again.
  for (const std::string& code : work.drafts) {
    GT_RETURN_IF_ERROR(MoveDraft(code, from.person(), to.person(), act));
    response.set_drafts(response.drafts() + 1);
  }
  for (const std::string& code : work.entries) {
    GT_RETURN_IF_ERROR(MoveEntry(code, from.person(), to.person(), act));
    response.set_entries(response.entries() + 1);
  }
  from.mutable_person()->set_disabled(true);
  from.mutable_person()->set_successor(to.person().id());
  *from.mutable_person()->mutable_until() = TimestampOf(absl::Now());
  writes.Put(PersonKey(from.person().id()), from.SerializeAsString());
  writes.Put(PersonKey(to.person().id()), to.SerializeAsString());
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  *response.mutable_from() = from.person();
  *response.mutable_to() = to.person();
  return response;
}

absl::StatusOr<v1::Person> Persons::Disable(const CallerIdentity& caller,
                                            const v1::DisablePersonRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(Stored stored, Load(*snapshot, caller, request.id()));
  if (stored.person().disabled()) return stored.person();
  GT_ASSIGN_OR_RETURN(const Work work, WorkOf(*snapshot, stored.person()));
  if (!work.entries.empty() || !work.drafts.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "person_has_work",
                 absl::StrCat(stored.person().name(), " 还负责 ", work.entries.size(), " 个条目、",
                              work.drafts.size(), " 个草稿 (entries or drafts name the person)"),
                 request.id(),
                 absl::StrCat("先移交 (hand over first): guantong person hand-over ", request.id(),
                              " --to ID"));
  }
  stored.mutable_person()->set_disabled(true);
  *stored.mutable_person()->mutable_until() = TimestampOf(absl::Now());
  WriteSet writes;
  writes.Put(PersonKey(request.id()), stored.SerializeAsString());
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  return stored.person();
}

absl::StatusOr<v1::ListPersonsResponse> Persons::List(const CallerIdentity& caller,
                                                      const v1::ListPersonsRequest& request) const {
  const std::string wanted = caller.is_operator() ? request.uscc() : caller.uscc;
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  v1::ListPersonsResponse response;
  const std::string all = KindPrefix('p');
  const auto cursor = snapshot->Scan(all, PrefixEnd(all));
  for (; cursor->Valid(); cursor->Next()) {
    Stored stored;
    if (!stored.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
      return StoredRecordDamaged();
    if (wanted.empty() || stored.person().uscc() == wanted)
      *response.add_persons() = stored.person();
  }
  GT_RETURN_IF_ERROR(cursor->status());
  return response;
}

}  // namespace guantong
