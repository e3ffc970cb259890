// The one source of chance of a run: everything drawn comes from its seed, on every machine the
// same.
#ifndef GUANTONG_TESTS_SIM_RANDOM_H_
#define GUANTONG_TESTS_SIM_RANDOM_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace guantong::sim {

// xoshiro256**, filled by SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed);

  // A stream of its own, so that more draws in one place do not shift all others.
  Random Fork(absl::string_view name) const;

  uint64_t Next();
  uint64_t Below(uint64_t bound);  // bound > 0
  bool Chance(double probability);
  absl::Duration Between(absl::Duration least, absl::Duration most);
  // Exponential around `mean`, at most twenty times it: arrivals of independent users.
  absl::Duration Around(absl::Duration mean);
  std::string Bytes(size_t count);

 private:
  uint64_t seed_;
  std::array<uint64_t, 4> state_;
};

// FNV-1a, 64 bit.
uint64_t HashOf(absl::string_view bytes, uint64_t start = 0xcbf29ce484222325);

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_RANDOM_H_
