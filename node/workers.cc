#include "node/workers.h"

#include <utility>

#include "catalog/base/status.h"
#include "node/limits.h"

namespace guantong {

Workers::Workers(int threads_max) : threads_max_(static_cast<size_t>(threads_max)) {}

Workers::~Workers() { Stop(); }

absl::Status Workers::Run(std::function<void()> task) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) {
      return Error(absl::StatusCode::kUnavailable, "node_stopping",
                   "节点正在停止 (the node is stopping)");
    }
    if (tasks_.size() >= kWorkerTasksMax) {
      return Error(absl::StatusCode::kResourceExhausted, "node_busy",
                   "节点繁忙 (too many tasks are waiting)", "", "稍后重试 (try again later)");
    }
    tasks_.push_back(std::move(task));
    if (tasks_.size() > idle_ && threads_.size() < threads_max_) {
      threads_.emplace_back([this] { Work(); });
    }
  }
  changed_.notify_one();
  return absl::OkStatus();
}

void Workers::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    tasks_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Workers::Work() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      ++idle_;
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      --idle_;
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace guantong
