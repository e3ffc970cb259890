// One simulated node: the production engine over a MemoryStore, with a commit pipeline of its own
// and a crash that loses what was not committed. It does what a driver does: carries out effects,
// feeds back Committed, ticks, snapshots.
#ifndef GUANTONG_TESTS_SIM_NODE_H_
#define GUANTONG_TESTS_SIM_NODE_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/memory_store.h"
#include "relay/core/engine.h"
#include "tests/sim/heap.h"
#include "tests/sim/random.h"
#include "tests/sim/scenario.pb.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"

namespace guantong::sim {

class Node;

// What a node's effects do to the world around it.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual void Carry(Node& from, const Send& send) = 0;
  virtual void Close(Node& at, const CloseLink& close) = 0;
  virtual void Execute(Node& at, CallDelivery delivery) = 0;
  // What no peer and no user can cause: ends the run as wrong.
  virtual void Wrong(std::string what) = 0;
};

class Node {
 public:
  Node(size_t index, const EngineIdentity& identity, EngineOptions options, DiskSpeed disk,
       Random random, Schedule* schedule, Trace* trace, Surroundings* surroundings);

  size_t index() const { return index_; }
  const EngineIdentity& identity() const { return *identity_; }
  const NodePath& path() const { return identity_->self.path; }
  const std::string& id() const { return identity_->self.node_id; }
  const std::string& network() const { return identity_->self.network; }
  const EngineOptions& options() const { return options_; }
  const std::string& name() const { return name_; }
  bool up() const { return engine_ != nullptr; }
  // Changes with every start: whoever planned something for an earlier life finds out by it.
  uint64_t life() const { return life_; }
  const MemoryStore& store() const { return *store_; }
  const Engine& engine() const { return *engine_; }
  // Held by the engine, and by what it has handed out.
  int64_t engine_bytes() const { return heap_->bytes; }
  // Of those, what waits for the disk.
  int64_t bytes_to_commit() const;

  void Start();
  // Of what the commit thread had handed to the disk a prefix of the bytes stays, by chance; the
  // last write may be torn.
  void Crash();
  // While down: the store becomes an older one.
  // While down: other certificates for the same key.
  void Become(const EngineIdentity& identity) { identity_ = &identity; }
  void Restore(std::unique_ptr<MemoryStore> older) { store_ = std::move(older); }

  void Step(Event event);

  // `done` gets no value when the node crashes first.
  using WriteDoneFn = std::function<void(const WriteDone*)>;
  using CallDoneFn = std::function<void(const CallDone*)>;
  Token Expect(WriteDoneFn done);
  Token Expect(CallDoneFn done);

  // Makes writes durable through the same pipeline, then calls `durable` (not after a crash).
  void Commit(WriteSet writes, std::function<void()> durable);

 private:
  struct Group {
    WriteSet writes;
    uint64_t ticket = 0;
    std::function<void()> durable;
  };
  void CarryOut(Effects effects);
  void Enqueue(Group group);
  void StartCommit();
  void FinishCommit();
  void Make(const MakeSnapshot& request);
  void PlanTick(absl::Time wake_at);
  // `what`, unless this life has ended by then.
  void Later(absl::Duration delay, std::function<void()> what);

  size_t index_;
  std::string name_;
  const EngineIdentity* identity_;  // lives as long as the process
  EngineOptions options_;
  DiskSpeed disk_;
  Random random_;
  Schedule& schedule_;
  Trace& trace_;
  Surroundings& surroundings_;

  std::unique_ptr<MemoryStore> store_ = std::make_unique<MemoryStore>();
  std::unique_ptr<Engine> engine_;
  HeapAccount* heap_ = NewHeapAccount();
  uint64_t life_ = 0;
  std::deque<Group> queued_;
  std::vector<Group> committing_;
  absl::Time wake_at_;
  absl::Time tick_planned_;
  Token last_token_ = 0;
  std::map<Token, WriteDoneFn> writes_;
  std::map<Token, CallDoneFn> calls_;
};

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_NODE_H_
