// Re-reads all that is stored and signed, from the bytes alone: works on a live node's snapshot
// and, offline, on a data folder.
#ifndef GUANTONG_NODE_VERIFY_H_
#define GUANTONG_NODE_VERIFY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/rocks/rocks_store.h"
#include "catalog/store.h"
#include "guantong/v1/node.pb.h"

namespace guantong {

// Of every feed: each batch parses, is of this feed, continues the one before by position and hash,
// is signed by the origin with a chain that ends at `network` and was valid then; the log begins
// and ends where the feed record says. Of every manifest: signature and the hashes of the chunks
// held. Of every table: its rows are there and as many as the record says. What cannot be read
// because its file is damaged is a fault like any other. Faults are listed (at most
// kVerifyFaultsMax), not returned as errors; an error means the store fails otherwise.
absl::StatusOr<v1::VerifyResponse> VerifyStore(const Reader& store, absl::string_view network);

// Reads every block of every table file from the disk; damaged files are added as faults.
void VerifyFiles(const RocksStore& store, v1::VerifyResponse* response);

}  // namespace guantong

#endif  // GUANTONG_NODE_VERIFY_H_
