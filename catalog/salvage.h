// Reading a store some bytes of which cannot be read: everything that can be, and the ranges that
// cannot.
//
// The store refuses a damaged block as a whole and with it all keys of the block. A scan that ends
// there goes on at the first key behind it, which is found by halving: seeks fail inside the range
// and succeed behind it. What lies between is lost whether or not other files hold keys of it,
// because they may be older than what is gone.
#ifndef GUANTONG_CATALOG_SALVAGE_H_
#define GUANTONG_CATALOG_SALVAGE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/store.h"

namespace guantong {

// begin <= key < end; an empty end: to the end of the store.
struct LostRange {
  std::string begin;
  std::string end;
};

// Whether keys with this prefix may lie in the range.
bool Touches(const LostRange& range, absl::string_view prefix);

// In key order. `read` gets every key that can be read and ends the scan by an error, which is
// returned. Errors of the store other than DATA_LOSS are returned, too.
absl::Status ScanAround(
    const Reader& store,
    const std::function<absl::Status(absl::string_view key, absl::string_view value)>& read,
    const std::function<void(LostRange)>& lost);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_SALVAGE_H_
