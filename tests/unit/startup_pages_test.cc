#include "node/startup_pages.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "catalog/base/signature.h"
#include "tests/catch.h"

namespace guantong {
namespace {

long FilePagesKib() {
  std::ifstream lines("/proc/self/status");
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("RssFile:", 0) == 0) return std::atol(line.c_str() + 8);
  }
  return 0;
}

TEST_CASE("What only starting needed leaves memory, and what is used comes back") {
  const auto key = SigningKey::Generate();
  REQUIRE(key.ok());
  const long before = FilePagesKib();
  REQUIRE(before > 0);
  DropStartupPages();
  CHECK(FilePagesKib() < before / 2);

  const auto reader = PublicKey::FromSpki(key->public_key());
  REQUIRE(reader.ok());
  CHECK(reader->Verify("text", key->Sign("text")));
  CHECK_FALSE(reader->Verify("other", key->Sign("text")));
}

}  // namespace
}  // namespace guantong
