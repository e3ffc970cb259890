// Blocks of a table that are its rows as they stand: nothing of another run lies between their
// first and last key, and none of them deletes.
#ifndef GUANTONG_CATALOG_WHOLE_BLOCKS_H_
#define GUANTONG_CATALOG_WHOLE_BLOCKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {

struct WholeBlock {
  std::string first;  // keys
  std::string last;
  std::string key;  // in the store
  uint32_t rows = 0;
};

// Those that lie alone, in key order. Whether one deletes shows when it is read (ReadWholeBlock).
// DATA_LOSS store_corrupt.
absl::StatusOr<std::vector<WholeBlock>> FindWholeBlocks(
    const Reader& snapshot, const FeedKey& feed, const std::vector<storage::v1::RunInfo>& runs);

// The block; empty when it is smaller than `bytes_min` or deletes. DATA_LOSS store_corrupt.
absl::StatusOr<std::string> ReadWholeBlock(const Reader& snapshot, const WholeBlock& block,
                                           size_t bytes_min);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_WHOLE_BLOCKS_H_
