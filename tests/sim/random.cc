#include "tests/sim/random.h"

#include <algorithm>
#include <cmath>

namespace guantong::sim {

namespace {

uint64_t SplitMix(uint64_t* state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t RotateLeft(uint64_t value, int by) { return (value << by) | (value >> (64 - by)); }

}  // namespace

Random::Random(uint64_t seed) : seed_(seed) {
  for (uint64_t& word : state_) word = SplitMix(&seed);
}

Random Random::Fork(absl::string_view name) const {
  return Random(HashOf(name, seed_ ^ 0xcbf29ce484222325));
}

uint64_t Random::Next() {
  const uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = RotateLeft(state_[3], 45);
  return result;
}

// The bias of a plain remainder is below 2^-40 for the bounds used here.
uint64_t Random::Below(uint64_t bound) { return Next() % bound; }

bool Random::Chance(double probability) {
  return static_cast<double>(Next() >> 11) * 0x1.0p-53 < probability;
}

absl::Duration Random::Between(absl::Duration least, absl::Duration most) {
  const int64_t span = absl::ToInt64Microseconds(most - least);
  return least + absl::Microseconds(static_cast<int64_t>(Below(static_cast<uint64_t>(span) + 1)));
}

absl::Duration Random::Around(absl::Duration mean) {
  const double unit = (static_cast<double>(Next() >> 11) + 1) * 0x1.0p-53;
  const double factor = std::min(-std::log(unit), 20.0);
  return absl::Microseconds(
      static_cast<int64_t>(factor * static_cast<double>(absl::ToInt64Microseconds(mean))));
}

std::string Random::Bytes(size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(Next() >> 56);
  return bytes;
}

uint64_t HashOf(absl::string_view bytes, uint64_t start) {
  uint64_t hash = start;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace guantong::sim
