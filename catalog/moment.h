// Dates and times of data, as people and systems write them.
#ifndef GUANTONG_CATALOG_MOMENT_H_
#define GUANTONG_CATALOG_MOMENT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace guantong {

// 2026-11-21, 2026/11/21 (month and day with one digit too), 20261121, 2026年11月21日 ->
// 2026-11-21. Days that exist only.
std::optional<std::string> CanonicalDate(absl::string_view text);

// A date, then, after `T` or spaces, 08:00, 08:00:00 or 08:00:00.25 (in the compact form 080000),
// then Z or an offset +08:00, +0800. Without an offset the time is Chinese (+08:00), without a time
// it is midnight. Canonical: 2026-11-21T08:00:00+08:00.
std::optional<std::string> CanonicalTime(absl::string_view text);

// The instant of a canonical time; the infinite past for what is none (a peer may send anything).
absl::Time InstantOf(absl::string_view canonical);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_MOMENT_H_
