// What is not shown here, by rulings of this node and of the levels above it.
#ifndef GUANTONG_NODE_HIDDEN_H_
#define GUANTONG_NODE_HIDDEN_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "catalog/rulings.h"
#include "node/directory.h"

namespace guantong {

// This node, then the levels above it, the nearest first.
std::vector<Ruler> RulersAt(const Directory& directory);

// Any thread.
class Hidden {
 public:
  explicit Hidden(const Directory* directory) : rulers_(RulersAt(*directory)) {}

  // As `snapshot` has it; read again when one of the levels has said something.
  std::shared_ptr<const HiddenEntries> At(const Reader& snapshot);

 private:
  const std::vector<Ruler> rulers_;
  std::mutex mutex_;
  std::string heads_;
  std::shared_ptr<const HiddenEntries> held_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_HIDDEN_H_
