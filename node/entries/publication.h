// What comes in force, out of use, to its end: the tables, the feed, the version kept.
#ifndef GUANTONG_NODE_ENTRIES_PUBLICATION_H_
#define GUANTONG_NODE_ENTRIES_PUBLICATION_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guantong/v1/catalog.pb.h"
#include "node/entries/desk.h"

namespace guantong {

// Any thread; waits for commits. Interrupted, each can be repeated and ends the same.
class Publication {
 public:
  explicit Publication(EntryDesk* desk) : desk_(*desk) {}

  // A draft where no approval is needed, or what was suspended. An entry without a draft is
  // answered as it is in force. FAILED_PRECONDITION items_incompatible, sharing_narrowed,
  // approval_needed.
  absl::StatusOr<v1::CatalogEntry> Publish(const CallerIdentity& caller,
                                           const v1::EntryRequest& request);
  absl::StatusOr<v1::CatalogEntry> Suspend(const CallerIdentity& caller,
                                           const v1::EntryRequest& request);
  absl::StatusOr<v1::CatalogEntry> Withdraw(const CallerIdentity& caller,
                                            const v1::EntryRequest& request);

  // The desk's lock is held. Puts `entry` in force in place of what is, with `extra` in the last
  // commit.
  absl::StatusOr<v1::CatalogEntry> PutInForce(const Reader& snapshot, const OwnEntry& own,
                                              v1::CatalogEntry entry, const v1::Act& act,
                                              WriteSet extra);
  // The same for what changes neither items nor resources: `entry` keeps its state. A draft beside
  // it goes on from there.
  absl::StatusOr<v1::CatalogEntry> Restate(const Reader& snapshot, const OwnEntry& own,
                                           v1::CatalogEntry entry, v1::Act act);

 private:
  // Under approvals an approver of the provider or of its supervising authority; else the provider.
  absl::Status CheckMayEnd(const Reader& snapshot, const CallerIdentity& caller,
                           const v1::CatalogEntry& entry) const;
  absl::Status OpenTables(const v1::CatalogEntry& entry, const v1::CatalogEntry* before);
  absl::Status CloseTable(const std::string& table);
  absl::Status Append(v1::FeedKind kind, const v1::CatalogEntry& entry, WriteSet extra);
  absl::Status AppendBoth(const v1::CatalogEntry& entry, const v1::CatalogEntry* before,
                          WriteSet extra);

  EntryDesk& desk_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_PUBLICATION_H_
