// The checkers see what they are for: worlds are damaged by hand, behind the engine's back.
#include "tests/sim/checkers.h"

#include <algorithm>

#include "guantong/storage/v1/store.pb.h"
#include "tests/catch.h"
#include "tests/sim/journal.h"
#include "tests/sim/workload.h"
#include "tests/sim/world.h"

namespace guantong::sim {
namespace {

// A calm world with one dataset of node 0, subscribed to by the last node, a push away from rest.
struct Damaged {
  explicit Damaged(const Scenario& scenario = Plan())
      : world(scenario, 5, nullptr), workload(&world) {
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
  void Pass(int seconds) {
    world.schedule().RunUntil(world.schedule().now() + absl::Seconds(seconds));
  }
  // One more, which reaches the copy by its log.
  void PushOnce() {
    workload.Push(0);
    Pass(5);
  }
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

// A row in front of the table of the copy.
WriteSet RowInFront(const Damaged& damaged, const FeedKey& feed, const std::string& key,
                    const std::string& row) {
  std::string bytes;
  storage::v1::TableRecord record;
  REQUIRE(damaged.world.node(damaged.copy()).store().Get(TableKey(feed), &bytes).ok());
  REQUIRE(record.ParseFromString(bytes));
  const uint32_t run = record.next_run();
  record.set_next_run(run + 1);
  storage::v1::RunInfo* info = record.add_infos();
  info->set_run(run);
  info->set_rows(1);
  record.add_runs(run);
  std::rotate(record.mutable_runs()->begin(), record.mutable_runs()->end() - 1,
              record.mutable_runs()->end());
  WriteSet writes;
  writes.Put(TableKey(feed), record.SerializeAsString());
  writes.Put(RowKeyIn(feed, run, key), row);
  return writes;
}

TEST_CASE("an undamaged world passes all checkers") {
  Damaged damaged;
  CHECK(AwaitsTables(damaged.world).empty());
  CHECK(AwaitsCatalogs(damaged.world).empty());
  for (size_t i = 0; i < damaged.world.size(); ++i) {
    Probe(damaged.world, i);
    CheckChains(damaged.world, i);
    CheckTwice(damaged.world, i);
    CheckInvented(damaged.world, i);
    CheckOrder(damaged.world, i);
    CheckBounds(damaged.world, i);
  }
  CHECK(damaged.world.wrong().empty());
}

// The newest batch of a log once more behind itself, as `change` makes it.
void LogAgain(Damaged& damaged, const FeedKey& feed,
              const std::function<void(v1::BatchHeader&)>& change) {
  const std::string prefix = LogPrefix(feed);
  v1::SignedBatch batch;
  for (auto cursor = damaged.world.node(damaged.copy()).store().Scan(prefix, PrefixEnd(prefix));
       cursor->Valid(); cursor->Next()) {
    REQUIRE(batch.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())));
  }
  v1::BatchHeader header;
  REQUIRE((header.ParseFromString(batch.header()) && header.last() > 0));
  change(header);
  batch.set_header(header.SerializeAsString());
  WriteSet writes;
  writes.Put(LogKey(feed, header.epoch().number(), header.last() + 1), batch.SerializeAsString());
  damaged.Damage(std::move(writes));
}

TEST_CASE("a push that ends twice is seen") {
  Damaged damaged;
  damaged.PushOnce();
  LogAgain(damaged, damaged.dataset().key, [](v1::BatchHeader&) {});
  CheckTwice(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("ends twice"));
}

TEST_CASE("a record that stands in a log twice is seen") {
  Damaged damaged;
  while (damaged.world.ledger().records < 2) {
    damaged.workload.Publish(damaged.copy());
    damaged.Pass(1);
  }
  v1::FeedId catalog;
  catalog.set_origin(damaged.world.node(damaged.copy()).id());
  catalog.set_kind(v1::FEED_KIND_CATALOG_OPEN);
  LogAgain(damaged, FeedKey::Of(catalog), [](v1::BatchHeader&) {});
  CheckTwice(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("stands in the log twice"));
}

TEST_CASE("a push that nobody made is seen") {
  Damaged damaged;
  damaged.PushOnce();
  LogAgain(damaged, damaged.dataset().key,
           [](v1::BatchHeader& header) { header.set_push_id(PushId(99)); });
  CheckInvented(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("which nobody made"));
}

TEST_CASE("a record that nobody asked for is seen") {
  Damaged damaged;
  while (damaged.world.ledger().records < 2) {
    damaged.workload.Publish(damaged.copy());
    damaged.Pass(1);
  }
  damaged.world.ledger().entries.clear();
  CheckInvented(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("which nobody asked for"));
}

TEST_CASE("commits out of order are seen") {
  Damaged damaged;
  damaged.PushOnce();
  LogAgain(damaged, damaged.dataset().key, [](v1::BatchHeader& header) { header.set_commit(0); });
  CheckOrder(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("commit 0 after"));
}

TEST_CASE("a copy that goes back is seen") {
  Damaged damaged;
  std::unique_ptr<MemoryStore> older = damaged.world.node(damaged.copy()).store().Clone();
  damaged.workload.Push(0);
  damaged.Pass(10);
  Probe(damaged.world, damaged.copy());
  REQUIRE(damaged.world.wrong().empty());
  // Nobody says so in the ledger.
  damaged.world.network().Cut(damaged.world.EdgeOf(damaged.copy()));
  damaged.world.Crash(damaged.copy());
  damaged.world.node(damaged.copy()).Restore(std::move(older));
  damaged.world.Start(damaged.copy());
  Probe(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("was before"));
}

TEST_CASE("books that do not count the log are seen") {
  Damaged damaged;
  damaged.PushOnce();
  LogAgain(damaged, damaged.dataset().key, [](v1::BatchHeader&) {});
  CheckBounds(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("its log has"));
}

TEST_CASE("a log beyond its bound is seen") {
  Scenario scenario = Damaged::Plan();
  scenario.mutable_engine()->set_feed_log_bytes_max(2000);
  scenario.mutable_engine()->set_link_window_bytes(1000);
  Damaged damaged(scenario);
  const FeedKey feed = damaged.dataset().key;
  std::string bytes;
  storage::v1::FeedRecord record;
  REQUIRE(damaged.world.node(damaged.copy()).store().Get(FeedRecordKey(feed), &bytes).ok());
  REQUIRE(record.ParseFromString(bytes));
  WriteSet writes;
  for (uint64_t i = 1; i <= 10; ++i) {
    v1::SignedBatch batch;
    batch.set_payload(std::string(1000, 'x'));
    writes.Put(LogKey(feed, record.head().epoch().number(), record.head().sequence() + i),
               batch.SerializeAsString());
    record.set_log_bytes(record.log_bytes() + 1000);
    record.set_log_batches(record.log_batches() + 1);
  }
  writes.Put(FeedRecordKey(feed), record.SerializeAsString());
  damaged.Damage(std::move(writes));
  CheckBounds(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("a log of"));
}

TEST_CASE("an engine that holds more than its feeds need is seen") {
  Damaged damaged;
  storage::v1::StoredInterest interest;
  interest.set_code(std::string(3 << 20, 'x'));
  damaged.world.node(damaged.copy()).Step(Subscribe{.interest = interest});
  damaged.Pass(1);
  CheckBounds(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("its engine holds"));
}

TEST_CASE("a link with more under way than its window is seen") {
  Damaged damaged;
  v1::Frame frame;
  frame.mutable_chunk()->set_data(std::string(500'000, 'x'));
  const auto bytes = std::make_shared<const std::string>(frame.SerializeAsString());
  // The first session's ends are links 1 and 2.
  for (int i = 0; i < 30; ++i) {
    static_cast<Surroundings&>(damaged.world)
        .Carry(damaged.world.node(0), {.link = 1, .lane = v1::LANE_BULK, .frame = bytes});
  }
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("under way on one link"));
}

TEST_CASE("what a crash tore is thrown away, what was whole stays") {
  WriteSet one, two;
  one.Put("a", "1");
  one.Delete("b");
  two.DeleteRange("c", "d");
  std::string journal;
  AppendToJournal(one, &journal);
  const size_t whole = journal.size();
  AppendToJournal(two, &journal);
  bool torn = true;
  CHECK(ReadJournal(journal, &torn).size() == 2);
  CHECK_FALSE(torn);
  for (size_t cut = whole + 1; cut < journal.size(); ++cut) {
    const std::vector<WriteSet> left = ReadJournal(journal.substr(0, cut) + "rubbish", &torn);
    REQUIRE(left.size() == 1);
    CHECK(torn);
    CHECK(left[0].ops().size() == 2);
  }
  journal[whole / 2] ^= 1;
  CHECK(ReadJournal(journal, &torn).empty());
}

TEST_CASE("half a push is seen") {
  Damaged damaged;
  damaged.Damage(RowInFront(damaged, damaged.dataset().key, MarkKeys()[2], MarkRow(99)));
  Probe(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains("half a push"));
}

TEST_CASE("an invented row is seen") {
  Damaged damaged;
  damaged.Damage(RowInFront(damaged, damaged.dataset().key, "invented", "row"));
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

TEST_CASE("a block that is nobody's is seen, and a name of one that is gone") {
  Damaged damaged;
  const FeedKey feed = damaged.dataset().key;
  WriteSet writes;
  const char* what = "";
  SECTION("of a batch") {
    writes.Put(LogBlockKey(feed, 1, 9999), "rows");
    what = "a block of a batch is nobody's";
  }
  SECTION("of a run") {
    writes.Put(OwnBlockKey(feed, 999, "key"), "rows");
    what = "a block of a run is nobody's";
  }
  SECTION("gone") {
    writes.Put(ChunkNameKey(feed, "hash"), OwnBlockKey(feed, 999, "key"));
    what = "a chunk names a block that is gone";
  }
  SECTION("another") {
    writes.Put(OwnBlockKey(feed, 999, "key"), "rows");
    writes.Put(LeftKey(feed, OwnBlockPrefix(feed, 999)), "");
    writes.Put(ChunkNameKey(feed, "hash"), OwnBlockKey(feed, 999, "key"));
    what = "a chunk names another block";
  }
  damaged.Damage(std::move(writes));
  CheckBlocks(damaged.world, damaged.copy());
  CHECK_THAT(damaged.world.wrong(), Catch::Contains(what));
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
