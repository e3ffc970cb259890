// Drafts: register, edit, import.
#ifndef GUANTONG_NODE_ENTRIES_DRAFTS_H_
#define GUANTONG_NODE_ENTRIES_DRAFTS_H_

#include "absl/status/statusor.h"
#include "guantong/v1/catalog.pb.h"
#include "node/entries/desk.h"
#include "node/entries/templates.h"

namespace guantong {

// Any thread; waits for commits, and for the nodes above where an entry claims a template.
class Drafts {
 public:
  Drafts(EntryDesk* desk, const Templates* templates) : desk_(*desk), templates_(*templates) {}

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
  const Templates& templates_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_DRAFTS_H_
