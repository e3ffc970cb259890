// What records of the record feeds mean: members and catalogue entries. One arm per kind of fact.
#ifndef GUANTONG_CATALOG_FACTS_H_
#define GUANTONG_CATALOG_FACTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

// Adds what these records change to `writes`; the last one wins within one batch, needs no reads. Unknown facts are skipped (they
// stay in the log and are applied after an upgrade): then `*unknown` is set. Openings, closes and supersessions are the feed
// layer's and no facts here. FAILED_PRECONDITION record_inapplicable for a fact that is malformed or does not belong in this kind
// of feed; nothing is added then.
absl::Status ApplyRecords(const v1::FeedId& feed, const v1::Records& records, WriteSet* writes,
                          bool* unknown);

// A snapshot replaces all facts of the feed: removes what is there and not in `records`. Errors as above, and the store's. Writes
// of this feed that are ordered and not yet durable are replaced, too.
absl::Status ReplaceRecords(const Reader& store, const v1::FeedId& feed, const v1::Records& records,
                            WriteSet* writes);

// Removes all facts of a feed that is no longer wanted. Errors are the store's.
absl::Status DropRecords(const Reader& store, const v1::FeedId& feed, WriteSet* writes);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_FACTS_H_
