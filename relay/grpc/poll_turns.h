// One thread at a time waits for gRPC's callbacks, and stays the one.
//
// gRPC runs callbacks on threads of its own that all ask for events: each event that one of them
// takes wakes another, to wait in its place. For events that are dealt with in less time than a
// thread takes to wake, that is most of what they cost: 39 context switches for a call over three
// hops, 12 without. So the others ask only where they are of use: when the one whose turn it is
// does not come back, or hardly ever waits.
//
// The function by which gRPC's threads ask is replaced (catalog/base/replaced.h). Ours acts on
// threads that have the name of those threads; where a later gRPC has other ones, nothing but the
// speed changes.
#ifndef GUANTONG_RELAY_GRPC_POLL_TURNS_H_
#define GUANTONG_RELAY_GRPC_POLL_TURNS_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace guantong {

// Any number of threads.
class PollTurns {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Limits {
    // Who waits looks so often whether the one whose turn it is has been away for too long.
    std::chrono::nanoseconds look_every = std::chrono::milliseconds(100);
    std::chrono::nanoseconds away_max = std::chrono::milliseconds(20);
    // Beyond this share of the time spent on events, by all, each event is handed on.
    double crowded_share = 0.5;
    std::chrono::nanoseconds crowded_window = std::chrono::milliseconds(10);
  };

  PollTurns() = default;
  explicit PollTurns(const Limits& limits) : limits_(limits) {}

  // Waits for this thread's turn, then polls: until there is an event to be dealt with, or, false,
  // there will be none any more. `left` is the thread's own, and stands for it: when it last went
  // off with an event.
  bool Take(const std::function<bool()>& poll, Instant* left);

 private:
  void Count(std::chrono::nanoseconds busy, Instant now);

  const Limits limits_ = {};
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool polling_ = false;
  bool handed_on_ = true;
  const Instant* turn_of_ = nullptr;  // the thread that has this one
  Instant left_;                      // the last to leave
  Instant window_;                    // began
  std::chrono::nanoseconds busy_{0};
  bool crowded_ = false;
};

// Whether gRPC in this process asks by the function defined here.
bool PollTurnsAreOurs();

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_POLL_TURNS_H_
