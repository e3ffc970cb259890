// Reading every table file of the store again and again, slowly, so that a bit that turned is found
// while neighbours still hold what it was part of.
#ifndef GUANTONG_NODE_UPKEEP_SCRUB_H_
#define GUANTONG_NODE_UPKEEP_SCRUB_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "catalog/rocks/rocks_store.h"
#include "guantong/v1/upkeep.pb.h"
#include "node/site.h"
#include "node/upkeep/damage.h"

namespace guantong {

struct ScrubOptions {
  uint32_t bytes_per_second = 0;  // 0: off
  absl::Duration pause;           // between two passes
};

// One thread of its own. A pass takes the files in force when it begins, in order of their numbers,
// and goes on after a restart where it was.
class Scrubber {
 public:
  Scrubber(const Site* site, const RocksStore* store, DamageWatch* watch,
           const ScrubOptions& options);
  ~Scrubber() { Stop(); }

  // The driver runs.
  void Start();
  void Stop();

  v1::Scrub progress() const;

 private:
  void Loop();
  bool Pass();
  bool WaitUntil(absl::Time at);  // false: stopping
  void Save();

  const Site& site_;
  const RocksStore& store_;
  DamageWatch& watch_;
  const ScrubOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  v1::Scrub progress_;
  std::thread thread_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_SCRUB_H_
