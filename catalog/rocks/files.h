// What is done with the files of an open database; for the store alone.
#ifndef GUANTONG_CATALOG_ROCKS_FILES_H_
#define GUANTONG_CATALOG_ROCKS_FILES_H_

#include <rocksdb/db.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/rocks/rocks_store.h"

namespace guantong {

std::vector<TableFile> TableFilesOf(rocksdb::DB* db);

// All blocks of a table file anywhere, read from the disk. DATA_LOSS store_corrupt names it.
absl::Status CheckTableAt(const std::string& file, const RocksStore::Pace& pace);

// The same for one of `db`, where a file that is gone meanwhile is NOT_FOUND.
absl::Status CheckTable(const rocksdb::DB& db, const TableFile& file, const RocksStore::Pace& pace);

absl::StatusOr<StoreBackup> BackUpDatabase(rocksdb::DB* db, const std::string& dir,
                                           const std::function<void(uint64_t bytes)>& copied);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_FILES_H_
