// Re-reads all that is stored and signed, from the bytes alone: works on a live node's snapshot
// and, offline, on a data folder.
#ifndef GUANTONG_NODE_VERIFY_H_
#define GUANTONG_NODE_VERIFY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/store.h"
#include "guantong/v1/node.pb.h"

namespace guantong {

// Of every feed: each batch parses, is of this feed, continues the one before by position and hash,
// is signed by the origin with a chain that ends at `network` and was valid then; the log begins
// and ends where the feed record says. Of every manifest: signature and the hashes of the chunks
// held. Faults are listed (at most kVerifyFaultsMax), not returned as errors; an error means the
// store cannot be read.
absl::StatusOr<v1::VerifyResponse> VerifyStore(const Reader& store, absl::string_view network);

}  // namespace guantong

#endif  // GUANTONG_NODE_VERIFY_H_
