// The checkers see what they are for: worlds are damaged by hand, behind the engine's back.
#include "guantong/storage/v1/store.pb.h"
#include "tests/catch.h"
#include "tests/sim/checkers.h"
#include "tests/sim/workload.h"
#include "tests/sim/world.h"

namespace guantong::sim {
namespace {

// A calm world with one dataset of node 0, subscribed to by the last node, a push away from rest.
struct Damaged {
  Damaged() : world(Plan(), 5, nullptr), workload(&world) {
    REQUIRE(dataset().origin != copy());
    workload.OpenDatasets();
    Pass(1);
    workload.Subscribe(world.size() - 1, 0);
    workload.Push(0);
    Pass(20);
  }
  static Scenario Plan() {
    Scenario scenario = *LoadScenario("calm/small");
    scenario.mutable_work()->set_datasets(1);
    scenario.mutable_work()->set_unshared_chance(0);
    return scenario;
  }
  void Pass(int seconds) { world.schedule().RunUntil(world.schedule().now() + absl::Seconds(seconds)); }
  // Puts into the store of the last node what its engine never wrote.
  void Damage(WriteSet writes) {
    world.node(world.size() - 1).Commit(std::move(writes), [] {});
    Pass(1);
  }
  const Dataset& dataset() { return world.ledger().datasets[0]; }
  size_t copy() const { return world.size() - 1; }

  World world;
  Workload workload;
};

std::string RowInBase(const Damaged& damaged, const FeedKey& feed, const std::string& key) {
  std::string bytes;
  storage::v1::TableRecord record;
  REQUIRE(damaged.world.node(damaged.copy()).store().Get(TableKey(feed), &bytes).ok());
  REQUIRE(record.ParseFromString(bytes));
  return RowKeyIn(feed, record.runs(record.runs_size() - 1), key);
}

TEST_CASE("an undamaged world passes all checkers") {
  Damaged damaged;
  CHECK(AwaitsTables(damaged.world).empty());
  CHECK(AwaitsCatalogs(damaged.world).empty());
  for (size_t i = 0; i < damaged.world.size(); ++i) {
    Probe(damaged.world, i);
    CheckChains(damaged.world, i);
  }
  CHECK(damaged.world.wrong().empty());
}

TEST_CASE("half a push is seen") {
  Damaged damaged;
  WriteSet writes;
  writes.Put(RowInBase(damaged, damaged.dataset().key, MarkKeys()[2]), MarkRow(99));
  damaged.Damage(std::move(writes));
  Probe(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("half a push"));
}

TEST_CASE("an invented row is seen") {
  Damaged damaged;
  WriteSet writes;
  writes.Put(RowInBase(damaged, damaged.dataset().key, "invented"), "row");
  damaged.Damage(std::move(writes));
  Probe(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("not those after this push"));
}

TEST_CASE("a batch missing from a log is seen") {
  Damaged damaged;
  damaged.workload.Push(0);
  damaged.Pass(5);
  damaged.workload.Push(0);
  damaged.Pass(5);
  const std::string prefix = LogPrefix(damaged.dataset().key);
  const size_t origin = damaged.dataset().origin;
  std::string first;
  {
    auto cursor = damaged.world.node(origin).store().Scan(prefix, PrefixEnd(prefix));
    cursor->Next();
    first = std::string(cursor->key());
  }
  WriteSet writes;
  writes.Delete(first);
  damaged.world.node(origin).Commit(std::move(writes), [] {});
  damaged.Pass(1);
  CheckChains(damaged.world, origin);
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("does not follow"));
}

TEST_CASE("a feed where nobody may have it is seen") {
  Damaged damaged;
  damaged.world.ledger().ever_subscribed.clear();
  Probe(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("nobody behind it may have"));
}

TEST_CASE("a copy that stays behind is seen") {
  Damaged damaged;
  damaged.world.network().Cut(damaged.world.EdgeOf(damaged.copy()));
  damaged.workload.Push(0);
  damaged.Pass(30);
  CHECK_THAT(AwaitsTables(damaged.world), Catch::Contains("it stands at push 1"));
  damaged.world.network().MendAll();
  damaged.Pass(30);
  CHECK(AwaitsTables(damaged.world).empty());
}

}  // namespace
}  // namespace guantong::sim
