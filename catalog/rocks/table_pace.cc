#include "catalog/rocks/table_pace.h"

#include <algorithm>
#include <thread>

#include "catalog/base/status.h"

namespace guantong {
namespace {

constexpr int64_t kPieceBytes = 256 << 10;
// Of what commits bring: written by a flush, and by a compaction of each of two levels.
constexpr uint64_t kPaceOfCommits = 4;

}  // namespace

Pace::Pace(uint64_t bytes_per_second_min) : min_(bytes_per_second_min) { GT_CHECK(min_ > 0); }

Pace::Instant Pace::Reserve(uint64_t bytes, Instant now) {
  const double seconds = static_cast<double>(bytes) / static_cast<double>(bytes_per_second(now));
  const Instant at = std::max(next_, now);
  next_ =
      at + std::chrono::duration_cast<Instant::duration>(std::chrono::duration<double>(seconds));
  return at;
}

void Pace::Committed(uint64_t bytes, Instant now) {
  Roll(now);
  brought_ += bytes;
}

uint64_t Pace::bytes_per_second(Instant now) {
  Roll(now);
  return std::max(min_, kPaceOfCommits * std::max(brought_, brought_ago_));
}

void Pace::Roll(Instant now) {
  constexpr std::chrono::seconds kSecond{1};
  if (now - second_ < kSecond) return;
  brought_ago_ = now - second_ < 2 * kSecond ? brought_ : 0;
  brought_ = 0;
  second_ = now;
}

void TablePace::Committed(uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  pace_.Committed(bytes, std::chrono::steady_clock::now());
}

void TablePace::Request(int64_t bytes, rocksdb::Env::IOPriority, rocksdb::Statistics*) {
  ++requests_;
  bytes_ += bytes;
  Pace::Instant at;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    at = pace_.Reserve(static_cast<uint64_t>(bytes), std::chrono::steady_clock::now());
  }
  std::this_thread::sleep_until(at);
}

int64_t TablePace::GetSingleBurstBytes() const { return kPieceBytes; }

int64_t TablePace::GetBytesPerSecond() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<int64_t>(pace_.bytes_per_second(std::chrono::steady_clock::now()));
}

}  // namespace guantong
