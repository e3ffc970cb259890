// How long to wait before the next dial, and how long that dial may take. Pure.
#ifndef GUANTONG_RELAY_GRPC_REDIAL_H_
#define GUANTONG_RELAY_GRPC_REDIAL_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/grpc/links.h"

namespace guantong {

class Redial {
 public:
  explicit Redial(const LinkOptions& options) : options_(options) {}

  // A session that was up, and for how long, or a dial that came to nothing, has ended so. Doubles
  // from redial_min to redial_max, and for a peer that says no, to five times that: being refused
  // is not cured by insisting. A session that lived for redial_max begins anew, so that one that
  // dies at once does not come back ten times a second. `jitter` in [0, 1) takes off up to half.
  absl::Duration After(const absl::Status& why, absl::Duration up_for, double jitter);

  // Every third dial may take three times as long.
  absl::Duration NextTimeout();

 private:
  const LinkOptions& options_;
  uint32_t failures_ = 0;
  uint32_t dials_ = 0;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_REDIAL_H_
