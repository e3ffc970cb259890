// A series of pushes on one stream: this thread takes the next in while another compares and
// commits the one before.
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/push.h"

namespace guantong {

// Applies what it is given, in order, one ahead of its giver.
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

  // Waits until the one before has ended. Drops `taken` once one has failed.
  void Give(std::unique_ptr<Taken> taken) {
    std::unique_lock<std::mutex> lock(mutex_);
    const bool waited = next_ != nullptr || at_work_;
    // Until the one before is answered it is our work that takes the time.
    waiting_ = taken->slot;
    waiting_->Complete();
    changed_.wait(lock, [this] { return next_ == nullptr && !at_work_; });
    waiting_ = nullptr;
    if (failed_) return;
    held_ = taken->slot;
    if (!waited && taken->rows.rows() <= kPutsRowsMax) {
      lock.unlock();
      const bool good = ApplyAndAnswer(std::move(taken));
      lock.lock();
      failed_ |= !good;
      return;
    }
    next_ = std::move(taken);
    changed_.notify_all();
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
  bool ApplyAndAnswer(std::unique_ptr<Taken> taken) {
    taken->slot->Complete();
    place_.Complete();
    const absl::StatusOr<v1::PushResponse> response = desk_.Apply(stream_, taken.get());
    {
      // From here on it is the sender's: one that takes no answers is silent.
      const std::lock_guard<std::mutex> lock(mutex_);
      taken->slot->Heard();
      if (waiting_ != nullptr) waiting_->Heard();
      place_.Heard();
      // The dataset is free before the sender hears of it.
      taken.reset();
    }
    answer_(response);
    desk_.AfterAnswer(response);
    return response.ok();
  }

  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return next_ != nullptr || ended_; });
      if (next_ == nullptr) return;
      std::unique_ptr<Taken> taken = std::move(next_);
      at_work_ = true;
      lock.unlock();
      const bool good = ApplyAndAnswer(std::move(taken));
      lock.lock();
      failed_ |= !good;
      at_work_ = false;
      changed_.notify_all();
    }
  }

  PushDesk& desk_;
  const PushSource& stream_;
  const Answer& answer_;
  OpenPushes::Slot& place_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<Taken> next_;
  std::shared_ptr<OpenPushes::Slot> waiting_;  // of the one whose turn it is not yet
  std::weak_ptr<OpenPushes::Slot> held_;
  bool at_work_ = false;
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
