#include "catalog/decimal.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace guantong {
namespace {

absl::string_view TakeDigits(absl::string_view* text) {
  const auto end = std::find_if_not(text->begin(), text->end(),
                                    [](unsigned char c) { return absl::ascii_isdigit(c); });
  const absl::string_view digits = text->substr(0, end - text->begin());
  text->remove_prefix(digits.size());
  return digits;
}

absl::string_view WithoutTrailingZeros(absl::string_view fraction) {
  while (absl::ConsumeSuffix(&fraction, "0")) {
  }
  return fraction;
}

bool IsZero(const DecimalParts& parts) {
  return parts.whole.empty() && WithoutTrailingZeros(parts.fraction).empty();
}

}  // namespace

std::optional<DecimalParts> ParseDecimal(absl::string_view text) {
  DecimalParts parts;
  if (absl::ConsumePrefix(&text, "-")) {
    parts.negative = true;
  } else {
    absl::ConsumePrefix(&text, "+");
  }
  parts.whole = TakeDigits(&text);
  bool any = !parts.whole.empty();
  if (absl::ConsumePrefix(&text, ".")) {
    parts.fraction = TakeDigits(&text);
    if (parts.fraction.empty()) return std::nullopt;
    any = true;
  }
  if (!any || !text.empty()) return std::nullopt;
  while (absl::ConsumePrefix(&parts.whole, "0")) {
  }
  if (IsZero(parts)) parts.negative = false;
  return parts;
}

void AppendDecimalText(const DecimalParts& parts, std::string* out) {
  if (parts.negative) out->push_back('-');
  if (parts.whole.empty()) out->push_back('0');
  out->append(parts.whole.data(), parts.whole.size());
  if (parts.fraction.empty()) return;
  out->push_back('.');
  out->append(parts.fraction.data(), parts.fraction.size());
}

int CompareDecimals(absl::string_view a, absl::string_view b) {
  return DecimalKey(a).compare(DecimalKey(b));
}

std::string DecimalKey(absl::string_view text) {
  constexpr char kNegative = 1, kZero = 2, kPositive = 3;
  const std::optional<DecimalParts> parts = ParseDecimal(text);
  if (!parts) return "";
  if (IsZero(*parts)) return std::string(1, kZero);

  // The number of whole digits decides before the digits do.
  std::string key(1, parts->negative ? kNegative : kPositive);
  key.push_back(static_cast<char>(parts->whole.size() >> 8));
  key.push_back(static_cast<char>(parts->whole.size()));
  const absl::string_view fraction = WithoutTrailingZeros(parts->fraction);
  key.append(parts->whole.data(), parts->whole.size());
  key.append(fraction.data(), fraction.size());
  if (parts->negative) {
    for (size_t i = 1; i < key.size(); ++i) key[i] = static_cast<char>(~key[i]);
    // Below zero the longer fraction is the smaller number.
    key.push_back('\xff');
  }
  return key;
}

}  // namespace guantong
