// Snapshots: for who is new or too far behind, over relays, without a window in which a delta could
// be lost.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

// A has dataset D with a row; R relays between A and X.
struct Line {
  explicit Line(EngineOptions options = {}) {
    stage.Add("A", "", options);
    stage.Add("R", "r", options);
    stage.Add("X", "r/x", options);
    stage.Link("R", "A");
    stage.Link("X", "R");
    d = OpenDataset(stage, "A", "D");
    PushTo(stage, d, {{"k1", "one"}});
    stage.Settle();
    stage.Said();
  }
  Stage stage;
  PlayedDataset d;
};

TEST_CASE("a new subscriber gets the snapshot, then the tail") {
  Line line;
  Stage& stage = line.stage;
  SubscribeTo(stage, "X", line.d);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    X -> R: interest +D have nothing
    R -> A: interest +D have nothing
    A -> R: manifest D at 1.3 chunks 1
    R -> X: manifest D at 1.3 chunks 1
    R -> A: ack D 1.3
    X -> R: chunk? D
    R -> A: chunk? D
    A -> R: chunk D
    R -> X: chunk D
    X -> R: ack D 1.3
  )"));
  PushTo(stage, line.d, {{"k2", "two"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> R: batch D 1.4..4
    R -> X: batch D 1.4..4
    R -> A: ack D 1.4
    X -> R: ack D 1.4
  )"));
  CHECK(RowsAt(stage, "X", line.d) == "k1=one k2=two");
}

TEST_CASE("what is pushed while the snapshot travels follows it") {
  Line line;
  Stage& stage = line.stage;
  stage.Lose("A", "R", "chunk D");
  SubscribeTo(stage, "X", line.d);
  stage.Settle();
  PushTo(stage, line.d, {{"k1", "changed"}, {"k2", "two"}});
  stage.Settle();
  stage.Said();
  CHECK(RowsAt(stage, "X", line.d).empty());
  // The chunk is asked for again.
  stage.Pass(absl::Seconds(6));
  CHECK(stage.Said() == Lines(R"(
    X -> R: chunk? D
    R -> A: chunk? D
    A -> R: chunk D
    R -> X: chunk D
    X -> R: ack D 1.3
    R -> X: batch D 1.4..5
    X -> R: ack D 1.5
  )"));
  CHECK(RowsAt(stage, "X", line.d) == "k1=changed k2=two");
}

TEST_CASE("the second subscriber behind a relay costs the origin nothing") {
  Line line;
  Stage& stage = line.stage;
  stage.Add("Y", "r/y");
  stage.Link("Y", "R");
  SubscribeTo(stage, "X", line.d);
  stage.Settle();
  stage.Said();
  SubscribeTo(stage, "Y", line.d);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    Y -> R: interest +D have nothing
    R -> Y: manifest D at 1.3 chunks 1
    Y -> R: chunk? D
    R -> Y: chunk D
    Y -> R: ack D 1.3
  )"));
}

TEST_CASE("a relay that subscribes itself loads the snapshot and forwards on") {
  Line line;
  Stage& stage = line.stage;
  SubscribeTo(stage, "X", line.d);
  stage.Settle();
  SubscribeTo(stage, "R", line.d);
  stage.Settle();
  PushTo(stage, line.d, {{"k2", "two"}});
  stage.Settle();
  CHECK(RowsAt(stage, "R", line.d) == "k1=one k2=two");
  CHECK(RowsAt(stage, "X", line.d) == "k1=one k2=two");
}

TEST_CASE(
    "a relay that subscribes and crashes before its snapshot takes no delta into an empty table") {
  Line line;
  Stage& stage = line.stage;
  SubscribeTo(stage, "X", line.d);
  stage.Settle();
  stage.Lose("A", "R", "manifest");
  SubscribeTo(stage, "R", line.d);
  stage.Settle();
  stage.Restart("R");
  stage.Link("R", "A");
  stage.Link("X", "R");
  stage.Settle();
  PushTo(stage, line.d, {{"k2", "two"}});
  stage.Pass(absl::Minutes(1));
  CHECK(RowsAt(stage, "R", line.d) == "k1=one k2=two");
}

TEST_CASE("a child away for longer than the log reaches comes back by snapshot") {
  EngineOptions options;
  options.feed_log_bytes_max = 800;
  Line line(options);
  Stage& stage = line.stage;
  SubscribeTo(stage, "X", line.d);
  stage.Settle();
  stage.Cut("X", "R");
  for (int i = 0; i < 12; ++i) {
    PushTo(stage, line.d, {{"k1", absl::StrCat("v", i)}});
    stage.Settle();
  }
  stage.Said();
  stage.Link("X", "R");
  stage.Pass(absl::Minutes(1));
  const std::string said = stage.Said();
  CHECK_THAT(said, Catch::Contains("manifest D at 1.15"));
  CHECK_THAT(said, !Catch::Contains("batch D 1.4"));
  CHECK(RowsAt(stage, "X", line.d) == "k1=v11");
}

TEST_CASE("a half push is in no snapshot and in no reader's sight") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("B", "b");
  stage.Link("B", "A");
  PlayedDataset d = OpenDataset(stage, "A", "D");
  SubscribeTo(stage, "B", d);
  stage.Settle();
  WriteSet staged;
  for (uint32_t part = 0; part < 3; ++part) {
    v1::RowBatch rows;
    rows.add_changes()->set_key(absl::StrCat("k", part));
    rows.mutable_changes(0)->set_row("push");
    staged.Put(StagedKey(d.key, "staged", part), rows.SerializeAsString());
  }
  REQUIRE(stage.store("A").Commit({&staged, 1}).ok());
  stage.Lose("A", "B", "batch D 1.5..5");
  stage.Said();
  stage.Step(
      "A", PushRows{.feed = d.key, .push_id = "staged", .staged = 3, .rows_after = 3, .token = 1});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.3..3 open
    A -> B: batch D 1.4..4 open
    A -> B: batch D 1.5..5 (lost)
    A done: OK
    B -> A: ack D 1.3
    B -> A: ack D 1.4
  )"));
  CHECK(RowsAt(stage, "B", d).empty());
  CHECK(RowsAt(stage, "A", d) == "k0=push k1=push k2=push");
  stage.Pass(absl::Seconds(20));
  CHECK(RowsAt(stage, "B", d) == "k0=push k1=push k2=push");
}

TEST_CASE("a push in several parts goes on after a crash in its middle") {
  Stage stage;
  stage.Add("A", "");
  PlayedDataset d = OpenDataset(stage, "A", "D");
  WriteSet staged;
  for (uint32_t part = 0; part < 3; ++part) {
    v1::RowBatch rows;
    rows.add_changes()->set_key(absl::StrCat("k", part));
    rows.mutable_changes(0)->set_row("push");
    staged.Put(StagedKey(d.key, "staged", part), rows.SerializeAsString());
  }
  REQUIRE(stage.store("A").Commit({&staged, 1}).ok());
  stage.Step(
      "A", PushRows{.feed = d.key, .push_id = "staged", .staged = 3, .rows_after = 3, .token = 1});
  // The first part is on disk, the second ordered and lost.
  CHECK(stage.PlayOne());
  stage.Restart("A");
  stage.Settle();
  CHECK(RowsAt(stage, "A", d) == "k0=push k1=push k2=push");
}

TEST_CASE("who asks for a snapshot of what is still to come stops the feed for nobody") {
  Line line;
  Stage& stage = line.stage;
  SubscribeTo(stage, "R", line.d);
  SubscribeTo(stage, "X", line.d);
  stage.Settle();
  v1::Frame fetch;
  *fetch.mutable_fetch()->mutable_feed() = line.d.feed;
  fetch.mutable_fetch()->set_snapshot(true);
  fetch.mutable_fetch()->mutable_after()->mutable_epoch()->set_number(1);
  fetch.mutable_fetch()->mutable_after()->set_sequence(900);
  stage.Inject("X", "R", fetch);
  stage.Settle();
  PushTo(stage, line.d, {{"k2", "two"}});
  stage.Settle();
  CHECK(RowsAt(stage, "R", line.d) == "k1=one k2=two");
  CHECK(RowsAt(stage, "X", line.d) == "k1=one k2=two");
}

TEST_CASE(
    "a relay that passes a snapshot on, and that no log reaches any more, gets it for itself at "
    "once") {
  const EngineOptions options{.feed_log_bytes_max = 600, .manifest_idle = absl::Seconds(5)};
  Line line(options);
  Stage& stage = line.stage;
  stage.Add("Y", "r/x/y", options);
  stage.Link("Y", "X");
  SubscribeTo(stage, "Y", line.d);
  stage.Settle();
  stage.Pass(absl::Minutes(2));  // nobody holds the first snapshot any more
  // X gets none of these, and R's log forgets the first of them.
  for (int push = 0; push < 8; ++push) {
    PushTo(stage, line.d, {{"k2", std::string(100, static_cast<char>('a' + push))}});
    stage.Lose("R", "X", "batch D");
    stage.Settle();
  }
  REQUIRE(RowsAt(stage, "Y", line.d) == "k1=one");
  v1::Frame fetch;
  *fetch.mutable_fetch()->mutable_feed() = line.d.feed;
  fetch.mutable_fetch()->set_snapshot(true);
  stage.Inject("Y", "X", fetch);
  stage.Settle();
  PushTo(stage, line.d, {{"k2", "two"}});
  stage.Settle();
  CHECK(RowsAt(stage, "Y", line.d) == "k1=one k2=two");
}

TEST_CASE("chunks are asked of one neighbour in turn by dataset, within a window") {
  EngineOptions options;
  options.link_window_bytes = 1;  // one at a time
  Stage stage;
  stage.Add("A", "");
  stage.Add("B", "b");
  stage.Link("B", "A");
  std::vector<PlayedDataset> sets;
  for (const char* name : {"D", "E"}) {
    sets.push_back(OpenDataset(stage, "A", name));
    // Chunks end at half a megabyte.
    for (int i = 0; i < 4; ++i) {
      PushTo(stage, sets.back(),
             {{absl::StrCat("k", i), std::string(400'000, static_cast<char>('a' + i))}});
      stage.Settle();
    }
  }
  // The snapshots are made when the first asks for them.
  for (const PlayedDataset& set : sets) SubscribeTo(stage, "B", set);
  stage.Settle();
  stage.Add("C", "c", options);
  stage.Link("C", "A");
  stage.Settle();
  stage.Said();
  for (const PlayedDataset& set : sets) SubscribeTo(stage, "C", set);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    C -> A: interest +D have nothing
    C -> A: interest +E have nothing
    A -> C: manifest D at 1.6 chunks 4
    A -> C: manifest E at 1.6 chunks 4
    C -> A: chunk? D
    A -> C: chunk D
    C -> A: chunk? D
    A -> C: chunk D
    C -> A: chunk? E
    A -> C: chunk E
    C -> A: chunk? D
    A -> C: chunk D
    C -> A: chunk? E
    A -> C: chunk E
    C -> A: chunk? D
    A -> C: chunk D
    C -> A: chunk? E
    C -> A: ack D 1.6
    A -> C: chunk E
    C -> A: chunk? E
    A -> C: chunk E
    C -> A: ack E 1.6
  )"));
}

// Bytes that no compression makes fewer.
std::string Noise(size_t bytes) {
  std::string noise;
  for (int i = 0; noise.size() < bytes; ++i) noise += Sha256(absl::StrCat(i));
  noise.resize(bytes);
  return noise;
}

TEST_CASE("a chunk that has not come yet holds its window, and is not asked for again") {
  EngineOptions options;
  options.link_window_bytes = 1;
  Stage stage;
  stage.Add("A", "");
  stage.Add("B", "b", options);
  stage.Link("B", "A");
  PlayedDataset d = OpenDataset(stage, "A", "D");
  PushTo(stage, d, {{"k1", Noise(400'000)}});
  stage.Settle();
  PushTo(stage, d, {{"k2", Noise(400'000)}});
  stage.Settle();
  stage.Lose("A", "B", "chunk D");
  SubscribeTo(stage, "B", d);
  stage.Settle();
  CHECK(absl::StrContains(stage.Said(), "A -> B: chunk D (lost)"));
  // 400,000 bytes take 80 s on the slowest line.
  stage.Pass(absl::Seconds(75));
  CHECK_FALSE(absl::StrContains(stage.Said(), "chunk? D"));
  stage.Pass(absl::Seconds(15));
  CHECK(RowsAt(stage, "B", d).size() == 800'007);
}

}  // namespace
}  // namespace guantong
