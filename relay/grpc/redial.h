// When to dial the parent, how long that may take, and what is given up. Pure.
//
// A dial that hangs is not waited for: its first packet may be lost, and the kernel repeats it ever
// more slowly, so that a line that is back would be noticed late. After `redial_beside` another one
// is begun beside it, up to kDialsMax; one of them is patient, for lines that need it. A link that
// is up and has fallen quiet is dialled past in the same way: what TCP repeats on the old
// connection comes as late. The first dial that comes through replaces it; if the link is heard
// again before, the dials are given up.
//
// All of that at the pace of the line: where a round trip takes most of a second, a dial takes
// several of them and TCP repeats a lost ping no sooner, so that a link is silent for seconds
// because of two lost packets, and dials begun each second have no room beside each other.
#ifndef GUANTONG_RELAY_GRPC_REDIAL_H_
#define GUANTONG_RELAY_GRPC_REDIAL_H_

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/grpc/flow.h"
#include "relay/grpc/links.h"

namespace guantong {

inline constexpr size_t kDialsMax = 4;  // at a time

// What lately a round trip took, as the returned credit of both lanes tells.
class LinePace {
 public:
  void Measured(std::chrono::nanoseconds took);
  // The shortest of the last ones, zero before the first.
  std::chrono::nanoseconds round_trip() const;
  // A link that was not heard for so long is quiet.
  absl::Duration QuietAfter(const LinkOptions& options) const;

 private:
  std::list<std::chrono::nanoseconds> took_;
};

class Redial {
 public:
  explicit Redial(const LinkOptions& options) : options_(options) {}

  struct Next {
    // Begin a dial with this time limit.
    std::optional<absl::Duration> timeout;
    // Else ask again after that; infinite: when something has changed.
    absl::Duration wait = absl::InfiniteDuration();
  };
  Next Ask(Instant now) const;

  void Begun(LinkId dial, absl::Duration timeout, Instant now);
  // What is superfluous now.
  std::vector<LinkId> Up(LinkId dial);
  std::vector<LinkId> Heard(LinkId link);
  void Quiet(LinkId link);
  // A link that was up for so long, or a dial that came to nothing. Waits double from redial_min to
  // redial_max, and for a peer that says no, to five times that: being refused is not cured by
  // insisting. A link that lived for redial_max begins anew, so that one that dies at once does not
  // come back ten times a second. `jitter` in [0, 1) takes off up to half.
  void Ended(LinkId link, const absl::Status& why, absl::Duration up_for, double jitter,
             Instant now);
  // The pace of the line, zero where it is not known.
  void Measured(std::chrono::nanoseconds round_trip);

 private:
  absl::Duration After(const absl::Status& why, absl::Duration up_for, double jitter);
  std::vector<LinkId> Others() const;
  absl::Duration Timeout() const;
  absl::Duration Patience() const { return 3 * Timeout(); }

  const LinkOptions& options_;
  std::map<LinkId, absl::Duration> dials_;  // under way, with their time limits
  std::optional<LinkId> up_;
  bool quiet_ = false;
  absl::Duration round_trip_;
  Instant not_before_;
  uint32_t failures_ = 0;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_REDIAL_H_
