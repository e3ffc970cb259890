#include "tests/sim/faults.h"

#include <algorithm>
#include <utility>

#include "catalog/base/status.h"
#include "guantong/storage/v1/store.pb.h"
#include "tests/sim/identity.h"
#include "tests/sim/scenario.h"

namespace guantong::sim {

namespace {

storage::v1::FeedRecord RecordOf(const MemoryStore& store, const FeedKey& feed) {
  storage::v1::FeedRecord record;
  std::string bytes;
  if (store.Get(FeedRecordKey(feed), &bytes).ok()) record.ParseFromString(bytes);
  return record;
}

bool AtLeast(const v1::Position& a, const v1::Position& b) {
  return std::make_pair(a.epoch().number(), a.sequence()) >=
         std::make_pair(b.epoch().number(), b.sequence());
}

}  // namespace

Faults::Faults(World* world)
    : world_(*world), plan_(world->scenario().faults()), random_(world->RandomFor("faults")) {}

void Faults::Every(absl::Duration mean, std::function<void()> what) {
  if (mean == absl::ZeroDuration()) return;
  world_.schedule().After(random_.Around(mean), [this, mean, what = std::move(what)]() mutable {
    if (!raging_) return;
    what();
    Every(mean, std::move(what));
  });
}

void Faults::Start() {
  raging_ = true;
  ClogSome();
  Every(Seconds(plan_.crash_every_s()), [this] { CrashOne(); });
  Every(Seconds(plan_.cut_every_s()), [this] { CutOne(); });
  Every(Seconds(plan_.restore_every_s()), [this] { BackUpOne(); });
  Every(Seconds(plan_.move_every_s()), [this] { MoveOne(); });
  for (const size_t index : world_.alone()) {
    const absl::Duration lasts = Seconds(world_.scenario().work().lasts_s());
    world_.schedule().After(random_.Between(0.3 * lasts, 0.8 * lasts),
                            [this, index] { world_.JoinAlone(index); });
  }
  if (Seconds(plan_.parent_away_s()) > absl::ZeroDuration()) {
    const size_t edge = random_.Below(world_.network().edges());
    world_.network().Cut(edge);
    world_.schedule().After(Seconds(plan_.parent_away_s()),
                            [this, edge] { world_.network().Mend(edge); });
  }
}

void Faults::ClogSome() {
  if (plan_.slow_link_chance() == 0) return;
  for (size_t edge = 0; edge < world_.network().edges(); ++edge) {
    if (random_.Chance(plan_.slow_link_chance()))
      world_.network().Clog(edge, plan_.slow_bytes_per_second());
  }
}

void Faults::Heal() {
  raging_ = false;
  for (size_t edge = 0; edge < world_.network().edges(); ++edge) world_.network().Clog(edge, 0);
  world_.network().SetWeather(Weather{});
  world_.network().MendAll();
  for (size_t i = 0; i < world_.size(); ++i) {
    if (world_.hostile(i)) {
      world_.Crash(i);
    } else {
      world_.Start(i);
    }
  }
}

void Faults::CrashOne() {
  const size_t index = random_.Below(world_.size());
  world_.Crash(index);
  world_.schedule().After(random_.Between(absl::ZeroDuration(), Seconds(plan_.down_max_s())),
                          [this, index] {
                            if (raging_) world_.Start(index);
                          });
}

void Faults::MoveOne() {
  if (world_.schedule().now() - Dawn() < absl::Seconds(5)) return;  // nothing stands anywhere yet
  const size_t index = random_.Below(world_.size());
  world_.Move(index, random_.Below(world_.size()),
              random_.Between(absl::Milliseconds(100), Seconds(plan_.down_max_s())));
}

void Faults::CutOne() {
  const size_t edge = random_.Below(world_.network().edges());
  // That one is no fault, and its end has its time.
  for (const size_t alone : world_.alone()) {
    if (world_.EdgeOf(alone) == edge) return;
  }
  if (world_.network().IsCut(edge)) return;
  if (random_.Chance(plan_.one_way_chance())) {
    world_.network().CutOneWay(edge, random_.Chance(0.5));
  } else {
    world_.network().Cut(edge);
  }
  world_.schedule().After(random_.Between(absl::Milliseconds(200), Seconds(plan_.cut_max_s())),
                          [this, edge] {
                            if (raging_) world_.network().Mend(edge);
                          });
}

// --- backups -------------------------------------------------------------------------------------

void Faults::BackUpOne() {
  const size_t index = random_.Below(world_.size());
  std::shared_ptr<MemoryStore> backup = world_.node(index).store().Clone();
  world_.schedule().After(
      random_.Between(absl::Seconds(2), absl::Seconds(40)), [this, index, backup] {
        if (!raging_ || !world_.node(index).up()) return;
        RestoreFrom(index, backup->Clone(), random_.Between(absl::Seconds(1), absl::Seconds(20)));
        if (random_.Chance(plan_.restored_twice_chance())) RestoreAgain(index, backup);
      });
}

// Once more the same old store: before, while or after what the first time began has come to its
// end.
void Faults::RestoreAgain(size_t index, std::shared_ptr<MemoryStore> backup) {
  world_.schedule().After(
      random_.Between(absl::Seconds(5), absl::Seconds(60)), [this, index, backup] {
        if (!raging_ || !world_.node(index).up()) return;
        ++world_.ledger().restored_again;
        RestoreFrom(index, backup->Clone(), random_.Between(absl::Seconds(1), absl::Seconds(20)));
      });
}

bool Faults::CanGiveBack(size_t origin, const FeedKey& feed, const MemoryStore& backup) const {
  const v1::Position now = RecordOf(world_.node(origin).store(), feed).head();
  const storage::v1::FeedRecord then = RecordOf(backup, feed);
  if (then.head().epoch().number() == now.epoch().number() &&
      then.head().sequence() == now.sequence())
    return true;
  // An origin that has forgotten even the feed's name cannot ask for it.
  if (then.head().epoch().number() == 0) return false;
  const auto holds = [&](size_t neighbour) {
    if (world_.hostile(neighbour)) return false;
    const storage::v1::FeedRecord held = RecordOf(world_.node(neighbour).store(), feed);
    return held.head().epoch().number() != 0 && AtLeast(held.head(), now) &&
           AtLeast(then.head(), held.log_from());
  };
  const std::vector<size_t>& children = world_.children(origin);
  return (origin != 0 && holds(world_.place(origin).parent)) ||
         std::any_of(children.begin(), children.end(), holds);
}

void Faults::RestoreFrom(size_t index, std::unique_ptr<MemoryStore> backup, absl::Duration down) {
  Ledger& ledger = world_.ledger();
  world_.trace().Note(world_.node(index).name(), "is restored from a backup");
  world_.Crash(index);
  for (Dataset& dataset : ledger.datasets) {
    // What a neighbour has not yet got back may stand here only.
    if (dataset.origin != index && dataset.restored && !world_.TakesWrites(dataset.origin))
      dataset.rewound = true;
    if (dataset.origin != index) continue;
    dataset.restored = true;
    if (plan_.restored_alone() || !CanGiveBack(index, dataset.key, *backup)) dataset.rewound = true;
  }
  ledger.rewound.insert(index);
  for (size_t i = 0; i < ledger.datasets.size(); ++i) ++ledger.openings[{index, i}];
  for (auto& [who, standing] : ledger.subscriptions) {
    if (who.first == index) standing = Standing::kDoubtful;
  }
  ++ledger.restores;
  if (plan_.restored_by_command()) {
    WriteSet mark;
    mark.Put(RestoredKey(), storage::v1::Restored().SerializeAsString());
    GT_CHECK(backup->Commit({mark}).ok());
  } else if (!plan_.restored_alone()) {
    world_.HoldWrites(index);
  }
  world_.node(index).Restore(std::move(backup));
  world_.schedule().After(down, [this, index] { world_.Start(index); });
}

}  // namespace guantong::sim
