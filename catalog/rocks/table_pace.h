// How fast tables are put to disk. Six megabytes written at once stand before the next fsync of the
// log, and before those of whatever else shares the disk; in pieces, no faster than this, a commit
// finds a short queue.
//
// RocksDB's own limiter waits by the clock of the day: set back while a flush waits, that flush and
// all behind it would wait for as long, and commits with them.
#ifndef GUANTONG_CATALOG_ROCKS_TABLE_PACE_H_
#define GUANTONG_CATALOG_ROCKS_TABLE_PACE_H_

#include <rocksdb/rate_limiter.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace guantong {

// Who may write when; pure. Pieces follow one another at so many bytes a second, or at a multiple
// of what commits bring where that is more: what is committed is written once by a flush and some
// times by compactions, and must not wait for them.
class Pace {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // At least one byte a second.
  explicit Pace(uint64_t bytes_per_second_min);

  // When a piece that is ready `now` may be written. Nothing is saved up for a burst.
  Instant Reserve(uint64_t bytes, Instant now);
  void Committed(uint64_t bytes, Instant now);
  uint64_t bytes_per_second(Instant now);

 private:
  void Roll(Instant now);

  const uint64_t min_;
  Instant next_;
  Instant second_;            // when this one began
  uint64_t brought_ = 0;      // by commits, in it
  uint64_t brought_ago_ = 0;  // in the one before
};

// The pace as RocksDB asks for it, before each piece of a flush or compaction. Any thread.
class TablePace : public rocksdb::RateLimiter {
 public:
  explicit TablePace(uint64_t bytes_per_second_min) : pace_(bytes_per_second_min) {}

  // What a commit has brought.
  void Committed(uint64_t bytes);

  void SetBytesPerSecond(int64_t) override {}  // nobody asks
  using RateLimiter::Request;
  void Request(int64_t bytes, rocksdb::Env::IOPriority priority,
               rocksdb::Statistics* statistics) override;
  int64_t GetSingleBurstBytes() const override;
  int64_t GetTotalBytesThrough(rocksdb::Env::IOPriority) const override { return bytes_; }
  int64_t GetTotalRequests(rocksdb::Env::IOPriority) const override { return requests_; }
  int64_t GetBytesPerSecond() const override;

 private:
  mutable std::mutex mutex_;
  mutable Pace pace_;  // guarded by mutex_
  std::atomic<int64_t> bytes_{0};
  std::atomic<int64_t> requests_{0};
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_TABLE_PACE_H_
