// What a node of a later version says: what today's engine says, with fields and frames that today
// nobody knows.
#ifndef GUANTONG_TESTS_SIM_LATER_VERSION_H_
#define GUANTONG_TESTS_SIM_LATER_VERSION_H_

#include <vector>

#include "relay/core/engine.h"
#include "tests/sim/random.h"

namespace guantong::sim {

class LaterVersion {
 public:
  explicit LaterVersion(Random random) : random_(std::move(random)) {}

  std::vector<Send> Say(const Send& send);

 private:
  Random random_;
};

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_LATER_VERSION_H_
