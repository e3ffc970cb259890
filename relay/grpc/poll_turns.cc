#include "relay/grpc/poll_turns.h"

#include <grpc/grpc.h>
#include <pthread.h>

#include <array>
#include <cstring>

#include "catalog/base/replaced.h"

namespace guantong {
namespace {

using std::chrono::steady_clock;

constexpr char kSymbol[] = "grpc_completion_queue_next";
constexpr char kThread[] = "nexting_thread";

bool AsksForCallbacks() {
  std::array<char, 16> name = {};
  return pthread_getname_np(pthread_self(), name.data(), name.size()) == 0 &&
         std::strcmp(name.data(), kThread) == 0;
}

}  // namespace

bool PollTurns::Take(const std::function<bool()>& poll, Instant* left) {
  std::unique_lock<std::mutex> lock(mutex_);
  const Instant now = steady_clock::now();
  if (*left != Instant()) Count(now - *left, now);
  const auto may = [&] {
    return !polling_ &&
           (handed_on_ || turn_of_ == left || steady_clock::now() - left_ >= limits_.away_max);
  };
  while (!may()) wakes_.wait_for(lock, limits_.look_every, may);
  turn_of_ = left;
  polling_ = true;
  handed_on_ = false;
  lock.unlock();
  const bool event = poll();
  lock.lock();
  polling_ = false;
  left_ = *left = steady_clock::now();
  if (event && !crowded_) return event;
  handed_on_ = true;
  lock.unlock();
  wakes_.notify_one();
  return event;
}

void PollTurns::Count(std::chrono::nanoseconds busy, Instant now) {
  busy_ += busy;
  if (now - window_ < limits_.crowded_window) return;
  const std::chrono::duration<double> share = limits_.crowded_share * (now - window_);
  crowded_ = busy_ > share;
  busy_ = std::chrono::nanoseconds(0);
  window_ = now;
}

bool PollTurnsAreOurs() { return IsReplaced(kSymbol); }

}  // namespace guantong

// As gRPC's own, but that a thread which asks for callbacks is never told that there was none in
// time: it would sleep for a while and ask again.
grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  using guantong::PollTurns;
  using Function = grpc_event (*)(grpc_completion_queue*, gpr_timespec, void*);
  static const auto library = reinterpret_cast<Function>(guantong::Replaced(guantong::kSymbol));
  static PollTurns* const turns = new PollTurns;  // gRPC's threads may outlive main
  thread_local const bool asks = guantong::AsksForCallbacks();
  if (!asks) return library(queue, deadline, reserved);
  thread_local PollTurns::Instant left;
  grpc_event event = {};
  turns->Take(
      [&] {
        event = library(queue, gpr_inf_future(deadline.clock_type), reserved);
        return event.type == GRPC_OP_COMPLETE;
      },
      &left);
  return event;
}
