// What records of the record feeds mean: members and catalogue entries. One arm per kind of fact.
#ifndef GUANTONG_CATALOG_FACTS_H_
#define GUANTONG_CATALOG_FACTS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/base/node_path.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

// What was passed over.
struct SkippedFacts {
  uint32_t unknown =
      0;  // of a later release: they stay in the log and are applied after an upgrade
  uint32_t refused = 0;  // malformed, misplaced, or not the origin's to say
  std::string why;       // of the first refused one
};

// Adds what these records change to `writes`; the last one wins within one batch, needs no reads.
// Openings, closes and supersessions are the feed layer's and no facts here.
//
// A node speaks for its own alone. `origin_path` is the path its chain proves: a member stands one
// label below it (the root also writes itself down), an entry names the origin as its node. A fact
// that breaks this is refused by itself, and what the origin said before under the same key goes,
// so that a copy that followed the log equals one that came as a snapshot.
SkippedFacts ApplyRecords(const v1::FeedId& feed, const NodePath& origin_path,
                          const v1::Records& records, WriteSet* writes);

// The record that brought a stored fact of a feed of `kind` (keys.h, M and E); false: it is none.
bool FactFromStore(v1::FeedKind kind, absl::string_view value, v1::Record* record);

// A snapshot replaces all facts of the feed: removes what is there and not in `records`. Errors are
// the store's. Writes of this feed that are ordered and not yet durable are replaced, too.
absl::StatusOr<SkippedFacts> ReplaceRecords(const Reader& store, const v1::FeedId& feed,
                                            const NodePath& origin_path, const v1::Records& records,
                                            WriteSet* writes);

// Removes all facts of a feed that is no longer wanted. Errors are the store's.
absl::Status DropRecords(const Reader& store, const v1::FeedId& feed, WriteSet* writes);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_FACTS_H_
