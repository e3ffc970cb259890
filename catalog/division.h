// Codes of administrative divisions, GB/T 2260: two digits each for province, city and county.
#ifndef GUANTONG_CATALOG_DIVISION_H_
#define GUANTONG_CATALOG_DIVISION_H_

#include "absl/strings/string_view.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

bool IsDivisionCode(absl::string_view code);  // six digits

// The digits that name the division and all below it: 6301 of 630100, none of 000000.
absl::string_view DivisionDigits(absl::string_view division);

// National, province, city or county: what the zeroes at the end say. Zones and towns have codes of
// counties. UNSPECIFIED for what is no code.
v1::Level LevelOfDivision(absl::string_view division);

// Whether what a node of the division `host` says of `division` it says for a level below its own,
// which has no node.
bool IsHostedDivision(absl::string_view division, absl::string_view host);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_DIVISION_H_
