// Notices that the machine's clock was set: the wall clock and the steady one no longer advance
// together.
#ifndef GUANTONG_NODE_CLOCK_WATCH_H_
#define GUANTONG_NODE_CLOCK_WATCH_H_

#include <chrono>
#include <optional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace guantong {

// One thread.
class ClockWatch {
 public:
  // Slewing stays far below this between two looks.
  static constexpr absl::Duration kJump = absl::Minutes(1);

  // True once after each jump, in either direction.
  bool Jumped(absl::Time now) {
    const auto steady = std::chrono::steady_clock::now();
    const bool jumped =
        last_.has_value() &&
        absl::AbsDuration((now - last_->wall) - absl::FromChrono(steady - last_->steady)) > kJump;
    last_ = {now, steady};
    return jumped;
  }

 private:
  struct Look {
    absl::Time wall;
    std::chrono::steady_clock::time_point steady;
  };
  std::optional<Look> last_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CLOCK_WATCH_H_
