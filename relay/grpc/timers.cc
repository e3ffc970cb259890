#include "relay/grpc/timers.h"

#include <chrono>
#include <utility>

namespace guantong {

using std::chrono::steady_clock;

Timers::Timers() : thread_([this] { Run(); }) {}

Timers::~Timers() { Stop(); }

void Timers::After(absl::Duration delay, std::function<void()> closure) {
  const Instant at = steady_clock::now() + absl::ToChronoNanoseconds(delay);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_) return;
  const auto added = due_.emplace(at, std::move(closure));
  if (added == due_.begin()) changed_.notify_one();
}

void Timers::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Timers::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    if (!due_.empty() && due_.begin()->first <= steady_clock::now()) {
      std::function<void()> closure = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      lock.unlock();
      closure();
      closure = nullptr;
      lock.lock();
    } else if (stopping_) {
      stopped_ = true;
      const auto dropped = std::exchange(due_, {});
      lock.unlock();  // what they own may want the lock on its way out
      return;
    } else if (due_.empty()) {
      changed_.wait(lock);
    } else {
      // A copy: the entry may go while we wait.
      const Instant next = due_.begin()->first;
      changed_.wait_until(lock, next);
    }
  }
}

}  // namespace guantong
