#include "relay/grpc/redial.h"

#include <algorithm>

namespace guantong {
namespace {

constexpr uint32_t kDoublingsMax = 16;
constexpr int kRefusedFactor = 5;

bool IsRefusal(const absl::Status& why) {
  return absl::IsPermissionDenied(why) || absl::IsUnauthenticated(why) ||
         absl::IsFailedPrecondition(why);
}

}  // namespace

absl::Duration Redial::After(const absl::Status& why, absl::Duration up_for, double jitter) {
  if (up_for >= options_.redial_max) {
    failures_ = 0;
    dials_ = 0;
  }
  const absl::Duration longest =
      IsRefusal(why) ? kRefusedFactor * options_.redial_max : options_.redial_max;
  const absl::Duration doubled =
      options_.redial_min * static_cast<double>(1u << std::min(failures_, kDoublingsMax));
  ++failures_;
  return std::min(doubled, longest) * (1.0 - jitter / 2);
}

absl::Duration Redial::NextTimeout() {
  return ++dials_ % 3 == 0 ? 3 * options_.dial_timeout : options_.dial_timeout;
}

}  // namespace guantong
