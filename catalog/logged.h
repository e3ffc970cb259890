// Batches as the log keeps them (storage.v1.LoggedBatch): a block of rows stands beside the record,
// where the table finds it, too.
#ifndef GUANTONG_CATALOG_LOGGED_H_
#define GUANTONG_CATALOG_LOGGED_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

// The position of a batch in the log, without its payload.
struct LoggedHead {
  v1::BatchHeader header;
  v1::Position position;
  uint64_t bytes;  // header and payload, as FeedRecord.log_bytes counts them
  bool block;      // the payload stands under LogBlockKey
};

// `own`: a feed of this node. The record of a block holds what mends it (catalog/spare.h): a
// damaged copy is fetched again, own rows may stand nowhere else.
void PutLogged(const FeedKey& feed, bool own, const v1::BatchHeader& header,
               const v1::SignedBatch& batch, WriteSet* writes);

// `value` stands under a LogKey of `feed`. DATA_LOSS store_corrupt.
absl::StatusOr<LoggedHead> ReadLoggedHead(absl::string_view value);

// The batch as it came. DATA_LOSS store_corrupt, also when its block is not there (any more).
absl::StatusOr<v1::SignedBatch> ReadLogged(const Reader& store, const FeedKey& feed,
                                           absl::string_view value);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_LOGGED_H_
