// People of a department: who holds which profile, whose name stands in which entry. A profile of a
// person ends with the person; one that `department add` made belongs to the department.
#ifndef GUANTONG_NODE_PERSONS_H_
#define GUANTONG_NODE_PERSONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/person.pb.h"
#include "node/entries/desk.h"
#include "node/entries/publication.h"

namespace guantong {

// Any thread; waits for commits. Interrupted, a hand-over can be repeated and goes on.
class Persons {
 public:
  Persons(EntryDesk* desk, Publication* publication) : desk_(*desk), publication_(*publication) {}

  // INVALID_ARGUMENT person_invalid, NOT_FOUND department_unknown, PERMISSION_DENIED
  // not_your_department, ALREADY_EXISTS key_in_use.
  absl::StatusOr<v1::AddPersonResponse> Add(const CallerIdentity& caller,
                                            const v1::AddPersonRequest& request);
  // NOT_FOUND person_unknown, FAILED_PRECONDITION person_disabled, INVALID_ARGUMENT keys_missing
  // besides.
  absl::StatusOr<v1::HandOverResponse> HandOver(const CallerIdentity& caller,
                                                const v1::HandOverRequest& request);
  // FAILED_PRECONDITION person_has_work besides.
  absl::StatusOr<v1::Person> Disable(const CallerIdentity& caller,
                                     const v1::DisablePersonRequest& request);
  absl::StatusOr<v1::ListPersonsResponse> List(const CallerIdentity& caller,
                                               const v1::ListPersonsRequest& request) const;

 private:
  using Stored = storage::v1::StoredPerson;

  absl::StatusOr<Stored> Load(const Reader& snapshot, const CallerIdentity& caller,
                              const std::string& id) const;
  absl::Status CheckMayManage(const CallerIdentity& caller, const std::string& uscc) const;
  absl::Status Issue(const Reader& snapshot, const v1::ProfileKey& key, Stored* stored,
                     v1::ProfileCertificate* certificate, WriteSet* writes) const;
  // Codes of entries in force, and of drafts, that name the person or were submitted by him.
  struct Work {
    std::vector<std::string> entries, drafts;
  };
  absl::StatusOr<Work> WorkOf(const Reader& snapshot, const v1::Person& person) const;
  absl::Status MoveEntry(const std::string& code, const v1::Person& from, const v1::Person& to,
                         const v1::Act& act);
  absl::Status MoveDraft(const std::string& code, const v1::Person& from, const v1::Person& to,
                         const v1::Act& act);

  EntryDesk& desk_;
  Publication& publication_;
};

// The contact as the person has it.
v1::Contact ContactOf(const v1::Person& person);

}  // namespace guantong

#endif  // GUANTONG_NODE_PERSONS_H_
