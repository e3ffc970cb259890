// A draft on its way: submit, recall, approve, return, refuse.
#ifndef GUANTONG_NODE_ENTRIES_APPROVALS_H_
#define GUANTONG_NODE_ENTRIES_APPROVALS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guantong/v1/review.pb.h"
#include "node/entries/desk.h"
#include "node/entries/publication.h"

namespace guantong {

// Any thread; waits for commits. Errors: review.proto.
class Approvals {
 public:
  Approvals(EntryDesk* desk, Publication* publication) : desk_(*desk), publication_(*publication) {}

  absl::StatusOr<v1::CatalogEntry> Submit(const CallerIdentity& caller,
                                          const v1::ReviewRequest& request);
  absl::StatusOr<v1::CatalogEntry> Recall(const CallerIdentity& caller,
                                          const v1::ReviewRequest& request);
  absl::StatusOr<v1::CatalogEntry> Approve(const CallerIdentity& caller,
                                           const v1::ReviewRequest& request);
  absl::StatusOr<v1::CatalogEntry> Return(const CallerIdentity& caller,
                                          const v1::ReviewRequest& request);
  absl::StatusOr<v1::CatalogEntry> Refuse(const CallerIdentity& caller,
                                          const v1::ReviewRequest& request);
  // An approver who says publish means the last approval; others are answered by Publication.
  bool TakesPublish(const CallerIdentity& caller, const std::string& code) const;

 private:
  // An entry under review whose stage is the caller's to decide.
  absl::StatusOr<OwnEntry> LoadToDecide(const Reader& snapshot, const CallerIdentity& caller,
                                        const std::string& code) const;
  absl::StatusOr<v1::CatalogEntry> BackToDraft(const Reader& snapshot, const OwnEntry& own,
                                               v1::Act act);

  EntryDesk& desk_;
  Publication& publication_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_APPROVALS_H_
