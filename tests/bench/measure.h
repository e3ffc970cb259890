// What every benchmark needs: parameters from the environment, waiting, quantiles, what a process
// and a folder cost.
#ifndef GUANTONG_TESTS_BENCH_MEASURE_H_
#define GUANTONG_TESTS_BENCH_MEASURE_H_

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace guantong::bench {

inline int64_t Parameter(const char* name, int64_t fallback) {
  const char* value = std::getenv(name);
  return value == nullptr ? fallback : std::atoll(value);
}

// Throws after ten minutes.
template <typename Condition>
void Await(const char* what, Condition condition) {
  const absl::Time deadline = absl::Now() + absl::Minutes(10);
  while (!condition()) {
    if (absl::Now() > deadline) throw std::runtime_error(std::string("waited in vain for ") + what);
  }
}

// Of values in any order; 0 when there are none.
inline double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

// One line of /proc/PID/FILE that begins with `key`, in its own unit (mostly KiB); 0 when absent.
inline uint64_t ProcessFigure(pid_t pid, const char* file, const std::string& key) {
  std::ifstream lines(absl::StrCat("/proc/", pid, "/", file));
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(key, 0) == 0) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  }
  return 0;
}

inline uint64_t PssKib(pid_t pid) { return ProcessFigure(pid, "smaps_rollup", "Pss:"); }
inline uint64_t ResidentKib(pid_t pid) { return ProcessFigure(pid, "status", "VmRSS:"); }

// Seconds of processor a process has used, its children not counted.
inline double ProcessorSeconds(pid_t pid) {
  clockid_t clock;
  timespec spent = {};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &spent) != 0) return 0;
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

// Until `used` (seconds of processor, ever more) grows by less than a twentieth of a processor.
template <typename Used>
void AwaitRest(Used used) {
  Await("the daemons to come to rest", [&] {
    const double before = used();
    absl::SleepFor(absl::Seconds(2));
    return used() - before < 0.1;
  });
}

inline uint64_t FolderBytes(const std::string& dir) {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
    if (file.is_regular_file()) bytes += file.file_size();
  }
  return bytes;
}

}  // namespace guantong::bench

#endif  // GUANTONG_TESTS_BENCH_MEASURE_H_
