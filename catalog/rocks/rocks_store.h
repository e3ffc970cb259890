// The store on RocksDB. One database per node folder, one write-ahead log, three column families
// chosen by the first byte of a key: `bulk` (log, staged payloads, chunks: large, compressed
// already), `rows` (bloom filters, lz4), `default` (the rest).
//
// FAILURE  A commit that fails leaves the database refusing writes. The next Commit tries to
// recover it, and after a full disk
//          RocksDB looks for space every five seconds as well, so that a disk with room again needs
//          no operator. What cannot be recovered stays store_failed until the process starts again.
#ifndef GUANTONG_CATALOG_ROCKS_ROCKS_STORE_H_
#define GUANTONG_CATALOG_ROCKS_ROCKS_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/store.h"

namespace rocksdb {
class Env;
}

namespace guantong {

struct RocksOptions {
  // Memtables, cached blocks, indices and filters share it.
  size_t memory_bytes_max = 16 << 20;
  uint64_t log_bytes_max = 24 << 20;  // write-ahead log: what a start after a crash has to replay
  // Of what flushes and compactions write, at least (rocks/table_pace.h).
  uint64_t table_bytes_per_second_min = 64 << 20;
  int open_files_max = 256;
  rocksdb::Env* env = nullptr;  // borrowed; null: the file system
  // Called for every read, commit, flush or compaction that meets damaged bytes; any thread, must
  // only take note.
  std::function<void(const absl::Status&)> on_damage;
  // A damaged write-ahead log is read as far as it is good, instead of refused: what was committed
  // after that is gone.
  bool log_to_first_damage = false;
  // The end of a snapshot that lived for less has no files rewritten, but for one each
  // `unmarked_max` (rocks/snapshot_marks.h).
  absl::Duration brief_snapshot_max = absl::Seconds(1);
  absl::Duration unmarked_max = absl::Hours(24);
};

struct TableFile {
  std::string name;    // in the store's folder
  std::string family;  // default, bulk, rows
  uint64_t number = 0;
  uint64_t bytes = 0;
};

// A file of a backup, relative to the backup's folder.
struct StoreBackupFile {
  std::string name;
  uint64_t bytes = 0;
};
struct StoreBackup {
  uint32_t number = 0;
  std::vector<StoreBackupFile> files;
};

// The store as production uses it: what goes beyond reading and committing is about its files.
class RocksStore : public Store {
 public:
  // Those in force now, by number: a file is written once, under a number higher than all before.
  virtual std::vector<TableFile> TableFiles() const = 0;

  // Reads all blocks of one from the disk, past every cache. `pace` is told the bytes before each
  // piece is read, may wait, and ends the reading by false. DATA_LOSS store_corrupt; NOT_FOUND: no
  // longer in force; CANCELLED.
  using Pace = std::function<bool(uint64_t bytes)>;
  virtual absl::Status CheckTableFile(const TableFile& file, const Pace& pace) const = 0;

  // Copies a consistent state, with all commits that have returned, into `dir`; files that backups
  // there already have are not copied again, what was copied is read back and its blocks checked.
  // Commits go on meanwhile. `copied` is told the bytes now and then. DATA_LOSS store_corrupt: a
  // file was damaged and there is no new backup; RESOURCE_EXHAUSTED disk_full; UNAVAILABLE
  // backup_failed.
  virtual absl::StatusOr<StoreBackup> BackUp(const std::string& dir,
                                             const std::function<void(uint64_t bytes)>& copied) = 0;
};

// Creates `dir` (not its parents) when absent. FAILED_PRECONDITION store_locked when another
// process, or another store of this one, has it open; DATA_LOSS store_corrupt; RESOURCE_EXHAUSTED
// disk_full; UNAVAILABLE store_failed.
absl::StatusOr<std::unique_ptr<RocksStore>> OpenRocksStore(const std::string& dir,
                                                           const RocksOptions& options = {});

// Writes backup `number` of `from` (a folder that BackUp wrote to) as a store into `dir`.
// UNAVAILABLE backup_failed.
absl::Status RestoreRocksStore(const std::string& from, uint32_t number, const std::string& dir);

// Holds the lock of the store in `dir` for as long as it lives, so that no process opens it.
// FAILED_PRECONDITION store_locked.
class StoreLock {
 public:
  virtual ~StoreLock() = default;
};
absl::StatusOr<std::unique_ptr<StoreLock>> LockStore(const std::string& dir);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_ROCKS_STORE_H_
