// Drafts: register, edit, import.
#ifndef GUANTONG_NODE_ENTRIES_DRAFTS_H_
#define GUANTONG_NODE_ENTRIES_DRAFTS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guantong/v1/catalog.pb.h"
#include "node/entries/codes.h"
#include "node/entries/desk.h"
#include "node/entries/templates.h"

namespace guantong {

// Any thread; waits for commits, and for the nodes above where an entry claims a template.
class Drafts {
 public:
  Drafts(EntryDesk* desk, const Templates* templates, Finder* finder)
      : desk_(*desk), templates_(*templates), finder_(*finder) {}

  // INVALID_ARGUMENT entry_invalid; PERMISSION_DENIED not_your_entry.
  absl::StatusOr<v1::CatalogEntry> Register(const CallerIdentity& caller,
                                            const v1::RegisterRequest& request);
  // NOT_FOUND entry_unknown, FAILED_PRECONDITION under_review besides.
  absl::StatusOr<v1::CatalogEntry> Edit(const CallerIdentity& caller,
                                        const v1::RegisterRequest& request);
  // New drafts and edits together, in one commit. `name_readers` is asked of an entry whose change
  // is refused, with no lock held: it says besides whom the change would break.
  using NameReaders =
      std::function<absl::Status(const absl::Status& refused, const std::string& code)>;
  absl::StatusOr<v1::ImportResponse> Import(const CallerIdentity& caller,
                                            const v1::ImportRequest& request,
                                            const NameReaders& name_readers = nullptr);

 private:
  // An own entry that may be edited now.
  absl::StatusOr<OwnEntry> LoadToEdit(const Reader& snapshot, const CallerIdentity& caller,
                                      const std::string& code) const;
  // `entry` has been checked for itself; it becomes the draft that follows `own`.
  absl::Status Follow(const Reader& snapshot, const OwnEntry& own, CodeGiver* codes,
                      v1::CatalogEntry* entry) const;

  EntryDesk& desk_;
  const Templates& templates_;
  Finder& finder_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_DRAFTS_H_
