#include "catalog/rocks/log_checksum.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <limits>

#include "catalog/base/replaced.h"

namespace rocksdb::crc32c {

uint32_t Extend(uint32_t init_crc, const char* data, size_t n) {
  uint32_t crc = ~init_crc;
  for (; n > 0;) {
    const auto piece = static_cast<int>(std::min<size_t>(n, std::numeric_limits<int>::max()));
    // The library reads only, whatever its signature says.
    auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(data));
    crc = crc32_iscsi(bytes, piece, crc);
    data += piece;
    n -= static_cast<size_t>(piece);
  }
  return ~crc;
}

}  // namespace rocksdb::crc32c

namespace guantong {

bool LogChecksumIsOurs() { return IsReplaced("_ZN7rocksdb6crc32c6ExtendEjPKcm"); }

}  // namespace guantong
