// One value of a column: its canonical text, its order, its bytes in a row key. Canonical text is
// what is stored and signed; order and key bytes go by meaning, so 1.5 and 1.50, or one instant in
// two time zones, are the same key. Values that came from elsewhere may be anything: those that are
// not canonical come first in the order, and nothing fails over them.
#ifndef GUANTONG_CATALOG_VALUE_H_
#define GUANTONG_CATALOG_VALUE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/row.pb.h"

namespace guantong {

// Puts `value` in canonical text for the column, or says why it cannot: type, length, bad UTF-8.
// Numbers lose leading zeros and a plus sign, dates become YYYY-MM-DD. INVALID_ARGUMENT
// value_invalid, subject = field; text Chinese first.
absl::StatusOr<std::string> CanonicalValue(const v1::Column& column, absl::string_view value);
// The same, appended to `out`, which is undefined after an error.
absl::Status AppendCanonicalValue(const v1::Column& column, absl::string_view value,
                                  std::string* out);

bool IsTextType(v1::ItemType type);     // C, M, G
bool IsDecimalType(v1::ItemType type);  // N, Y, I

// Two canonical values of one type: negative, zero, positive.
int CompareValues(v1::ItemType type, absl::string_view a, absl::string_view b);

// Appends the key bytes of a canonical value: 0x00 -> 0x00 0xFF, ended by 0x00 0x01.
void AppendKeyValue(v1::ItemType type, absl::string_view canonical, std::string* key);
// The same without the end mark: what the keys of all texts that begin with `prefix` begin with.
// Text types and D.
void AppendKeyPrefix(absl::string_view prefix, std::string* key);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_VALUE_H_
