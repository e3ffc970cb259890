#include "node/upkeep/scrub.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/log.h"

namespace guantong {
namespace {

constexpr char kScrub[] = "scrub";
// So much is read again after a restart at most.
constexpr absl::Duration kSaveEvery = absl::Minutes(1);

}  // namespace

Scrubber::Scrubber(const Site* site, const RocksStore* store, DamageWatch* watch,
                   const ScrubOptions& options)
    : site_(*site), store_(*store), watch_(*watch), options_(options) {
  std::string bytes;
  if (store_.Get(NodeFactKey(kScrub), &bytes).ok()) progress_.ParseFromString(bytes);
  progress_.set_bytes_per_second(options_.bytes_per_second);
}

void Scrubber::Start() {
  if (options_.bytes_per_second > 0) thread_ = std::thread([this] { Loop(); });
}

void Scrubber::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_all();
  if (thread_.joinable()) thread_.join();
}

v1::Scrub Scrubber::progress() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return progress_;
}

bool Scrubber::WaitUntil(absl::Time at) {
  std::unique_lock<std::mutex> lock(mutex_);
  return !wakes_.wait_until(lock, absl::ToChronoTime(at), [this] { return stopping_; });
}

void Scrubber::Loop() {
  do {
    const v1::Scrub before = progress();
    if (!before.has_pass_began() && before.has_last_full_pass() &&
        !WaitUntil(TimeOfTimestamp(before.last_full_pass()) + options_.pause)) {
      return;
    }
  } while (Pass());
}

bool Scrubber::Pass() {
  const std::vector<TableFile> files = store_.TableFiles();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!progress_.has_pass_began()) {
      *progress_.mutable_pass_began() = TimestampOf(absl::Now());
      progress_.set_file_done(0);
    }
    progress_.set_bytes_done(0);
    progress_.set_bytes_total(0);
    for (const TableFile& file : files) {
      progress_.set_bytes_total(progress_.bytes_total() + file.bytes);
      if (file.number <= progress_.file_done())
        progress_.set_bytes_done(progress_.bytes_done() + file.bytes);
    }
  }
  absl::Time next = absl::Now();
  const auto pace = [&](uint64_t bytes) {
    // What was not read in time is not made up for.
    next = std::max(next, absl::Now());
    const bool goes_on = WaitUntil(next);
    next += absl::Seconds(static_cast<double>(bytes) / options_.bytes_per_second);
    return goes_on;
  };
  absl::Time saved = absl::Now();
  for (const TableFile& file : files) {
    if (file.number <= progress().file_done()) continue;
    const absl::Status checked = store_.CheckTableFile(file, pace);
    if (absl::IsCancelled(checked)) return false;
    if (absl::IsDataLoss(checked)) {
      watch_.Note("scrub", checked);
      return false;
    }
    if (!checked.ok() && !absl::IsNotFound(checked)) {
      Log(LogLevel::kWarning,
          absl::StrCat("巡检读不了 (the scrub cannot read) ", file.name, ": ", checked.message()));
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return false;
      progress_.set_file_done(file.number);
      progress_.set_bytes_done(progress_.bytes_done() + file.bytes);
    }
    if (absl::Now() - saved < kSaveEvery) continue;
    Save();
    saved = absl::Now();
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    *progress_.mutable_last_full_pass() = TimestampOf(absl::Now());
    progress_.clear_pass_began();
    progress_.set_file_done(0);
  }
  Save();
  // A store that is suspended takes no note; the pass counts again after the restart.
  return WaitUntil(absl::Now());
}

void Scrubber::Save() {
  WriteSet writes;
  writes.Put(NodeFactKey(kScrub), progress().SerializeAsString());
  const absl::Status saved = site_.driver->WriteOwn(std::move(writes));
  if (!saved.ok())
    Log(LogLevel::kWarning,
        absl::StrCat("巡检进度没有记下 (the scrub's progress is not saved): ", saved.message()));
}

}  // namespace guantong
