// The clients: departments that publish entries and push rows, operators that subscribe, readers,
// callers. Each at a random node, at random moments; everything promised goes into the ledger.
#ifndef GUANTONG_TESTS_SIM_WORKLOAD_H_
#define GUANTONG_TESTS_SIM_WORKLOAD_H_

#include <functional>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace guantong::sim {

class Workload {
 public:
  explicit Workload(World* world);

  // From now on until Stop.
  void Start();
  void Stop() { working_ = false; }

  // Makes certain what a crash left in doubt: subscriptions that may or may not stand are told
  // again.
  void Settle();

  void OpenDatasets();
  void Push(size_t dataset);
  void Publish(size_t node);
  void Subscribe(size_t node, size_t dataset);
  void Unsubscribe(size_t node, size_t dataset, bool drop_data);
  void Call(size_t from, size_t to);

 private:
  void Every(absl::Duration mean, Random* random, std::function<void()> what);
  void Begin();
  // Entries `first` to `first + count` of a node, asked again until they stand.
  void Register(size_t node, int first, int count);
  void Append(size_t node, v1::FeedKind kind, const std::vector<std::string>& codes,
              v1::EntryState state, std::function<void(bool)> done,
              std::vector<v1::Record> odd = {});
  void PublishOdd(size_t node);
  void ChangeSchema(size_t dataset);
  void Open(size_t dataset);
  void Submit(Dataset& dataset, size_t index, uint64_t push, const Content& base,
              const Content& after, uint64_t base_commit);
  void Pushed(size_t dataset, uint64_t push, const WriteDone* done);

  World& world_;
  Ledger& ledger_;
  const WorkPlan& plan_;
  bool working_ = false;
  Random pick_;
  Random rows_;
  Random calling_;
  Random odd_;
  uint64_t calls_made_ = 0;
};

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_WORKLOAD_H_
