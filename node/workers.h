// A bounded pool of threads for what must not hold up the core or a reaction of gRPC: answering
// routed calls, requests that wait. A thread is made when a task finds none idle.
#ifndef GUANTONG_NODE_WORKERS_H_
#define GUANTONG_NODE_WORKERS_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"

namespace guantong {

class Workers {
 public:
  explicit Workers(int threads_max);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  // Any thread. RESOURCE_EXHAUSTED node_busy when kWorkerTasksMax wait; UNAVAILABLE node_stopping.
  absl::Status Run(std::function<void()> task);

  // Drops what has not begun, waits for what has.
  void Stop();

 private:
  void Work();

  const size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  size_t idle_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_WORKERS_H_
