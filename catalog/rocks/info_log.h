// What RocksDB says about itself, in the files LOG and LOG.old of its folder.
#ifndef GUANTONG_CATALOG_ROCKS_INFO_LOG_H_
#define GUANTONG_CATALOG_ROCKS_INFO_LOG_H_

#include <memory>
#include <string>

namespace rocksdb {
class Logger;
}  // namespace rocksdb

namespace guantong {

// Warnings and worse, at most two files of a megabyte. A line that cannot be written is dropped:
// RocksDB's own logger ends the process when a second line follows one that met a full disk.
std::shared_ptr<rocksdb::Logger> MakeInfoLog(const std::string& dir);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_INFO_LOG_H_
