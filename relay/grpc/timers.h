// One thread that runs small closures at their time. What must not happen inside a reaction of
// gRPC, such as destroying a channel, is posted here too. Closures must not block.
#ifndef GUANTONG_RELAY_GRPC_TIMERS_H_
#define GUANTONG_RELAY_GRPC_TIMERS_H_

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "relay/grpc/flow.h"

namespace guantong {

class Timers {
 public:
  Timers();
  ~Timers();  // Stop
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  // Any thread, also from within a closure; in order of their times. After Stop closures are
  // dropped.
  void Post(std::function<void()> closure) { After(absl::ZeroDuration(), std::move(closure)); }
  void After(absl::Duration delay, std::function<void()> closure);

  // Runs what is due, drops what is not, and ends the thread. Not from within a closure.
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Instant, std::function<void()>> due_;  // guarded by mutex_
  bool stopping_ = false;                              // guarded by mutex_
  bool stopped_ = false;                               // guarded by mutex_
  std::thread thread_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_TIMERS_H_
