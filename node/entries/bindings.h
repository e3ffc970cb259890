// 挂接: which resources an entry has.
#ifndef GUANTONG_NODE_ENTRIES_BINDINGS_H_
#define GUANTONG_NODE_ENTRIES_BINDINGS_H_

#include "absl/status/statusor.h"
#include "guantong/v1/catalog.pb.h"
#include "node/entries/desk.h"
#include "node/entries/publication.h"

namespace guantong {

// Any thread; waits for commits.
class Bindings {
 public:
  Bindings(EntryDesk* desk, Publication* publication) : desk_(*desk), publication_(*publication) {}

  // In force at once, and in a draft beside it; before the first publication in the draft alone.
  // ALREADY_EXISTS resource_exists; INVALID_ARGUMENT entry_invalid, mode_not_shared;
  // FAILED_PRECONDITION under_review.
  absl::StatusOr<v1::CatalogEntry> Bind(const CallerIdentity& caller,
                                        const v1::BindRequest& request);
  // Closes the dataset; copies elsewhere are dropped. NOT_FOUND resource_unknown.
  absl::StatusOr<v1::CatalogEntry> Unbind(const CallerIdentity& caller,
                                          const v1::UnbindRequest& request);

 private:
  absl::StatusOr<v1::CatalogEntry> Change(const Reader& snapshot, const OwnEntry& own,
                                          v1::CatalogEntry* in_force, v1::CatalogEntry* draft,
                                          v1::Act act);

  EntryDesk& desk_;
  Publication& publication_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_BINDINGS_H_
