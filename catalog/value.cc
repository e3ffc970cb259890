#include "catalog/value.h"

#include <unicode/utf8.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/decimal.h"
#include "catalog/keys.h"
#include "catalog/moment.h"

namespace guantong {
namespace {

// Enough of a value to recognise it in a message, never cut inside a character.
std::string Excerpt(absl::string_view value) {
  constexpr size_t kShownBytesMax = 48;
  if (value.size() <= kShownBytesMax) return std::string(value);
  size_t end = kShownBytesMax;
  while (end > 0 && U8_IS_TRAIL(value[end])) --end;
  return absl::StrCat(value.substr(0, end), "…");
}

absl::Status Invalid(const v1::Column& column, absl::string_view text) {
  return Error(absl::StatusCode::kInvalidArgument, "value_invalid",
               absl::StrCat(column.name().empty() ? column.field() : column.name(), " (",
                            column.field(), "): ", text),
               column.field());
}

absl::Status NotA(const v1::Column& column, absl::string_view value, absl::string_view wanted) {
  return Invalid(column, absl::StrCat("“", Excerpt(value), "”不是", wanted));
}

// How many bytes in front are ASCII, by eights.
size_t AsciiInFront(absl::string_view value) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  size_t at = 0;
  for (uint64_t eight; at + sizeof(eight) <= value.size(); at += sizeof(eight)) {
    std::memcpy(&eight, value.data() + at, sizeof(eight));
    if ((eight & kHighBits) != 0) break;
  }
  return at;
}

// `length`: how many characters it may have, 0: any.
absl::Status CheckText(const v1::Column& column, absl::string_view value, uint64_t length) {
  const int32_t size = static_cast<int32_t>(value.size());
  int32_t at = static_cast<int32_t>(AsciiInFront(value));
  uint64_t characters = static_cast<uint64_t>(at);
  while (at < size) {
    const int32_t start = at;
    UChar32 character;
    U8_NEXT(value.data(), at, size, character);
    if (character < 0) {
      return Invalid(column, absl::StrCat("第 ", start + 1, " 个字节起不是有效的 UTF-8 文字"));
    }
    ++characters;
  }
  if (length > 0 && characters > length) {
    return Invalid(column, absl::StrCat("“", Excerpt(value), "”有 ", characters, " 个字符，最多 ",
                                        length, " 个"));
  }
  return absl::OkStatus();
}

absl::Status AppendDecimal(const v1::Column& column, absl::string_view value, std::string* out) {
  const bool integer = column.type() == v1::ITEM_TYPE_I;
  std::optional<DecimalParts> parts = ParseDecimal(value);
  if (!parts || (integer && !parts->fraction.empty())) {
    return NotA(column, value, integer ? "整数" : "数值");
  }
  if (parts->whole.size() > kNumberDigitsMax || parts->fraction.size() > kNumberDigitsMax) {
    return Invalid(column, absl::StrCat("超过 ", kNumberDigitsMax, " 位数字"));
  }
  if (column.scale() > 0) {
    // Zeros past the scale say nothing.
    while (parts->fraction.size() > column.scale() && parts->fraction.back() == '0') {
      parts->fraction.remove_suffix(1);
    }
    if (parts->fraction.size() > column.scale()) {
      return Invalid(column, absl::StrCat("“", Excerpt(value), "”有 ", parts->fraction.size(),
                                          " 位小数，最多 ", column.scale(), " 位"));
    }
  }
  const size_t digits = parts->whole.size() + parts->fraction.size();
  if (column.length() > 0 && digits > column.length()) {
    return Invalid(column, absl::StrCat("“", Excerpt(value), "”有 ", digits, " 位数字，最多 ",
                                        column.length(), " 位"));
  }
  AppendDecimalText(*parts, out);
  return absl::OkStatus();
}

absl::Status AppendDouble(const v1::Column& column, absl::string_view value, std::string* out) {
  double number = 0;
  if (!absl::SimpleAtod(value, &number) || !std::isfinite(number)) {
    return NotA(column, value, "数值");
  }
  // What is written without an exponent stays as it is written.
  if (const auto parts = ParseDecimal(value); parts && value.size() <= kNumberDigitsMax) {
    AppendDecimalText(*parts, out);
    return absl::OkStatus();
  }
  char text[32];
  const std::to_chars_result end = std::to_chars(text, text + sizeof(text), number);
  out->append(text, end.ptr);
  return absl::OkStatus();
}

absl::Status AppendLogical(const v1::Column& column, absl::string_view value, std::string* out) {
  const std::string word = absl::AsciiStrToLower(value);
  const bool yes = word == "true" || word == "1" || word == "是";
  if (yes || word == "false" || word == "0" || word == "否") {
    out->append(yes ? "true" : "false");
    return absl::OkStatus();
  }
  return NotA(column, value, "逻辑值（true、false、1、0、是、否）");
}

double DoubleOf(absl::string_view canonical) {
  double number = 0;
  if (!absl::SimpleAtod(canonical, &number) || std::isnan(number)) {
    return -std::numeric_limits<double>::infinity();
  }
  return number == 0 ? 0 : number;  // one zero, not two
}

// IEEE bits in the order of the numbers: the sign flipped, negative ones complemented.
std::string DoubleKey(absl::string_view canonical) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  const uint64_t bits = std::bit_cast<uint64_t>(DoubleOf(canonical));
  std::string key;
  AppendBigEndian64((bits & kSign) != 0 ? ~bits : bits | kSign, &key);
  return key;
}

std::string TimeKey(absl::string_view canonical) {
  const absl::Time time = InstantOf(canonical);
  const int64_t seconds = absl::ToUnixSeconds(time);
  std::string key;
  AppendBigEndian64(static_cast<uint64_t>(seconds) ^ uint64_t{1} << 63, &key);
  const absl::Duration rest = time - absl::FromUnixSeconds(seconds);
  AppendBigEndian32(static_cast<uint32_t>(absl::ToInt64Nanoseconds(rest)), &key);
  return key;
}

template <typename T>
int Compare(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

absl::StatusOr<std::string> CanonicalValue(const v1::Column& column, absl::string_view value) {
  std::string canonical;
  GT_RETURN_IF_ERROR(AppendCanonicalValue(column, value, &canonical));
  return canonical;
}

absl::Status AppendCanonicalValue(const v1::Column& column, absl::string_view value,
                                  std::string* out) {
  if (value.size() > kValueBytesMax) {
    return Invalid(column, absl::StrCat("超过 ", kValueBytesMax, " 字节"));
  }
  if (IsTextType(column.type())) {
    GT_RETURN_IF_ERROR(CheckText(column, value, column.length()));
    out->append(value.data(), value.size());
    return absl::OkStatus();
  }

  const absl::string_view bare = absl::StripAsciiWhitespace(value);
  // A message may show the value only once it is known to be text.
  GT_RETURN_IF_ERROR(CheckText(column, bare, /*length=*/0));
  switch (column.type()) {
    case v1::ITEM_TYPE_N:
    case v1::ITEM_TYPE_Y:
    case v1::ITEM_TYPE_I:
      return AppendDecimal(column, bare, out);
    case v1::ITEM_TYPE_B:
    case v1::ITEM_TYPE_F:
      return AppendDouble(column, bare, out);
    case v1::ITEM_TYPE_L:
      return AppendLogical(column, bare, out);
    case v1::ITEM_TYPE_D:
      if (const auto date = CanonicalDate(bare)) {
        *out += *date;
        return absl::OkStatus();
      }
      return NotA(column, bare, "日期（例如 2026-11-21）");
    case v1::ITEM_TYPE_T:
      if (const auto time = CanonicalTime(bare)) {
        *out += *time;
        return absl::OkStatus();
      }
      return NotA(column, bare, "日期时间（例如 2026-11-21T08:00:00+08:00）");
    default:
      return Invalid(column, absl::StrCat("数据类型 ", static_cast<int>(column.type()), " 未知"));
  }
}

bool IsTextType(v1::ItemType type) {
  return type == v1::ITEM_TYPE_C || type == v1::ITEM_TYPE_M || type == v1::ITEM_TYPE_G;
}

bool IsDecimalType(v1::ItemType type) {
  return type == v1::ITEM_TYPE_N || type == v1::ITEM_TYPE_Y || type == v1::ITEM_TYPE_I;
}

int CompareValues(v1::ItemType type, absl::string_view a, absl::string_view b) {
  if (IsDecimalType(type)) return CompareDecimals(a, b);
  if (type == v1::ITEM_TYPE_T) return Compare(InstantOf(a), InstantOf(b));
  if (type == v1::ITEM_TYPE_B || type == v1::ITEM_TYPE_F) return Compare(DoubleOf(a), DoubleOf(b));
  return a.compare(b);
}

void AppendKeyValue(v1::ItemType type, absl::string_view canonical, std::string* key) {
  if (IsDecimalType(type)) {
    AppendKeyPrefix(DecimalKey(canonical), key);
  } else if (type == v1::ITEM_TYPE_T) {
    AppendKeyPrefix(TimeKey(canonical), key);
  } else if (type == v1::ITEM_TYPE_B || type == v1::ITEM_TYPE_F) {
    AppendKeyPrefix(DoubleKey(canonical), key);
  } else {
    AppendKeyPrefix(canonical, key);
  }
  key->append("\x00\x01", 2);
}

void AppendKeyPrefix(absl::string_view prefix, std::string* key) {
  while (!prefix.empty()) {
    const void* zero = std::memchr(prefix.data(), 0, prefix.size());
    if (zero == nullptr) break;
    const size_t size = static_cast<size_t>(static_cast<const char*>(zero) - prefix.data()) + 1;
    key->append(prefix.data(), size);
    key->push_back('\xff');
    prefix.remove_prefix(size);
  }
  key->append(prefix.data(), prefix.size());
}

}  // namespace guantong
