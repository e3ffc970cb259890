// Blocks that chunks name: see table_life_test for all of it together, script tests for what a
// neighbour sees.
#include "catalog/block_pins.h"

#include <string>

#include "catalog/memory_store.h"
#include "tests/catch.h"

namespace guantong {
namespace {

const FeedKey kFeed = FeedKey::FromBytes("feedfeedfeedfeed");

// Pins over a store with a block of a batch, and two of a run.
struct Pinned {
  Pinned() {
    WriteSet writes;
    for (const std::string& block : {batch, first, second}) writes.Put(block, "rows");
    Commit(writes);
  }
  void Commit(const WriteSet& writes) { REQUIRE(store.Commit({&writes, 1}).ok()); }
  template <typename Change>
  void Do(const Change& change) {
    WriteSet writes;
    change(&writes);
    Commit(writes);
  }
  bool Has(const std::string& key) const {
    std::string value;
    return store.Get(key, &value).ok();
  }
  void Restart() {
    pins = BlockPins(kFeed);
    REQUIRE(LoadPins(store, [this](const FeedKey& feed) {
              return feed == kFeed ? &pins : nullptr;
            }).ok());
  }

  const std::string batch = LogBlockKey(kFeed, 1, 10);
  const std::string run = OwnBlockPrefix(kFeed, 3);
  const std::string first = OwnBlockKey(kFeed, 3, "k1");
  const std::string second = OwnBlockKey(kFeed, 3, "k2");
  MemoryStore store;
  BlockPins pins{kFeed};
};

TEST_CASE("block pins: what nobody names goes when it is let go of") {
  Pinned set;
  set.Do([&](WriteSet* writes) {
    set.pins.LetGo(set.batch, writes);
    set.pins.LetGo(set.run, writes);
  });
  for (const std::string& block : {set.batch, set.first, set.second}) CHECK_FALSE(set.Has(block));
  CHECK(set.pins.empty());
}

TEST_CASE("block pins: a name keeps a block, or all of its run, through restarts") {
  Pinned set;
  set.Do([&](WriteSet* writes) {
    set.pins.Name({.hash = "1", .block = set.first}, writes);
    set.pins.Name({.hash = "2", .block = set.batch}, writes);
  });
  set.Do([&](WriteSet* writes) {
    set.pins.LetGo(set.batch, writes);
    set.pins.LetGo(set.run, writes);
  });
  set.Restart();
  set.Do([&](WriteSet* writes) { set.pins.Settle(writes); });
  for (const std::string& block : {set.batch, set.first, set.second}) {
    CHECK(set.Has(block));
    CHECK(set.pins.Left(block));
  }
  CHECK(*set.pins.Find("2") == set.batch);
  set.Do(
      [&](WriteSet* writes) { set.pins.Unname([](const std::string&) { return false; }, writes); });
  for (const std::string& block : {set.batch, set.first, set.second}) CHECK_FALSE(set.Has(block));
  CHECK(set.pins.empty());
  set.Restart();
  CHECK(set.pins.empty());
}

TEST_CASE("block pins: of a run that is left a block goes with its own name") {
  Pinned set;
  set.Do([&](WriteSet* writes) {
    set.pins.Name({.hash = "1", .block = set.first}, writes);
    set.pins.Name({.hash = "2", .block = set.second}, writes);
    set.pins.LetGo(set.run, writes);
  });
  const std::string again = OwnBlockKey(kFeed, 4, "k1");
  set.Do([&](WriteSet* writes) {
    writes->Put(again, "rows");
    set.pins.Name({.hash = "1", .block = again}, writes);
  });
  CHECK_FALSE(set.Has(set.first));
  CHECK(set.Has(set.second));
  CHECK(*set.pins.Find("1") == again);
  set.Do([&](WriteSet* writes) { set.pins.LetGo(OwnBlockPrefix(kFeed, 4), writes); });
  CHECK(set.Has(again));
}

TEST_CASE("block pins: while a snapshot is made all is left, and goes if that does not name it") {
  Pinned set;
  set.pins.LeaveAll();
  set.Do([&](WriteSet* writes) {
    set.pins.LetGo(set.batch, writes);
    set.pins.LetGo(set.run, writes);
  });
  CHECK((set.Has(set.batch) && set.Has(set.first)));
  SECTION("a name") {
    set.Do([&](WriteSet* writes) {
      set.pins.Name({.hash = "1", .block = set.second}, writes);
      set.pins.Settle(writes);
    });
    CHECK_FALSE(set.Has(set.batch));
    CHECK(set.Has(set.second));
  }
  SECTION("a crash before") {
    set.Restart();
    set.Do([&](WriteSet* writes) { set.pins.Settle(writes); });
    CHECK_FALSE((set.Has(set.batch) || set.Has(set.first)));
    CHECK(set.pins.empty());
  }
}

TEST_CASE("block pins: a block that the log has taken back is its again") {
  Pinned set;
  set.Do([&](WriteSet* writes) {
    set.pins.Name({.hash = "1", .block = set.batch}, writes);
    set.pins.LetGo(set.batch, writes);
  });
  set.Do([&](WriteSet* writes) { set.pins.TakeBack(set.batch, writes); });
  set.Do([&](WriteSet* writes) {
    set.pins.Unname([](const std::string&) { return false; }, writes);
    set.pins.Settle(writes);
  });
  CHECK(set.Has(set.batch));
  CHECK(set.pins.empty());
  set.Restart();
  CHECK(set.pins.empty());
}

TEST_CASE("block pins: with all blocks of batches go their names") {
  Pinned set;
  set.Do([&](WriteSet* writes) {
    set.pins.Name({.hash = "1", .block = set.batch}, writes);
    set.pins.Name({.hash = "2", .block = set.first}, writes);
    set.pins.LetGo(set.batch, writes);
    set.pins.LetGo(set.run, writes);
  });
  set.Do([&](WriteSet* writes) { set.pins.LogBlocksGone(writes); });
  set.Restart();
  CHECK(set.pins.Find("1") == nullptr);
  CHECK_FALSE(set.pins.Left(set.batch));
  CHECK(set.pins.Find("2") != nullptr);
  CHECK(set.pins.Left(set.first));
}

}  // namespace
}  // namespace guantong
