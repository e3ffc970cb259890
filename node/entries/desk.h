// What every part that changes own entries stands on.
#ifndef GUANTONG_NODE_ENTRIES_DESK_H_
#define GUANTONG_NODE_ENTRIES_DESK_H_

#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/review.pb.h"
#include "node/classes.h"
#include "node/code_lists.h"
#include "node/rules.h"
#include "node/site.h"

namespace guantong {

// What is known of an own entry: `draft` and `in_force` may each be absent, not both.
struct OwnEntry {
  std::optional<v1::CatalogEntry> draft;
  std::optional<v1::CatalogEntry> in_force;
  std::optional<storage::v1::StoredReview> review;

  const v1::CatalogEntry& any() const { return draft.has_value() ? *draft : *in_force; }
  const v1::CatalogEntry* before() const { return in_force.has_value() ? &*in_force : nullptr; }
  std::string code() const { return any().code(); }
};

// Any thread. Whoever changes an entry holds Lock() from reading to writing.
class EntryDesk {
 public:
  EntryDesk(const Site* site, Classes* classes, const CodeLists* code_lists, Rules* rules)
      : site_(*site), classes_(*classes), code_lists_(*code_lists), rules_(*rules) {}

  std::unique_lock<std::mutex> Lock() { return std::unique_lock<std::mutex>(mutex_); }

  // By code or alias. NOT_FOUND entry_unknown.
  absl::StatusOr<OwnEntry> Load(const Reader& snapshot, const std::string& code) const;
  // PERMISSION_DENIED not_your_entry besides.
  absl::StatusOr<OwnEntry> LoadOwn(const Reader& snapshot, const CallerIdentity& caller,
                                   const std::string& code) const;

  v1::Actor ActorOf(const Reader& snapshot, const CallerIdentity& caller) const;
  std::optional<v1::Department> FindDepartment(const Reader& snapshot,
                                               const std::string& uscc) const;
  // The supervising authority of a division hosted here; nothing when there is none.
  std::optional<v1::Department> SupervisorOf(const Reader& snapshot,
                                             const std::string& division) const;

  // A draft is its department's business, and that of whoever approves it.
  bool MaySeeDraft(const Reader& snapshot, const CallerIdentity& caller,
                   const v1::CatalogEntry& draft) const;

  // Adds the act to `writes`, numbered; `entry` gives code and version.
  absl::Status Note(const Reader& snapshot, const v1::CatalogEntry& entry, v1::Act act,
                    WriteSet* writes) const;
  absl::Status Commit(WriteSet writes) const;

  // Fills in what the node gives, checks everything. Warnings come back in `entry`.
  absl::Status Prepare(const Reader& snapshot, const CallerIdentity& caller,
                       v1::CatalogEntry* entry);
  // The same without giving up at the first entry: all that is wrong.
  absl::StatusOr<std::vector<v1::Problem>> Examine(const Reader& snapshot,
                                                   const CallerIdentity& caller,
                                                   v1::CatalogEntry* entry);

  // Of an entry without problems: its items make a table where it has one, it is not too large.
  static absl::Status CheckStorable(const v1::CatalogEntry& entry);

  // FAILED_PRECONDITION items_incompatible, sharing_narrowed.
  absl::Status CheckChange(const Reader& snapshot, const v1::CatalogEntry& from,
                           const v1::CatalogEntry& to) const;

  // A contact that names a person of the department is the person's; another person is a problem.
  void FillContact(const Reader& snapshot, const std::string& element, const std::string& uscc,
                   v1::Contact* contact, std::vector<v1::Problem>* problems) const;

  const Site& site() const { return site_; }
  Classes& classes() const { return classes_; }
  Rules& rules() const { return rules_; }

 private:
  const Site& site_;
  Classes& classes_;
  const CodeLists& code_lists_;
  Rules& rules_;
  std::mutex mutex_;
};

// A record of the store by its key; nothing when there is none. DATA_LOSS store_corrupt.
template <typename Message>
absl::StatusOr<std::optional<Message>> LoadStored(const Reader& store, const std::string& key);

v1::Act MakeAct(v1::ActKind kind, const v1::Actor& by, const std::string& reason,
                v1::EntryState from, v1::EntryState to);

absl::Status EntryUnknown(const std::string& code);

// INVALID_ARGUMENT reason_missing.
absl::Status RequireReason(const std::string& reason, const std::string& code);

bool NotShared(const v1::CatalogEntry& entry);

// ---

absl::Status StoredRecordDamaged();

template <typename Message>
absl::StatusOr<std::optional<Message>> LoadStored(const Reader& store, const std::string& key) {
  std::string bytes;
  const absl::Status status = store.Get(key, &bytes);
  if (absl::IsNotFound(status)) return std::optional<Message>();
  if (!status.ok()) return status;
  Message message;
  if (!message.ParseFromString(bytes)) return StoredRecordDamaged();
  return std::optional<Message>(std::move(message));
}

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_DESK_H_
