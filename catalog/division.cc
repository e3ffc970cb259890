#include "catalog/division.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace guantong {

bool IsDivisionCode(absl::string_view code) {
  return code.size() == 6 && std::all_of(code.begin(), code.end(), absl::ascii_isdigit);
}

absl::string_view DivisionDigits(absl::string_view division) {
  while (absl::ConsumeSuffix(&division, "00")) {
  }
  return division;
}

v1::Level LevelOfDivision(absl::string_view division) {
  if (!IsDivisionCode(division)) return v1::LEVEL_UNSPECIFIED;
  switch (DivisionDigits(division).size()) {
    case 0:
      return v1::LEVEL_NATIONAL;
    case 2:
      return v1::LEVEL_PROVINCE;
    case 4:
      return v1::LEVEL_CITY;
    default:
      return v1::LEVEL_COUNTY;
  }
}

bool IsHostedDivision(absl::string_view division, absl::string_view host) {
  return IsDivisionCode(division) && IsDivisionCode(host) && division != host &&
         absl::StartsWith(division, DivisionDigits(host));
}

}  // namespace guantong
