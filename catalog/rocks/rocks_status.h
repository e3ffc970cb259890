// Where a status of RocksDB becomes one of ours.
#ifndef GUANTONG_CATALOG_ROCKS_ROCKS_STATUS_H_
#define GUANTONG_CATALOG_ROCKS_ROCKS_STATUS_H_

#include <rocksdb/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace guantong {

// NOT_FOUND; RESOURCE_EXHAUSTED disk_full; DATA_LOSS store_corrupt; UNAVAILABLE store_failed.
absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what);

// Of opening a store: FAILED_PRECONDITION store_locked, too.
absl::Status FromOpen(const rocksdb::Status& status, const std::string& dir);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_ROCKS_STATUS_H_
