// Drafts: register, edit, import.
#ifndef GUANTONG_NODE_ENTRIES_DRAFTS_H_
#define GUANTONG_NODE_ENTRIES_DRAFTS_H_

#include "absl/status/statusor.h"
#include "guantong/v1/catalog.pb.h"
#include "node/entries/desk.h"

namespace guantong {

// Any thread; waits for commits.
class Drafts {
 public:
  explicit Drafts(EntryDesk* desk) : desk_(*desk) {}

  // INVALID_ARGUMENT entry_invalid; PERMISSION_DENIED not_your_entry.
  absl::StatusOr<v1::CatalogEntry> Register(const CallerIdentity& caller,
                                            const v1::RegisterRequest& request);
  // NOT_FOUND entry_unknown, FAILED_PRECONDITION under_review besides.
  absl::StatusOr<v1::CatalogEntry> Edit(const CallerIdentity& caller,
                                        const v1::RegisterRequest& request);
  absl::StatusOr<v1::ImportResponse> Import(const CallerIdentity& caller,
                                            const v1::ImportRequest& request);

 private:
  EntryDesk& desk_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_DRAFTS_H_
