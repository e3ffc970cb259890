#include "catalog/division.h"

#include "tests/catch.h"

namespace guantong {
namespace {

TEST_CASE("divisions: the zeroes at the end say the level") {
  CHECK(LevelOfDivision("000000") == v1::LEVEL_NATIONAL);
  CHECK(LevelOfDivision("630000") == v1::LEVEL_PROVINCE);
  CHECK(LevelOfDivision("630100") == v1::LEVEL_CITY);
  CHECK(LevelOfDivision("630102") == v1::LEVEL_COUNTY);
  CHECK(LevelOfDivision("630010") == v1::LEVEL_COUNTY);
  CHECK(LevelOfDivision("63010") == v1::LEVEL_UNSPECIFIED);
  CHECK(LevelOfDivision("63010x") == v1::LEVEL_UNSPECIFIED);
  CHECK(DivisionDigits("000000").empty());
  CHECK(DivisionDigits("630100") == "6301");
}

TEST_CASE("divisions: hosted is what is below the host's own, and not itself") {
  CHECK(IsHostedDivision("630102", "630100"));
  CHECK(IsHostedDivision("630102", "630000"));
  CHECK(IsHostedDivision("630102", "000000"));
  CHECK_FALSE(IsHostedDivision("630100", "630100"));
  CHECK_FALSE(IsHostedDivision("630202", "630100"));
  CHECK_FALSE(IsHostedDivision("630100", "630102"));
  CHECK_FALSE(IsHostedDivision("", "630100"));
}

}  // namespace
}  // namespace guantong
