// What goes wrong: crashes, cuts, a parent away, stores that come back from a backup.
#ifndef GUANTONG_TESTS_SIM_FAULTS_H_
#define GUANTONG_TESTS_SIM_FAULTS_H_

#include <functional>
#include <map>
#include <memory>

#include "tests/sim/world.h"

namespace guantong::sim {

class Faults {
 public:
  explicit Faults(World* world);

  void Start();
  // No more faults; all nodes up, all links mended, the weather fair.
  void Heal();

  // The node goes down and comes up with `backup`. Marks in the ledger what nobody can give back to
  // it.
  void RestoreFrom(size_t node, std::unique_ptr<MemoryStore> backup, absl::Duration down);

 private:
  void Every(absl::Duration mean, std::function<void()> what);
  void CrashOne();
  void CutOne();
  void BackUpOne();
  void RestoreAgain(size_t node, std::shared_ptr<MemoryStore> backup);
  void ClogSome();
  void MoveOne();
  bool CanGiveBack(size_t origin, const FeedKey& feed, const MemoryStore& backup) const;

  World& world_;
  const FaultPlan& plan_;
  Random random_;
  bool raging_ = false;
};

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_FAULTS_H_
