// Making a snapshot of a KEYED feed at its last push end: chunks in key order, named by their
// SHA-256, and an unsigned manifest.
//
// Where a chunk ends depends on the keys around it and not on what stands before, so a change in
// one place leaves nearly all other chunks as they were, and who holds an older snapshot fetches
// only what differs.
#ifndef GUANTONG_CATALOG_SNAPSHOT_H_
#define GUANTONG_CATALOG_SNAPSHOT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/block_pins.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

struct BuiltSnapshot {
  // Feed, at, commit, schema, records, chunks and encoding; chain, time and signature are the
  // signer's.
  v1::Manifest manifest;
  std::vector<ChunkName> names;  // of chunks that are blocks of the table
};

// Reads `snapshot` (feed record, table or facts). Every chunk is named, or handed to `keep` before
// the next is made. FAILED_PRECONDITION feed_not_keyed; NOT_FOUND feed_unknown, table_absent;
// errors of the store and of `keep`.
// Rows are encoded as ENCODING_ROWS or ENCODING_SORTED_ROWS.
absl::StatusOr<BuiltSnapshot> BuildSnapshot(
    const Reader& snapshot, const FeedKey& feed, v1::Encoding rows_encoding,
    const std::function<absl::Status(const std::string& hash, const std::string& chunk)>& keep);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_SNAPSHOT_H_
