// Batches over one link, and over a relay: order, repeats, gaps, when what may be said.
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

TEST_CASE("the first batch of a dataset, then a delta") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("B", "b");
  stage.Link("B", "A");
  stage.Settle();
  stage.Said();
  PlayedDataset d = OpenDataset(stage, "A", "D");
  SubscribeTo(stage, "B", d);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: interest +D have nothing
    A -> B: batch D 1.1..2
    B -> A: ack D 1.2
  )"));
  PushTo(stage, d, {{"k1", "one"}, {"k2", "two"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.3..4
    B -> A: ack D 1.4
  )"));
  CHECK(RowsAt(stage, "B", d) == "k1=one k2=two");
}

TEST_CASE("a repeated batch is acknowledged and not applied again") {
  Pair pair;
  PushTo(pair.stage, pair.d, {{"k1", "one"}});
  PushTo(pair.stage, pair.d, {{"k2", "two"}});
  pair.stage.Settle();
  PushTo(pair.stage, pair.d, {{"k1", "three"}});
  pair.stage.Settle();
  pair.stage.Said();
  pair.stage.Repeat("A", "B", "batch D 1.3..3");
  pair.stage.Settle();
  CHECK(pair.stage.Said() == Lines(R"(
    A => B: batch D 1.3..3
    B -> A: ack D 1.4
  )"));
  CHECK(RowsAt(pair.stage, "B", pair.d) == "k1=three");
}

TEST_CASE("a gap is refused and sent again, once") {
  Pair pair;
  Stage& stage = pair.stage;
  stage.Lose("A", "B", "batch D 1.3..3");
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  PushTo(stage, pair.d, {{"k2", "two"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.3..3 (lost)
    A -> B: batch D 1.4..4
    B -> A: nack D GAP have 1.2
    A -> B: batch D 1.3..3
    A -> B: batch D 1.4..4
    B -> A: ack D 1.3
    B -> A: ack D 1.4
  )"));
  CHECK(RowsAt(stage, "B", pair.d) == "k1=one k2=two");
}

TEST_CASE("the last batch is lost: the sender repeats what is not acknowledged in time") {
  Pair pair;
  Stage& stage = pair.stage;
  stage.Lose("A", "B", "batch D 1.3..3");
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Pass(absl::Seconds(14));
  CHECK(stage.Said() == "A -> B: batch D 1.3..3 (lost)");
  stage.Pass(absl::Seconds(2));
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.3..3
    B -> A: ack D 1.3
  )"));
}

// Rows of so many bytes that do not become fewer.
std::vector<std::pair<std::string, std::string>> LargeRows(const std::string& key, size_t bytes) {
  std::string row;
  for (uint64_t x = bytes; row.size() < bytes; x = x * 6364136223846793005u + 1442695040888963407u)
    row.push_back(static_cast<char>(x >> 56));
  return {{key, row}};
}

TEST_CASE("a small delta passes a large batch of another dataset that is under way") {
  Pair pair;
  Stage& stage = pair.stage;
  PlayedDataset e = OpenDataset(stage, "A", "E");
  SubscribeTo(stage, "B", e);
  stage.Settle();
  stage.Said();
  stage.HoldBulk("A", "B");
  PushTo(stage, pair.d, LargeRows("k1", 20'000));
  PushTo(stage, e, {{"k1", "one"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.3..3
    A -> B: batch E 1.3..3
    B -> A: ack E 1.3
  )"));
  CHECK(RowsAt(stage, "B", e) == "k1=one");
  stage.ReleaseBulk();
  stage.Settle();
  CHECK(stage.Said() == "B -> A: ack D 1.3");
}

TEST_CASE("within a dataset nothing passes: small waits behind large, and large behind small") {
  Pair pair;
  Stage& stage = pair.stage;
  stage.HoldBulk("A", "B");
  PushTo(stage, pair.d, LargeRows("k1", 20'000));
  stage.Settle();
  PushTo(stage, pair.d, {{"k1", "two"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.3..3
    A -> B: batch D 1.4..4
  )"));
  stage.ReleaseBulk();
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: ack D 1.3
    B -> A: ack D 1.4
  )"));
  // The large one after a small one goes when that has been acknowledged.
  stage.HoldCommits("B");
  PushTo(stage, pair.d, {{"k1", "three"}});
  stage.Settle();
  PushTo(stage, pair.d, LargeRows("k2", 20'000));
  stage.Settle();
  PushTo(stage, pair.d, {{"k2", "last"}});
  stage.Settle();
  CHECK(stage.Said() == "A -> B: batch D 1.5..5");
  stage.ReleaseCommits("B");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: ack D 1.5
    A -> B: batch D 1.6..6
    A -> B: batch D 1.7..7
    B -> A: ack D 1.6
    B -> A: ack D 1.7
  )"));
  CHECK(RowsAt(stage, "B", pair.d) == "k1=three k2=last");
}

TEST_CASE("a full window lets small deltas of other datasets pass, within a window of their own") {
  EngineOptions options;
  options.link_window_bytes = 10'000;
  options.urgent_window_bytes = 400;
  Stage stage;
  stage.Add("A", "", options);
  stage.Add("B", "b");
  stage.Link("B", "A");
  std::map<std::string, PlayedDataset> sets;
  for (const char* name : {"D", "E", "F", "G"}) {
    sets[name] = OpenDataset(stage, "A", name);
    SubscribeTo(stage, "B", sets[name]);
  }
  stage.Settle();
  stage.Said();
  stage.HoldBulk("A", "B");
  stage.HoldCommits("B");
  PushTo(stage, sets["D"], LargeRows("k1", 20'000));
  stage.Settle();
  PushTo(stage, sets["D"], LargeRows("k2", 20'000));
  stage.Settle();
  for (const char* name : {"E", "F", "G"}) PushTo(stage, sets[name], {{"k1", "one"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.3..3
    A -> B: batch E 1.3..3
    A -> B: batch F 1.3..3
  )"));
  stage.ReleaseCommits("B");
  stage.Settle();
  CHECK(RowsAt(stage, "B", sets["G"]) == "k1=one");
  CHECK(RowsAt(stage, "B", sets["D"]) == "");
  stage.ReleaseBulk();
  stage.Settle();
  for (const char* name : {"E", "F", "G"}) CHECK(RowsAt(stage, "B", sets[name]) == "k1=one");
}

TEST_CASE("the repeat of a push that goes on by itself is told when it has ended") {
  Pair pair;
  Stage& stage = pair.stage;
  WriteSet staged;
  for (uint32_t i = 0; i < 3; ++i) {
    v1::RowBatch rows;
    rows.add_changes()->set_key(std::string(1, static_cast<char>('a' + i)));
    rows.mutable_changes(0)->set_row("row");
    staged.Put(StagedKey(pair.d.key, "p", i), rows.SerializeAsString());
  }
  REQUIRE(stage.store("A").Commit({&staged, 1}).ok());
  stage.Step("A", PushRows{.feed = pair.d.key, .push_id = "p", .staged = 3, .rows_after = 3});
  REQUIRE(stage.PlayOne());  // the first payload, and the promise to go on
  stage.Restart("A");
  stage.HoldCommits("A");
  stage.Said();
  stage.Step("A", AwaitPush{.feed = pair.d.key, .push_id = "p", .token = 1});
  stage.Step("A", AwaitPush{.feed = pair.d.key, .push_id = "another", .token = 2});
  stage.Settle();
  CHECK(stage.Said() == "");
  stage.ReleaseCommits("A");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A done: OK
    A done: OK
  )"));
  CHECK(RowsAt(stage, "A", pair.d) == "a=row b=row c=row");
  // Ended and durable: at once.
  stage.Step("A", AwaitPush{.feed = pair.d.key, .push_id = "p", .token = 3});
  CHECK(stage.Said() == "A done: OK");
}

TEST_CASE("pushes joined in one batch: the batch names them all, each has its result") {
  Pair pair;
  Stage& stage = pair.stage;
  v1::RowBatch rows;
  for (const char* key : {"a", "b", "c"}) {
    v1::RowChange* change = rows.add_changes();
    change->set_key(key);
    change->set_row("row");
  }
  const std::vector<std::string> ids = {"first", "second", "third"};
  PushRows event{.feed = pair.d.key,
                 .push_id = ids[2],
                 .payload = rows.SerializeAsString(),
                 .rows_after = 3,
                 .token = 1};
  event.record.set_content_digest(ids[2]);
  for (size_t n = 0; n < 2; ++n) {
    event.joined.push_back({.push_id = ids[n], .record = {}});
    event.joined.back().record.set_content_digest(ids[n]);
  }
  stage.Step("A", std::move(event));
  stage.Settle();
  CHECK(RowsAt(stage, "B", pair.d) == "a=row b=row c=row");

  v1::BatchHeader header;
  REQUIRE(header.ParseFromString(stage.Last("A", "B", "batch D 1.3..5").batch().header()));
  CHECK(header.push_id() == ids[2]);
  CHECK(
      std::vector<std::string>(header.joined_push_ids().begin(), header.joined_push_ids().end()) ==
      std::vector<std::string>{ids[0], ids[1]});
  for (const std::string& id : ids) {
    std::string bytes;
    storage::v1::PushRecord record;
    REQUIRE(stage.store("A").Get(PushKey(pair.d.key, id), &bytes).ok());
    REQUIRE(record.ParseFromString(bytes));
    CHECK(record.content_digest() == id);
    CHECK(record.response().commit() == 1);
    CHECK(record.response().position().sequence() == 5);
    CHECK(record.has_at());
  }
  size_t aged = 0;
  const std::string ages = KindPrefix('Q');
  auto cursor = stage.store("A").Scan(ages, PrefixEnd(ages));
  for (; cursor->Valid(); cursor->Next()) ++aged;
  CHECK(aged == ids.size());
}

TEST_CASE("an origin sends a batch after its commit, a copy acknowledges after its own") {
  Pair pair;
  Stage& stage = pair.stage;
  stage.HoldCommits("A");
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  CHECK(stage.Said().empty());
  stage.HoldCommits("B");
  stage.ReleaseCommits("A");
  stage.Settle();
  CHECK(stage.Said() == "A -> B: batch D 1.3..3");
  stage.ReleaseCommits("B");
  stage.Settle();
  CHECK(stage.Said() == "B -> A: ack D 1.3");
}

TEST_CASE("a copy that crashed before its commit gets the batch again") {
  Pair pair;
  Stage& stage = pair.stage;
  stage.HoldCommits("B");
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  stage.Restart("B");
  stage.ReleaseCommits("B");
  stage.Said();
  stage.Link("B", "A");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: interest all: +scope /b
    A -> B: batch D 1.3..3
    B -> A: ack D 1.3
  )"));
  CHECK(RowsAt(stage, "B", pair.d) == "k1=one");
}

TEST_CASE("two subscribers behind one link: the link carries a batch once") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("R", "r");
  stage.Add("X", "r/x");
  stage.Add("Y", "r/y");
  stage.Link("R", "A");
  stage.Link("X", "R");
  stage.Link("Y", "R");
  PlayedDataset d = OpenDataset(stage, "A", "D");
  stage.Said();
  SubscribeTo(stage, "X", d);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    X -> R: interest +D have nothing
    R -> A: interest +D have nothing
    A -> R: batch D 1.1..2
    R -> X: batch D 1.1..2
    R -> A: ack D 1.2
    X -> R: ack D 1.2
  )"));
  SubscribeTo(stage, "Y", d);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    Y -> R: interest +D have nothing
    R -> Y: batch D 1.1..2
    Y -> R: ack D 1.2
  )"));
  PushTo(stage, d, {{"k1", "one"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> R: batch D 1.3..3
    R -> X: batch D 1.3..3
    R -> Y: batch D 1.3..3
    R -> A: ack D 1.3
    X -> R: ack D 1.3
    Y -> R: ack D 1.3
  )"));
  CHECK(RowsAt(stage, "R", d) == "no table");
  // The wish ends with the last who has it.
  stage.Step("X", Unsubscribe{.code = "D:1", .drop_data = true});
  stage.Settle();
  CHECK(stage.Said() == "X -> R: interest -D");
  CHECK(RowsAt(stage, "X", d) == "no table");
  stage.Step("Y", Unsubscribe{.code = "D:1"});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    Y -> R: interest -D
    R -> A: interest -D
  )"));
  PushTo(stage, d, {{"k1", "two"}});
  stage.Settle();
  CHECK(stage.Said().empty());
  CHECK(RowsAt(stage, "Y", d) == "k1=one");
}

TEST_CASE("a copy that subscribes again goes on from where it stands") {
  Pair pair;
  Stage& stage = pair.stage;
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Step("B", Unsubscribe{.code = "D:1"});
  stage.Settle();
  PushTo(stage, pair.d, {{"k2", "two"}});
  stage.Settle();
  stage.Said();
  SubscribeTo(stage, "B", pair.d);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: interest +D have 1.3
    A -> B: batch D 1.4..4
    B -> A: ack D 1.4
  )"));
}

TEST_CASE("a new session with equal positions lists nothing and sends nothing") {
  Pair pair;
  Stage& stage = pair.stage;
  stage.Cut("A", "B");
  stage.Said();
  stage.ShowAll();
  stage.Link("B", "A");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: hello
    B -> A: offer []1
    A -> B: hello
    A -> B: offer []0
  )"));
}

TEST_CASE("a new session after a delta lists the range that differs") {
  Pair pair;
  Stage& stage = pair.stage;
  stage.Cut("A", "B");
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  stage.Said();
  stage.ShowAll();
  stage.Link("B", "A");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: hello
    B -> A: offer []1
    A -> B: hello
    A -> B: offer []0
    A -> B: ask [] list
    B -> A: offer []1 D@1.2
    A -> B: chain
    A -> B: batch D 1.3..3
    B -> A: ack D 1.3
  )"));
}

TEST_CASE("the newest session wins") {
  Pair pair;
  Stage& stage = pair.stage;
  stage.Link("B", "A");
  stage.Settle();
  CHECK(stage.Said() == "B closes the link: a newer session of this neighbour began");
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.3..3
    B -> A: ack D 1.3
  )"));
}

// A, over B, to C.
struct Relayed {
  Relayed() {
    stage.Add("A", "");
    stage.Add("B", "b");
    stage.Add("C", "b/c");
    stage.Link("B", "A");
    stage.Link("C", "B");
    stage.Settle();
    d = OpenDataset(stage, "A", "D");
    SubscribeTo(stage, "C", d);
    stage.Settle();
    stage.Said();
  }

  Stage stage;
  PlayedDataset d;
};

TEST_CASE("a relay sends on before it has committed, and acknowledges when it has") {
  Relayed relayed;
  Stage& stage = relayed.stage;
  stage.HoldCommits("B");
  PushTo(stage, relayed.d, {{"k1", "one"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.3..3
    B -> C: batch D 1.3..3
    C -> B: ack D 1.3
  )"));
  CHECK(RowsAt(stage, "C", relayed.d) == "k1=one");
  stage.ReleaseCommits("B");
  stage.Settle();
  CHECK(stage.Said() == "B -> A: ack D 1.3");
}

TEST_CASE("an origin sends nothing before it has committed") {
  Relayed relayed;
  Stage& stage = relayed.stage;
  stage.HoldCommits("A");
  PushTo(stage, relayed.d, {{"k1", "one"}});
  stage.Settle();
  CHECK(stage.Said() == "");
  stage.ReleaseCommits("A");
  stage.Settle();
  CHECK(RowsAt(stage, "C", relayed.d) == "k1=one");
}

TEST_CASE("a relay that loses power behind who has it already gets it back, and all goes on") {
  Relayed relayed;
  Stage& stage = relayed.stage;
  stage.HoldCommits("B");
  PushTo(stage, relayed.d, {{"k1", "one"}});
  stage.Settle();
  stage.Restart("B");
  stage.ReleaseCommits("B");
  stage.Said();
  SECTION("from whom it has sent it to") {
    stage.Link("C", "B");
    stage.Settle();
    CHECK(stage.Said() == Lines(R"(
      C -> B: interest all: +scope / +D have 1.3
      B -> C: fetch D after 1.2
      C -> B: batch D 1.3..3
      B -> C: ack D 1.3
    )"));
    stage.Link("B", "A");
  }
  SECTION("from where it had it") {
    stage.Link("B", "A");
    stage.Settle();
    stage.Link("C", "B");
  }
  stage.Settle();
  stage.Said();
  PushTo(stage, relayed.d, {{"k2", "two"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.4..4
    B -> C: batch D 1.4..4
    B -> A: ack D 1.4
    C -> B: ack D 1.4
  )"));
  CHECK(RowsAt(stage, "C", relayed.d) == "k1=one k2=two");
}

}  // namespace
}  // namespace guantong
