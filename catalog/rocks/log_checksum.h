// The checksum of RocksDB's write-ahead log, by the processor's own instructions.
//
// Debian's RocksDB is compiled for the oldest processors and computes CRC-32C byte by byte through
// tables: half of what a commit of a batch costs. The function it computes it with is replaced
// (catalog/base/replaced.h). Same values, same files; where a RocksDB to come does not ask for it
// any more, nothing but the speed changes.
#ifndef GUANTONG_CATALOG_ROCKS_LOG_CHECKSUM_H_
#define GUANTONG_CATALOG_ROCKS_LOG_CHECKSUM_H_

#include <cstddef>
#include <cstdint>

namespace rocksdb::crc32c {

// CRC-32C of what gave `init_crc`, followed by `data`.
uint32_t Extend(uint32_t init_crc, const char* data, size_t n);

}  // namespace rocksdb::crc32c

namespace guantong {

// Whether RocksDB in this process computes with the function above.
bool LogChecksumIsOurs();

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_LOG_CHECKSUM_H_
