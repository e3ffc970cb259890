// Decimal numbers as text: what an amount or an 18-digit id needs to survive. No binary floating
// point is involved.
//
// Canonical: [-]digits[.digits], no leading zeros but the one before a point, no negative zero.
// Trailing zeros of a fraction stay, as 12.50 is what the provider wrote; order and key bytes do
// not see them.
#ifndef GUANTONG_CATALOG_DECIMAL_H_
#define GUANTONG_CATALOG_DECIMAL_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace guantong {

struct DecimalParts {
  bool negative = false;
  absl::string_view whole;     // without leading zeros, so empty below 1
  absl::string_view fraction;  // as written
};

// Parts of [+-]digits[.digits] or [+-].digits; they point into `text`.
std::optional<DecimalParts> ParseDecimal(absl::string_view text);

void AppendDecimalText(const DecimalParts& parts, std::string* out);

// By value: negative, zero, positive. What is no number (a peer may send anything) comes before all
// numbers.
int CompareDecimals(absl::string_view a, absl::string_view b);

// Bytes that sort as the numbers do and are equal for equal numbers; none is a proper prefix of
// another once ended by a byte below '0'. At most kNumberDigitsMax digits on each side. Empty for
// what is no number.
std::string DecimalKey(absl::string_view text);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_DECIMAL_H_
