// Virtual time: what is to happen, in order of time and then of being planned.
#ifndef GUANTONG_TESTS_SIM_SCHEDULE_H_
#define GUANTONG_TESTS_SIM_SCHEDULE_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "absl/time/time.h"

namespace guantong::sim {

class Schedule {
 public:
  explicit Schedule(absl::Time start) : now_(start) {}

  absl::Time now() const { return now_; }

  void At(absl::Time time, std::function<void()> what) {
    due_.emplace(std::make_pair(std::max(time, now_), ++planned_), std::move(what));
  }
  void After(absl::Duration delay, std::function<void()> what) {
    At(now_ + delay, std::move(what));
  }

  // Runs all that is due up to and including `until`, and stands there afterwards.
  void RunUntil(absl::Time until) {
    while (!due_.empty() && due_.begin()->first.first <= until) {
      now_ = due_.begin()->first.first;
      const std::function<void()> what = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      what();
    }
    now_ = std::max(now_, until);
  }

 private:
  absl::Time now_;
  uint64_t planned_ = 0;
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> due_;
};

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_SCHEDULE_H_
