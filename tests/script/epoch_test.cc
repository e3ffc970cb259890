// Epochs: an origin whose store is older than what it has told, or that has told two stories.

#include "absl/strings/str_cat.h"
#include "catalog/batch.h"
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

struct BackedUpPair : Pair {
  BackedUpPair() {
    PushTo(stage, d, {{"k1", "one"}});
    stage.Settle();
    backup = stage.store("A").Clone();
    PushTo(stage, d, {{"k2", "two"}});
    stage.Settle();
    stage.Said();
  }
  // A comes back with the store of before the second push.
  void Restore() {
    stage.Restart("A", std::move(backup));
    stage.Settle();
    stage.Said();
  }
  std::unique_ptr<MemoryStore> backup;
};

TEST_CASE("a restored origin takes its tail back and opens an epoch") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  pair.Restore();
  stage.Link("B", "A");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: interest all: +scope / +D have 1.4
    A -> B: fetch D after 1.3
    B -> A: batch D 1.4..4
    A -> B: batch D 2.1..2
    A -> B: ack D 2.2
    B -> A: ack D 2.2
  )"));
  CHECK(RowsAt(stage, "A", pair.d) == "k1=one k2=two");
  CHECK(stage.Noticed("A", "taking them back"));
  PushTo(stage, pair.d, {{"k3", "three"}});
  stage.Settle();
  CHECK(RowsAt(stage, "B", pair.d) == "k1=one k2=two k3=three");
}

TEST_CASE("while the tail is taken back nothing is accepted") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  pair.Restore();
  stage.Lose("A", "B", "fetch D");
  stage.Link("B", "A");
  stage.Settle();
  stage.Said();
  v1::RowBatch rows;
  rows.add_changes()->set_key("k9");
  stage.Step("A", PushRows{.feed = pair.d.key,
                           .base_commit = 1,
                           .push_id = "p",
                           .payload = rows.SerializeAsString(),
                           .token = 1});
  CHECK(stage.Said() == "A done: feed_recovering");
  // Asked for again it comes.
  stage.Pass(absl::Seconds(7));
  CHECK(RowsAt(stage, "A", pair.d) == "k1=one k2=two");
}

TEST_CASE("what was announced and never shown ends the wait, once") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  v1::Frame offer;
  v1::FeedPosition* position = offer.mutable_sync_offer()->add_ranges()->add_positions();
  offer.mutable_sync_offer()->mutable_ranges(0)->set_listed(true);
  position->set_feed_key(pair.d.key.str());
  position->mutable_position()->mutable_epoch()->set_number(5);
  position->mutable_position()->mutable_epoch()->set_id("0123456789abcdef");
  position->mutable_position()->set_sequence(1);
  position->mutable_position()->set_chain_hash(std::string(32, 'x'));
  stage.Inject("B", "A", offer);
  stage.Settle();
  stage.Pass(absl::Seconds(31));
  CHECK(stage.Noticed("A", "announced and never came"));
  PushTo(stage, pair.d, {{"k3", "three"}});
  stage.Inject("B", "A", offer);
  stage.Settle();
  PushTo(stage, pair.d, {{"k4", "four"}});
  stage.Settle();
  CHECK(RowsAt(stage, "B", pair.d) == "k1=one k2=two k3=three k4=four");
}

// B says that it holds D up to `sequence` of epoch 5.
void Announce(Stage& stage, const PlayedDataset& d, uint64_t sequence) {
  v1::Frame offer;
  v1::FeedPosition* position = offer.mutable_sync_offer()->add_ranges()->add_positions();
  offer.mutable_sync_offer()->mutable_ranges(0)->set_listed(true);
  position->set_feed_key(d.key.str());
  position->mutable_position()->mutable_epoch()->set_number(5);
  position->mutable_position()->mutable_epoch()->set_id("0123456789abcdef");
  position->mutable_position()->set_sequence(sequence);
  position->mutable_position()->set_chain_hash(std::string(32, 'x'));
  stage.Inject("B", "A", offer);
  stage.Settle();
}

TEST_CASE("who announces and goes away is not waited for, nor who announces ever more") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  SECTION("it goes away") {
    Announce(stage, pair.d, 1);
    stage.Cut("B", "A");
    stage.Pass(absl::Seconds(31));
  }
  SECTION("it comes and goes") {
    for (int i = 0; i < 6; ++i) {
      Announce(stage, pair.d, 1);
      stage.Cut("B", "A");
      stage.Pass(absl::Seconds(5));
      stage.Link("B", "A");
      stage.Settle();
    }
    stage.Pass(absl::Seconds(1));
  }
  SECTION("it announces more each time") {
    for (uint64_t i = 1; i < 32; ++i) {
      Announce(stage, pair.d, i);
      stage.Pass(absl::Seconds(1));
    }
  }
  CHECK(stage.Noticed("A", "announced and never came"));
  PushTo(stage, pair.d, {{"k3", "three"}});
  stage.Settle();
  CHECK(RowsAt(stage, "A", pair.d) == "k1=one k2=two k3=three");
}

TEST_CASE("who has shown a part and is away is waited for") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  PushTo(stage, pair.d, {{"k3", "three"}});
  stage.Settle();
  pair.Restore();
  // Of two batches the second is lost, and then the link.
  stage.Lose("B", "A", "batch D 1.5..5");
  stage.Link("B", "A");
  stage.Settle();
  CHECK(RowsAt(stage, "A", pair.d) == "k1=one k2=two");
  stage.Cut("B", "A");
  stage.Pass(absl::Minutes(9));
  CHECK_FALSE(stage.Noticed("A", "announced and never came"));
  stage.Link("B", "A");
  stage.Pass(absl::Seconds(16));
  CHECK(RowsAt(stage, "A", pair.d) == "k1=one k2=two k3=three");
  CHECK(stage.Noticed("A", "own records taken back"));
}

TEST_CASE("a liar's claim does not cost what another neighbour really holds") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  stage.Add("C", "c");
  stage.Link("C", "A");
  stage.Settle();
  SubscribeTo(stage, "C", pair.d);
  stage.Settle();
  PushTo(stage, pair.d, {{"k3", "three"}});
  stage.Settle();
  pair.Restore();
  stage.Link("B", "A");
  stage.Cut("C", "A");
  stage.Lose("B", "A", "interest");
  Announce(stage, pair.d, 1000);
  stage.Cut("B", "A");
  stage.Pass(absl::Seconds(20));
  stage.Link("C", "A");
  stage.Pass(absl::Seconds(40));
  CHECK(RowsAt(stage, "A", pair.d) == "k1=one k2=two k3=three");
  PushTo(stage, pair.d, {{"k4", "four"}});
  stage.Settle();
  CHECK(RowsAt(stage, "C", pair.d) == "k1=one k2=two k3=three k4=four");
}

TEST_CASE("an origin that has forgotten a dataset is given it back by who holds it") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("B", "b");
  stage.Link("B", "A");
  stage.Settle();
  auto backup = stage.store("A").Clone();
  PlayedDataset d = OpenDataset(stage, "A", "D");
  SubscribeTo(stage, "B", d);
  stage.Settle();
  PushTo(stage, d, {{"k1", "one"}});
  stage.Settle();
  stage.Restart("A", std::move(backup));
  stage.Said();
  stage.Link("B", "A");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: interest all: +scope / +D have 1.3
    A -> B: fetch D after nothing
    B -> A: batch D 1.1..2
    B -> A: batch D 1.3..3
    A -> B: ack D 1.2
    A -> B: ack D 2.2
  )"));
  CHECK(RowsAt(stage, "A", d) == "k1=one");
}

TEST_CASE("a restored origin that wrote alone opens an epoch, and its copies load it anew") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  pair.Restore();
  stage.Pass(absl::Minutes(2));
  PushTo(stage, pair.d, {{"k3", "other"}}, "another push");
  stage.Settle();
  stage.Said();
  stage.Link("B", "A");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: interest all: +scope / +D have 1.4
    A -> B: batch D 1.4..4
    B -> A: batch D 1.4..4
    A -> B: manifest D at 2.2 chunks 1
    B -> A: chunk? D
    A -> B: chunk D
    B -> A: ack D 2.2
  )"));
  CHECK(RowsAt(stage, "A", pair.d) == "k1=one k3=other");
  CHECK(RowsAt(stage, "B", pair.d) == "k1=one k3=other");
  // Both sides say what was superseded.
  CHECK(stage.Noticed("A", "another history"));
  storage::v1::FeedRecord record;
  for (const char* name : {"A", "B"}) {
    std::string bytes;
    REQUIRE(stage.store(name).Get(FeedRecordKey(pair.d.key), &bytes).ok());
    REQUIRE(record.ParseFromString(bytes));
    CHECK(record.superseded().sequence() == 4);
  }
}

TEST_CASE("a fork is reported by a relay that sees it between two neighbours") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("R", "r");
  stage.Add("X", "r/x");
  stage.Link("R", "A");
  stage.Link("X", "R");
  PlayedDataset d = OpenDataset(stage, "A", "D");
  SubscribeTo(stage, "X", d);
  stage.Settle();
  auto backup = stage.store("A").Clone();
  PushTo(stage, d, {{"k1", "first"}});
  stage.Settle();
  stage.Cut("R", "A");
  stage.Restart("A", std::move(backup));
  stage.Pass(absl::Minutes(2));
  PushTo(stage, d, {{"k1", "second"}}, "another push");
  PushTo(stage, d, {{"k2", "third"}}, "a third push");
  stage.Settle();
  stage.Link("R", "A");
  stage.Pass(absl::Minutes(2));
  CHECK(RowsAt(stage, "A", d) == RowsAt(stage, "X", d));
}

TEST_CASE("a push that an epoch cuts in two is made whole again") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  pair.Restore();
  stage.Pass(absl::Minutes(2));
  PushTo(stage, pair.d, {{"k3", "other"}}, "another push");
  stage.Settle();
  WriteSet staged;
  for (uint32_t part = 0; part < 2; ++part) {
    v1::RowBatch rows;
    rows.add_changes()->set_key(absl::StrCat("p", part));
    rows.mutable_changes(0)->set_row("push");
    staged.Put(StagedKey(pair.d.key, "staged", part), rows.SerializeAsString());
  }
  REQUIRE(stage.store("A").Commit({&staged, 1}).ok());
  stage.HoldCommits("A");
  stage.Step("A", PushRows{.feed = pair.d.key,
                           .base_commit = 2,
                           .push_id = "staged",
                           .staged = 2,
                           .rows_after = 4,
                           .token = 1});
  stage.Link("B", "A");
  stage.Settle();
  stage.ReleaseCommits("A");
  stage.Pass(absl::Minutes(3));
  CHECK(RowsAt(stage, "A", pair.d) == "k1=one k3=other p0=push p1=push");
  CHECK(RowsAt(stage, "B", pair.d) == "k1=one k3=other p0=push p1=push");
}

// C, another child, shows a batch that A has signed in another history, as a store that was copied
// would have it.
void ShowFork(Stage& stage) {
  const EngineIdentity& signer = stage.identity("A");
  const v1::Frame last = stage.Last("A", "B", "batch D 1.4..4");
  v1::BatchHeader header;
  REQUIRE(header.ParseFromString(last.batch().header()));
  header.set_push_id("another push");
  v1::RowBatch rows;
  rows.add_changes()->set_key("k9");
  rows.mutable_changes(0)->set_row("other");
  header.set_compression(v1::COMPRESSION_NONE);
  std::string hash;
  v1::Frame frame;
  *frame.mutable_batch() =
      SealBatch(header, rows.SerializeAsString(), signer.key, signer.self.network, &hash);
  stage.Inject("C", "A", frame);
}

TEST_CASE("a copy that was away gets the rest of its epoch before the next one") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  stage.Cut("B", "A");
  PushTo(stage, pair.d, {{"k3", "three"}});
  stage.Settle();
  // What A remembers without its log begins with the new epoch.
  stage.Restart("A");
  stage.Add("C", "c");
  stage.Link("C", "A");
  stage.Pass(absl::Minutes(2));
  ShowFork(stage);
  stage.Settle();
  stage.Said();
  stage.Link("B", "A");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    B -> A: interest all: +scope / +D have 1.4
    A -> B: batch D 1.5..5
    A -> B: batch D 2.1..2
    B -> A: ack D 1.5
    B -> A: ack D 2.2
  )"));
}

TEST_CASE("a push that an epoch has cut in two is made whole after a crash, too") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  stage.Add("C", "c");
  stage.Link("C", "A");
  stage.Pass(absl::Minutes(2));
  WriteSet staged;
  for (uint32_t part = 0; part < 3; ++part) {
    v1::RowBatch rows;
    rows.add_changes()->set_key(absl::StrCat("p", part));
    rows.mutable_changes(0)->set_row("push");
    staged.Put(StagedKey(pair.d.key, "staged", part), rows.SerializeAsString());
  }
  REQUIRE(stage.store("A").Commit({&staged, 1}).ok());
  stage.Step("A", PushRows{.feed = pair.d.key,
                           .base_commit = 2,
                           .push_id = "staged",
                           .staged = 3,
                           .rows_after = 5,
                           .token = 1});
  REQUIRE(stage.PlayOne());  // the first part is durable, the second ordered
  stage.HoldCommits("A");
  ShowFork(stage);
  while (!stage.Noticed("A", "another history")) REQUIRE(stage.PlayOne());
  stage.ReleaseCommits("A");
  REQUIRE(stage.PlayOne());  // the second part
  REQUIRE(stage.PlayOne());  // the epoch
  stage.Restart("A");
  stage.Link("B", "A");
  stage.Pass(absl::Minutes(1));
  CHECK(RowsAt(stage, "A", pair.d) == "k1=one k2=two p0=push p1=push p2=push");
  CHECK(RowsAt(stage, "B", pair.d) == "k1=one k2=two p0=push p1=push p2=push");
}

TEST_CASE("a neighbour's word does not make an origin open an epoch") {
  BackedUpPair pair;
  Stage& stage = pair.stage;
  stage.Add("C", "c");
  stage.Link("C", "A");
  stage.Pass(absl::Minutes(2));
  std::string bytes;
  storage::v1::FeedRecord record;
  REQUIRE(stage.store("A").Get(FeedRecordKey(pair.d.key), &bytes).ok());
  REQUIRE(record.ParseFromString(bytes));
  v1::Frame interest;
  v1::FeedWanted* wanted = interest.mutable_interest()->add_add()->mutable_feed();
  *wanted->mutable_feed() = pair.d.feed;
  *wanted->mutable_have() = record.head();
  wanted->mutable_have()->set_chain_hash(std::string(32, 'x'));
  stage.Inject("C", "A", interest);
  stage.Settle();
  PushTo(stage, pair.d, {{"k3", "three"}});
  stage.Settle();
  REQUIRE(stage.store("A").Get(FeedRecordKey(pair.d.key), &bytes).ok());
  REQUIRE(record.ParseFromString(bytes));
  CHECK(record.head().epoch().number() == 1);
  CHECK(record.forks() == 0);
}

TEST_CASE("an origin whose clock is ahead of its parent's signs nothing until it is right") {
  Stage stage;
  stage.Add("P", "");
  stage.Add("A", "a");
  stage.Link("A", "P");
  stage.Settle();
  PlayedDataset d = OpenDataset(stage, "A", "D");
  PushTo(stage, d, {{"k1", "one"}});
  stage.Settle();
  stage.Said();
  v1::Frame hello;
  hello.mutable_hello()->set_clock_unix_ms(absl::ToUnixMillis(stage.now() - absl::Minutes(11)));
  stage.Inject("P", "A", hello);
  stage.Settle();
  CHECK(stage.Noticed("A", "nothing is signed"));
  stage.Said();
  v1::RowBatch rows;
  rows.add_changes()->set_key("k2");
  stage.Step("A", PushRows{.feed = d.key,
                           .base_commit = 1,
                           .push_id = "p",
                           .payload = rows.SerializeAsString(),
                           .token = 1});
  CHECK(stage.Said() == "A done: clock_ahead");
  hello.mutable_hello()->set_clock_unix_ms(absl::ToUnixMillis(stage.now()));
  stage.Inject("P", "A", hello);
  stage.Settle();
  PushTo(stage, d, {{"k2", "two"}});
  stage.Settle();
  CHECK(RowsAt(stage, "A", d) == "k1=one k2=two");
}

}  // namespace
}  // namespace guantong
