// The wire of a hostile leaf. Its engine keeps the session alive; what it says is changed on the
// way out: positions it does not stand at, batches nobody signed, the same frame many times over,
// or nothing at all.
#ifndef GUANTONG_TESTS_SIM_LIAR_H_
#define GUANTONG_TESTS_SIM_LIAR_H_

#include <vector>

#include "relay/core/engine.h"
#include "tests/sim/random.h"

namespace guantong::sim {

class Liar {
 public:
  explicit Liar(Random random) : random_(std::move(random)) {}

  std::vector<Send> Twist(const Send& send);

 private:
  void Lie(v1::Position& position);

  Random random_;
};

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_LIAR_H_
