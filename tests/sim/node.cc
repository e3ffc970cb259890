#include "tests/sim/node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/snapshot.h"
#include "tests/sim/identity.h"
#include "tests/sim/journal.h"
#include "tests/sim/scenario.h"

namespace guantong::sim {

namespace {

constexpr size_t kSectorBytes = 512;

}  // namespace

Node::Node(size_t index, const EngineIdentity& identity, EngineOptions options, DiskSpeed disk,
           Random random, Schedule* schedule, Trace* trace, Surroundings* surroundings)
    : index_(index),
      name_(DisplayPath(identity.self.path)),
      identity_(&identity),
      options_(std::move(options)),
      disk_(disk),
      random_(std::move(random)),
      schedule_(*schedule),
      trace_(*trace),
      surroundings_(*surroundings) {
  options_.name = name_;
  options_.verify_chain = VerifyChainOnce;
}

void Node::Start() {
  ++life_;
  wake_at_ = absl::InfiniteFuture();
  tick_planned_ = absl::InfiniteFuture();
  trace_.Note(name_, "starts");
  absl::StatusOr<std::unique_ptr<Engine>> engine = [&] {
    const OnAccount booked(heap_);
    return Engine::Create(
        options_, *identity_, store_.get(), [this](size_t bytes) { return random_.Bytes(bytes); },
        schedule_.now());
  }();
  if (!engine.ok())
    return surroundings_.Wrong(
        absl::StrCat(name_, " does not start: ", engine.status().ToString()));
  engine_ = *std::move(engine);
  Step(Tick{});
}

void Node::Crash() {
  trace_.Note(name_, "crashes");
  ++life_;
  engine_.reset();
  std::string journal;
  for (const Group& group : committing_) AppendToJournal(group.writes, &journal);
  journal.resize(random_.Below(journal.size() + 1));
  if (random_.Chance(0.5)) journal += random_.Bytes(random_.Below(kSectorBytes));
  bool torn = false;
  const std::vector<WriteSet> groups = ReadJournal(journal, &torn);
  if (torn) trace_.Note(name_, "has torn its last write");
  GT_CHECK(groups.size() <= committing_.size() && store_->Commit(groups).ok());
  committing_.clear();
  queued_.clear();
  // Whoever waits learns nothing; what they do then may wait again.
  for (auto& [token, done] : std::exchange(writes_, {})) done(nullptr);
  for (auto& [token, done] : std::exchange(calls_, {})) done(nullptr);
}

void Node::Step(Event event) {
  if (!up()) return;
  Effects effects = [&] {
    const OnAccount booked(heap_);
    return engine_->Step(std::move(event), schedule_.now());
  }();
  CarryOut(std::move(effects));
}

Token Node::Expect(WriteDoneFn done) {
  writes_[++last_token_] = std::move(done);
  return last_token_;
}

Token Node::Expect(CallDoneFn done) {
  calls_[++last_token_] = std::move(done);
  return last_token_;
}

void Node::Commit(WriteSet writes, std::function<void()> durable) {
  Enqueue({.writes = std::move(writes), .durable = std::move(durable)});
}

void Node::CarryOut(Effects effects) {
  const uint64_t life = life_;
  GT_CHECK(effects.commit.empty() == (effects.ticket == 0));
  if (effects.ticket != 0) Enqueue({.writes = std::move(effects.commit), .ticket = effects.ticket});
  for (const Notice& notice : effects.notices) trace_.Note(name_, notice.text);
  for (const Send& send : effects.sends) surroundings_.Carry(*this, send);
  for (const CloseLink& close : effects.closes) surroundings_.Close(*this, close);
  for (CallDelivery& delivery : effects.deliveries)
    surroundings_.Execute(*this, std::move(delivery));
  for (const MakeSnapshot& request : effects.snapshots) Make(request);
  for (const WriteDone& done : effects.writes_done) {
    auto node = writes_.extract(done.token);
    if (node.empty())
      return surroundings_.Wrong(absl::StrCat(name_, ": a write is answered twice"));
    node.mapped()(&done);
  }
  for (const CallDone& done : effects.calls_done) {
    auto node = calls_.extract(done.token);
    if (node.empty()) return surroundings_.Wrong(absl::StrCat(name_, ": a call is answered twice"));
    node.mapped()(&done);
  }
  if (life == life_) PlanTick(effects.wake_at);
}

void Node::Later(absl::Duration delay, std::function<void()> what) {
  schedule_.After(delay, [this, life = life_, what = std::move(what)] {
    if (life == life_) what();
  });
}

int64_t Node::bytes_to_commit() const {
  size_t bytes = 0;
  for (const Group& group : queued_) bytes += group.writes.bytes();
  for (const Group& group : committing_) bytes += group.writes.bytes();
  return static_cast<int64_t>(bytes);
}

// --- committing ----------------------------------------------------------------------------------

void Node::Enqueue(Group group) {
  queued_.push_back(std::move(group));
  if (committing_.empty()) StartCommit();
}

void Node::StartCommit() {
  committing_.assign(std::make_move_iterator(queued_.begin()),
                     std::make_move_iterator(queued_.end()));
  queued_.clear();
  Later(random_.Between(Seconds(disk_.commit_min_s()), Seconds(disk_.commit_max_s())),
        [this] { FinishCommit(); });
}

void Node::FinishCommit() {
  std::vector<Group> groups = std::exchange(committing_, {});
  std::vector<WriteSet> writes;
  uint64_t ticket = 0;
  for (Group& group : groups) {
    writes.push_back(std::move(group.writes));
    if (group.ticket != 0) ticket = group.ticket;
  }
  GT_CHECK(store_->Commit(writes).ok());
  if (!queued_.empty()) StartCommit();
  const uint64_t life = life_;
  if (ticket != 0) Step(Committed{.ticket = ticket});
  for (Group& group : groups) {
    if (group.durable && life == life_) group.durable();
  }
}

// --- snapshots, time -----------------------------------------------------------------------------

void Node::Make(const MakeSnapshot& request) {
  // As of now; the worker takes its time, and its chunks go through the commit thread like all
  // else.
  auto chunks = std::make_shared<WriteSet>();
  absl::StatusOr<BuiltSnapshot> built = [&] {
    const std::unique_ptr<Reader> snapshot = store_->Snapshot();
    return BuildSnapshot(*snapshot, request.feed, request.encoding,
                         [&](const std::string& hash, const std::string& chunk) {
                           chunks->Put(ChunkKey(request.feed, hash), chunk);
                           return absl::OkStatus();
                         });
  }();
  Later(random_.Between(absl::ZeroDuration(), Seconds(disk_.snapshot_max_s())),
        [this, feed = request.feed, chunks, built] {
          Commit(std::move(*chunks),
                 [this, feed, built] { Step(SnapshotMade{.feed = feed, .snapshot = built}); });
        });
}

void Node::PlanTick(absl::Time wake_at) {
  wake_at_ = wake_at;
  if (wake_at_ >= tick_planned_) return;
  tick_planned_ = wake_at_;
  schedule_.At(wake_at_, [this, life = life_, planned = tick_planned_] {
    if (life != life_ || planned != tick_planned_) return;
    tick_planned_ = absl::InfiniteFuture();
    if (schedule_.now() >= wake_at_) return Step(Tick{});
    PlanTick(wake_at_);
  });
}

}  // namespace guantong::sim
