// What an entry was: its acts, its versions, and how two of them differ.
#ifndef GUANTONG_NODE_ENTRIES_VERSIONS_H_
#define GUANTONG_NODE_ENTRIES_VERSIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "guantong/v1/review.pb.h"
#include "node/entries/desk.h"

namespace guantong {

// In words for people: elements of the guide by their Chinese names, items and resources by their
// own. What the node gives is left out.
std::vector<v1::Change> DiffEntries(const v1::CatalogEntry& before, const v1::CatalogEntry& after);

// Any thread.
class Versions {
 public:
  explicit Versions(EntryDesk* desk) : desk_(*desk) {}

  // NOT_FOUND entry_unknown; of other nodes' entries only what is in force is known here.
  absl::StatusOr<v1::HistoryResponse> History(const v1::HistoryRequest& request) const;
  // NOT_FOUND version_unknown besides.
  absl::StatusOr<v1::DiffResponse> Diff(const CallerIdentity& caller,
                                        const v1::DiffRequest& request) const;

 private:
  absl::StatusOr<v1::CatalogEntry> Find(const Reader& snapshot, const OwnEntry& own,
                                        uint64_t version) const;

  EntryDesk& desk_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_VERSIONS_H_
