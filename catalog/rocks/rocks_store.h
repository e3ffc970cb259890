// The store on RocksDB. One database per node folder, one write-ahead log, three column families
// chosen by the first byte of a key: `bulk` (log, staged payloads, chunks: large, compressed
// already), `rows` (bloom filters, lz4), `default` (the rest).
//
// FAILURE  A commit that fails leaves the database refusing writes. The next Commit tries to recover it, and after a full disk
//          RocksDB looks for space every five seconds as well, so that a disk with room again needs no operator. What cannot
//          be recovered stays store_failed until the process starts again.
#ifndef GUANTONG_CATALOG_ROCKS_ROCKS_STORE_H_
#define GUANTONG_CATALOG_ROCKS_ROCKS_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "catalog/store.h"

namespace rocksdb {
class Env;
}

namespace guantong {

struct RocksOptions {
  // Memtables, cached blocks, indices and filters share it.
  size_t memory_bytes_max = 16 << 20;
  uint64_t log_bytes_max = 64 << 20;  // write-ahead log: what a start after a crash has to replay
  int open_files_max = 256;
  rocksdb::Env* env = nullptr;  // borrowed; null: the file system
};

// Creates `dir` (not its parents) when absent. FAILED_PRECONDITION store_locked when another
// process, or another store of this one, has it open; DATA_LOSS store_corrupt; RESOURCE_EXHAUSTED
// disk_full; UNAVAILABLE store_failed.
absl::StatusOr<std::unique_ptr<Store>> OpenRocksStore(const std::string& dir,
                                                      const RocksOptions& options = {});

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_ROCKS_STORE_H_
