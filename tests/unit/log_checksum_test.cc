#include "catalog/rocks/log_checksum.h"

#include <string>

#include "tests/catch.h"

namespace guantong {
namespace {

uint32_t Checksum(const std::string& data) {
  return rocksdb::crc32c::Extend(0, data.data(), data.size());
}

TEST_CASE("log checksum: CRC-32C, in pieces as in one") {
  // RFC 3720, B.4, and the check value of the catalogue of CRCs.
  CHECK(Checksum("123456789") == 0xe3069283);
  CHECK(Checksum(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(Checksum(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(Checksum("") == 0);
  std::string data;
  for (int i = 0; i < 5000; ++i) data.push_back(static_cast<char>(i * i >> 3));
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{63}, size_t{2048}, data.size()}) {
    const uint32_t head = Checksum(data.substr(0, cut));
    CHECK(rocksdb::crc32c::Extend(head, data.data() + cut, data.size() - cut) == Checksum(data));
  }
}

TEST_CASE("log checksum: RocksDB computes with ours") { CHECK(LogChecksumIsOurs()); }

}  // namespace
}  // namespace guantong
