// A series of pushes on one stream: this thread takes the next in while another compares and
// commits those before.
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/limits.h"
#include "node/push.h"

namespace guantong {

// Applies what it is given, in order, ahead of its giver; what waits meanwhile is applied together.
class PushDesk::Series {
 public:
  // `place`: the series' own.
  Series(PushDesk* desk, const PushSource* stream, const Answer* answer, OpenPushes::Slot* place)
      : desk_(*desk), stream_(*stream), answer_(*answer), place_(*place), thread_([this] {
          Run();
        }) {}
  ~Series() { Finish(); }
  Series(const Series&) = delete;
  Series& operator=(const Series&) = delete;

  // Waits until those before have ended, or `taken` can wait with them. Drops it once one has
  // failed.
  void Give(std::unique_ptr<Taken> taken) {
    std::unique_lock<std::mutex> lock(mutex_);
    const bool idle = next_.empty() && !at_work_;
    // Learnt from those handed over alone: the others keep their sender waiting by themselves.
    if (!idle) {
      runs_ahead_ = true;
    } else if (handed_over_) {
      runs_ahead_ = false;
    }
    // Until those before are answered it is our work that takes the time.
    waiting_ = taken->slot;
    waiting_->Complete();
    changed_.wait(lock, [&] {
      if (failed_ || (next_.empty() && !at_work_)) return true;
      // One of another dataset waits for all before it: held_ knows one dataset at a time.
      const std::shared_ptr<OpenPushes::Slot> held = held_.lock();
      return (held == nullptr || held == taken->slot) && Joins(*taken, next_);
    });
    waiting_ = nullptr;
    if (failed_) return;
    held_ = taken->slot;
    // Waking the other thread costs a lone push more than it gains.
    const bool here = idle && !runs_ahead_ && taken->rows.rows() <= kPutsRowsMax &&
                      ++small_ % kSeriesProbeEvery != 0;
    handed_over_ = !here;
    next_.push_back(std::move(taken));
    if (here) {
      ApplyNext(&lock);
    } else {
      changed_.notify_all();
    }
  }

  // The slot of what was given last, while that is not answered.
  std::shared_ptr<OpenPushes::Slot> Held() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return held_.lock();
  }

  // Until all that was given is answered. False: one has failed.
  bool Finish() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    return !failed_;
  }

  bool failed() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return failed_;
  }

 private:
  // With the lock held, which it lets go meanwhile.
  void ApplyNext(std::unique_lock<std::mutex>* lock) {
    Group group = std::exchange(next_, {});
    at_work_ = true;
    lock->unlock();
    const bool good = ApplyAndAnswer(std::move(group));
    lock->lock();
    at_work_ = false;
    if (!good) {
      failed_ = true;
      next_.clear();
    }
  }

  // False: one has failed, and nothing after it was taken in.
  bool ApplyAndAnswer(Group group) {
    for (const std::unique_ptr<Taken>& taken : group) taken->slot->Complete();
    place_.Complete();
    const absl::StatusOr<std::vector<v1::PushResponse>> responses = desk_.Apply(stream_, group);
    if (!responses.ok() && group.size() > 1) {
      // Which of them it was shows when they come one by one.
      for (std::unique_ptr<Taken>& taken : group) {
        Group alone;
        alone.push_back(std::move(taken));
        if (!ApplyAndAnswer(std::move(alone))) return false;
      }
      return true;
    }
    {
      // From here on it is the sender's: one that takes no answers is silent.
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const std::unique_ptr<Taken>& taken : group) taken->slot->Heard();
      for (const std::unique_ptr<Taken>& taken : next_) taken->slot->Heard();
      if (waiting_ != nullptr) waiting_->Heard();
      place_.Heard();
      // The dataset is free before the sender hears of it.
      group.clear();
    }
    if (!responses.ok()) {
      answer_(responses.status());
      return false;
    }
    for (const v1::PushResponse& response : *responses) answer_(response);
    for (const v1::PushResponse& response : *responses) desk_.AfterAnswer(response);
    return true;
  }

  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return (!next_.empty() && !at_work_) || ended_; });
      if (next_.empty()) return;
      ApplyNext(&lock);
      changed_.notify_all();
    }
  }

  PushDesk& desk_;
  const PushSource& stream_;
  const Answer& answer_;
  OpenPushes::Slot& place_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Group next_;
  std::shared_ptr<OpenPushes::Slot> waiting_;  // of the one whose turn it is not yet
  std::weak_ptr<OpenPushes::Slot> held_;
  bool at_work_ = false;
  bool runs_ahead_ = false;   // the sender does not wait for answers
  bool handed_over_ = false;  // the last one was
  uint64_t small_ = 0;
  bool failed_ = false;
  bool ended_ = false;
  std::thread thread_;
};

absl::Status PushDesk::TakeAll(const PushSource& stream, const Admit& admit, const Answer& answer) {
  OpenPushes::Slot place(&series_, RandomBytes(16));
  GT_RETURN_IF_ERROR(place.Hold("", stream.cancel));
  v1::PushRequest request;
  {
    const PushSource heard = {.read =
                                  [&](v1::PushRequest* next) {
                                    const bool any = stream.read(next);
                                    place.Heard();
                                    return any;
                                  },
                              .broken = stream.broken,
                              .cancel = stream.cancel};
    Series series(this, &stream, &answer, &place);
    absl::Status status;
    while (status.ok() && !series.failed() && heard.read(&request)) {
      const absl::StatusOr<CallerIdentity> caller = admit();
      status = caller.status();
      if (!status.ok()) break;
      absl::StatusOr<std::unique_ptr<Taken>> taken =
          TakeIn(*caller, &request, heard, series.Held());
      status = taken.status();
      if (!status.ok()) break;
      series.Give(*std::move(taken));
    }
    if (series.Finish() && !status.ok()) answer(status);
  }
  while (stream.read(&request)) {
  }
  return absl::OkStatus();
}

}  // namespace guantong
