// The pushes being taken in: one per dataset, few in all. A silent one gives way to whoever comes
// next. The same for series of pushes, each by a name of its own.
#ifndef GUANTONG_NODE_OPEN_PUSHES_H_
#define GUANTONG_NODE_OPEN_PUSHES_H_

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace guantong {

// Any thread; outlives its slots.
class OpenPushes {
 public:
  // Holds a dataset until it is destroyed.
  class Slot {
   public:
    Slot(OpenPushes* open, std::string name) : open_(*open), name_(std::move(name)) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot();

    // FAILED_PRECONDITION push_open, RESOURCE_EXHAUSTED node_busy: then the silent ones that stand
    // in the way have been cancelled, and the next attempt may succeed. `cancel` may come from any
    // thread while the slot is held.
    absl::Status Hold(const std::string& table, std::function<void()> cancel);
    const std::string& name() const { return name_; }
    // Something has come.
    void Heard() const;
    // All has come: what lasts now is our own doing.
    void Complete() const;

   private:
    OpenPushes& open_;
    const std::string name_;
    bool held_ = false;
  };

 private:
  struct Open {
    absl::Time heard_at;
    std::function<void()> cancel;
  };

  std::mutex mutex_;
  std::map<std::string, Open> open_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_OPEN_PUSHES_H_
