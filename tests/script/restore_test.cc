// Restores with several neighbours: what each of them has to tell first, and what is set aside.
#include <optional>

#include "absl/strings/ascii.h"
#include "catalog/batch.h"
#include "guantong/v1/entry.pb.h"
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

// A with two children, both subscribed; C has one push more than B when A falls back to a backup.
struct Three {
  Three() {
    for (const char* child : {"B", "C"}) {
      if (child[0] == 'B') stage.Add("A", "");
      stage.Add(child, absl::AsciiStrToLower(child));
      stage.Link(child, "A");
    }
    // Whom it has admitted an origin knows.
    std::vector<v1::Record> members(2);
    members[0].mutable_member()->set_path("b");
    members[0].mutable_member()->set_node_id(stage.identity("B").self.node_id);
    members[1].mutable_member()->set_path("c");
    members[1].mutable_member()->set_node_id(stage.identity("C").self.node_id);
    stage.Step(
        "A", AppendRecords{
                 .kind = v1::FEED_KIND_MEMBERSHIP, .records = members, .extra = {}, .author = ""});
    d = OpenDataset(stage, "A", "D");
    SubscribeTo(stage, "B", d);
    SubscribeTo(stage, "C", d);
    PushTo(stage, d, {{"k1", "one"}});
    stage.Settle();
    backup = stage.store("A").Clone();
    PushTo(stage, d, {{"k2", "two"}});
    stage.Settle();
    stage.Cut("B", "A");
    PushTo(stage, d, {{"k3", "three"}});
    stage.Settle();
  }
  void Restore(std::optional<bool> told_alone = std::nullopt) {
    if (told_alone.has_value()) {
      storage::v1::Restored restored;
      restored.set_alone(*told_alone);
      WriteSet writes;
      writes.Put(RestoredKey(), restored.SerializeAsString());
      REQUIRE(backup->Commit({&writes, 1}).ok());
    }
    stage.Restart("A", std::move(backup));
    stage.Settle();
    stage.Said();
  }
  storage::v1::FeedRecord RecordAt(const std::string& name) {
    std::string bytes;
    storage::v1::FeedRecord record;
    REQUIRE(stage.store(name).Get(FeedRecordKey(d.key), &bytes).ok());
    REQUIRE(record.ParseFromString(bytes));
    return record;
  }
  Stage stage;
  PlayedDataset d;
  std::unique_ptr<MemoryStore> backup;
};

TEST_CASE("a restored origin hears every neighbour before it opens an epoch") {
  Three three;
  Stage& stage = three.stage;
  three.Restore();
  // B knows less than C and comes first.
  stage.Link("B", "A");
  stage.Settle();
  CHECK(RowsAt(stage, "A", three.d) == "k1=one k2=two");
  CHECK(three.RecordAt("A").head().epoch().number() == 1);
  stage.Link("C", "A");
  stage.Settle();
  stage.Pass(absl::Seconds(2));
  CHECK(RowsAt(stage, "A", three.d) == "k1=one k2=two k3=three");
  CHECK(RowsAt(stage, "B", three.d) == "k1=one k2=two k3=three");
  CHECK(three.RecordAt("A").head().epoch().number() == 2);
}

TEST_CASE(
    "a neighbour that stays away delays the epoch by a quarter of a minute, and what it held is "
    "listed when it returns") {
  Three three;
  Stage& stage = three.stage;
  three.Restore();
  stage.Link("B", "A");
  stage.Pass(absl::Seconds(20));
  REQUIRE(three.RecordAt("A").head().epoch().number() == 2);
  PushTo(stage, three.d, {{"k4", "four"}});
  stage.Settle();
  stage.Link("C", "A");
  stage.Pass(absl::Seconds(30));
  CHECK(RowsAt(stage, "C", three.d) == "k1=one k2=two k4=four");
  for (const char* name : {"A", "C"}) {
    CHECK(three.RecordAt(name).superseded_batches() == 1);
    CHECK(three.RecordAt(name).superseded().sequence() == 5);
    std::string bytes;
    CHECK(stage.store(name).Get(SupersededKey(three.d.key, 1, 5), &bytes).ok());
  }
  CHECK(stage.Noticed("A", "a later epoch has cut off"));
  CHECK(three.RecordAt("B").superseded_batches() == 0);
}

TEST_CASE("a store made by a restore takes nothing in before its neighbours have told") {
  Three three;
  Stage& stage = three.stage;
  three.Restore(false);
  stage.Pass(absl::Minutes(20));
  v1::RowBatch rows;
  rows.add_changes()->set_key("k9");
  stage.Step("A", PushRows{.feed = three.d.key,
                           .base_commit = 1,
                           .push_id = "p",
                           .payload = rows.SerializeAsString(),
                           .token = 1});
  CHECK(stage.Said() == "A done: feed_recovering");
  stage.Link("B", "A");
  stage.Link("C", "A");
  stage.Pass(absl::Seconds(3));
  CHECK(RowsAt(stage, "A", three.d) == "k1=one k2=two k3=three");
  std::string bytes;
  CHECK(!stage.store("A").Get(RestoredKey(), &bytes).ok());
  PushTo(stage, three.d, {{"k4", "four"}});
  stage.Settle();
  CHECK(RowsAt(stage, "C", three.d) == "k1=one k2=two k3=three k4=four");
}

TEST_CASE("restored with nobody to wait for, an origin goes on in a new epoch at once") {
  Three three;
  Stage& stage = three.stage;
  three.Restore(true);
  stage.Pass(absl::Seconds(1));
  CHECK(three.RecordAt("A").head().epoch().number() == 2);
  stage.Link("C", "A");
  stage.Pass(absl::Seconds(30));
  CHECK(RowsAt(stage, "C", three.d) == "k1=one");
  CHECK(three.RecordAt("A").superseded_batches() == 2);
}

// The origin is the shorter of the two, and its last record is not in the longer one.
TEST_CASE("a shorter history that has forked is found, though it only seems to be behind") {
  Three three;
  Stage& stage = three.stage;
  stage.Cut("C", "A");
  stage.Restart("A", std::move(three.backup));
  stage.Pass(absl::Minutes(2));
  PushTo(stage, three.d, {{"k8", "other"}}, "another push");
  stage.Settle();
  stage.Link("C", "A");
  stage.Pass(absl::Seconds(40));
  CHECK(RowsAt(stage, "A", three.d) == "k1=one k8=other");
  CHECK(RowsAt(stage, "C", three.d) == "k1=one k8=other");
  CHECK(three.RecordAt("A").forks() == 1);
  CHECK(three.RecordAt("A").superseded_batches() == 2);
}

v1::Record EntryOf(const EngineIdentity& node, const std::string& name) {
  v1::CatalogEntry entry;
  entry.set_code("3070120337/630000000001");
  entry.set_node(node.self.node_id);
  entry.set_name(name);
  v1::Record record;
  record.set_entry(entry.SerializeAsString());
  return record;
}

std::string EntryAt(Stage& stage, const std::string& name, const EngineIdentity& origin) {
  v1::FeedId id;
  id.set_origin(origin.self.node_id);
  id.set_kind(v1::FEED_KIND_CATALOG_OPEN);
  std::string bytes;
  v1::CatalogEntry entry;
  if (!stage.store(name).Get(EntryKey(FeedKey::Of(id), "3070120337/630000000001"), &bytes).ok())
    return "none";
  entry.ParseFromString(bytes);
  return entry.name();
}

// B's catalogue begins after the backup of B was made.
struct Forgotten {
  Forgotten() {
    stage.Add("A", "");
    stage.Add("B", "b");
    stage.Link("B", "A");
    stage.Settle();
    backup = stage.store("B").Clone();
    Write("first");
    stage.Settle();
  }
  void Write(const std::string& name) {
    stage.Step("B", AppendRecords{.kind = v1::FEED_KIND_CATALOG_OPEN,
                                  .records = {EntryOf(stage.identity("B"), name)},
                                  .token = 7});
  }
  Stage stage;
  std::unique_ptr<MemoryStore> backup;
};

TEST_CASE(
    "a feed that a restored origin has forgotten is taken back though somebody wrote to it too "
    "early") {
  Forgotten forgotten;
  Stage& stage = forgotten.stage;
  WriteSet mark;
  mark.Put(RestoredKey(), storage::v1::Restored().SerializeAsString());
  REQUIRE(forgotten.backup->Commit({mark}).ok());
  stage.Restart("B", std::move(forgotten.backup));
  stage.Said();
  forgotten.Write("too early");
  stage.Settle();
  CHECK(stage.Said() == "B done: feed_recovering");
  stage.Link("B", "A");
  stage.Pass(absl::Seconds(40));
  CHECK(EntryAt(stage, "B", stage.identity("B")) == "first");
  forgotten.Write("second");
  stage.Settle();
  CHECK(EntryAt(stage, "A", stage.identity("B")) == "second");
}

TEST_CASE(
    "a fork shown while the last epoch is younger than a minute is answered when it is older") {
  Forgotten forgotten;
  Stage& stage = forgotten.stage;
  stage.Restart("B", std::move(forgotten.backup));
  forgotten.Write("another history");
  stage.Settle();
  stage.Link("B", "A");
  stage.Pass(absl::Seconds(200));
  CHECK(EntryAt(stage, "A", stage.identity("B")) == "another history");
  CHECK(EntryAt(stage, "B", stage.identity("B")) == "another history");
}

// A node that is kept busy does what is due all the same.
TEST_CASE(
    "a restored child takes pushes as soon as its parent has told, however often it is asked") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("B", "b");
  stage.Link("B", "A");
  stage.Settle();
  PlayedDataset d = OpenDataset(stage, "B", "D");
  SubscribeTo(stage, "A", d);
  PushTo(stage, d, {{"k1", "one"}});
  stage.Settle();
  std::unique_ptr<MemoryStore> backup = stage.store("B").Clone();
  PushTo(stage, d, {{"k2", "two"}});
  stage.Settle();
  storage::v1::Restored restored;
  WriteSet writes;
  writes.Put(RestoredKey(), restored.SerializeAsString());
  REQUIRE(backup->Commit({&writes, 1}).ok());
  stage.Restart("A");
  stage.Restart("B", std::move(backup));
  stage.Link("B", "A");
  for (int i = 0; i < 30; ++i) {
    stage.Step("B", WriteFacts{});
    stage.Pass(absl::Milliseconds(100));
  }
  CHECK(RowsAt(stage, "B", d) == "k1=one k2=two");
  PushTo(stage, d, {{"k3", "three"}});
  stage.Settle();
  CHECK(RowsAt(stage, "A", d) == "k1=one k2=two k3=three");
}

}  // namespace
}  // namespace guantong
