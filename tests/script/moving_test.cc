// Nodes that stand elsewhere than before: below another parent, or in a network their branch joins.
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

void Admit(Stage& stage, const std::string& parent, const std::string& child,
           const std::string& path) {
  AppendRecords append{.kind = v1::FEED_KIND_MEMBERSHIP, .records = {}, .extra = {}, .author = ""};
  v1::Member* member = append.records.emplace_back().mutable_member();
  member->set_node_id(stage.identity(child).self.node_id);
  member->set_path(path);
  stage.Step(parent, std::move(append));
  stage.Settle();
}

// The membership feed of `parent` has `child` in it.
bool Names(Stage& stage, const std::string& parent, const std::string& child) {
  v1::FeedId members;
  members.set_origin(stage.identity(parent).self.node_id);
  members.set_kind(v1::FEED_KIND_MEMBERSHIP);
  std::string member;
  return stage.store(parent)
      .Get(MemberKey(FeedKey::Of(members), stage.identity(child).self.node_id), &member)
      .ok();
}

// B and C below A, D below B, with a dataset that C and B have subscribed.
PlayedDataset FourNodes(Stage& stage) {
  stage.Add("A", "");
  stage.Add("B", "b");
  stage.Add("C", "c");
  stage.Add("D", "b/d");
  stage.Link("B", "A");
  stage.Link("C", "A");
  stage.Link("D", "B");
  Admit(stage, "A", "B", "b");
  Admit(stage, "A", "C", "c");
  Admit(stage, "B", "D", "b/d");
  PlayedDataset dataset = OpenDataset(stage, "D", "D");
  PushTo(stage, dataset, {{"k1", "one"}});
  SubscribeTo(stage, "C", dataset);
  SubscribeTo(stage, "B", dataset);
  stage.Settle();
  stage.Said();
  return dataset;
}

// D goes below C.
void MoveD(Stage& stage) {
  Admit(stage, "C", "D", "c/d");
  stage.Cut("D", "B");
  stage.Become("D", sim::IssuedBy(stage.identity("C"), stage.identity("D"), "d"));
  stage.Link("D", "C");
  stage.Settle();
}

TEST_CASE("a node that moved is followed by its subscribers and forgotten by the parent it left") {
  Stage stage;
  PlayedDataset dataset = FourNodes(stage);
  REQUIRE(RowsAt(stage, "B", dataset) == "k1=one");
  REQUIRE(Names(stage, "B", "D"));
  MoveD(stage);
  CHECK(stage.Noticed("D", "stands at /c/d now"));
  CHECK(stage.Noticed("A", "the node at /b/d stands at /c/d now"));
  CHECK(stage.Noticed("B", "the node at /b/d stands at /c/d now"));
  PushTo(stage, dataset, {{"k2", "two"}});
  stage.Pass(absl::Seconds(5));
  CHECK(RowsAt(stage, "C", dataset) == "k1=one k2=two");
  CHECK(RowsAt(stage, "B", dataset) == "k1=one k2=two");
  // B names no such child any more, and says where it went.
  CHECK_FALSE(Names(stage, "B", "D"));
  stage.Said();
  stage.Step("B", CallStart{.target = "b/d",
                            .method = "echo",
                            .body = "where",
                            .budget = absl::Seconds(5),
                            .token = 1});
  stage.Settle();
  CHECK(stage.Noticed("B", "/c/d"));
}

TEST_CASE("who misses that a node has moved is told at the next session") {
  Stage stage;
  PlayedDataset dataset = FourNodes(stage);
  stage.Lose("A", "B", "moved");
  MoveD(stage);
  CHECK_FALSE(stage.Noticed("B", "the node at /b/d stands at /c/d now"));
  stage.Cut("A", "B");
  stage.Link("B", "A");
  PushTo(stage, dataset, {{"k2", "two"}});
  stage.Settle();
  CHECK(stage.Noticed("B", "the node at /b/d stands at /c/d now"));
  CHECK(RowsAt(stage, "B", dataset) == "k1=one k2=two");
}

// Found by `sim --scenario moves/mid --seed 6103`.
TEST_CASE("who stands above a node that moved is not below it any more, though it left unheard") {
  Stage stage;
  FourNodes(stage);
  stage.Cut("B", "A");
  MoveD(stage);
  CHECK_FALSE(stage.Noticed("B", "stands at /c/d now"));
  Admit(stage, "D", "B", "c/d/b");
  stage.Become("B", sim::IssuedBy(stage.identity("D"), stage.identity("B"), "b"));
  CHECK(stage.Noticed("B", "the node at /c/d/b/d stands at /c/d now"));
  stage.Link("B", "D");
  stage.Settle();
  CHECK_FALSE(Names(stage, "B", "D"));
}

// D stood below B, and went below E while B was away.
void LoseD(Stage& stage) {
  Admit(stage, "D", "G", "b/d/g");
  stage.Settle();
  stage.Cut("B", "A");
  Admit(stage, "E", "D", "e/d");
  stage.Cut("D", "B");
  stage.Become("D", sim::IssuedBy(stage.identity("E"), stage.identity("D"), "d"));
  stage.Link("D", "E");
  stage.Settle();
}

// Found by `sim --scenario moves/small --seed 52`.
TEST_CASE(
    "who moved asks where those are that left it unheard; who cannot answer asks its parent") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("B", "b");
  stage.Add("C", "c");
  stage.Add("E", "e");
  stage.Add("D", "b/d");
  for (const char* child : {"B", "C", "E"}) stage.Link(child, "A");
  stage.Link("D", "B");
  Admit(stage, "B", "D", "b/d");
  stage.Add("G", "b/d/g");
  LoseD(stage);
  Admit(stage, "C", "B", "c/b");
  stage.Become("B", sim::IssuedBy(stage.identity("C"), stage.identity("B"), "b"));
  stage.Link("B", "C");
  stage.Settle();
  CHECK_FALSE(stage.Noticed("B", "stands at /e/d now"));
  stage.Pass(absl::Seconds(35));
  CHECK(stage.Noticed("B", "the node at /c/b/d stands at /e/d now"));
  CHECK_FALSE(Names(stage, "B", "D"));
}

// Found by `sim --scenario moves/mid --seed 6209`.
TEST_CASE("a copy that the parent does not give, and knows nothing of, is asked about") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("E", "e");
  stage.Add("B", "b");
  stage.Add("D", "b/d");
  stage.Add("X", "b/x");
  stage.Add("G", "b/d/g");
  stage.Add("Y", "b/x/y", {.catalog_scope = CatalogScope::kProvince});
  for (const char* child : {"B", "E"}) stage.Link(child, "A");
  for (const char* child : {"D", "X"}) stage.Link(child, "B");
  stage.Link("Y", "X");
  Admit(stage, "B", "D", "b/d");
  Admit(stage, "D", "G", "b/d/g");
  stage.Settle();
  REQUIRE(Names(stage, "D", "G"));
  v1::FeedId members;
  members.set_origin(stage.identity("D").self.node_id);
  members.set_kind(v1::FEED_KIND_MEMBERSHIP);
  const auto holds = [&](const std::string& name) {
    std::string record;
    return stage.store(name).Get(FeedRecordKey(FeedKey::Of(members)), &record).ok();
  };
  REQUIRE(holds("Y"));
  stage.Cut("Y", "X");
  Admit(stage, "E", "D", "e/d");
  stage.Cut("D", "B");
  stage.Become("D", sim::IssuedBy(stage.identity("E"), stage.identity("D"), "d"));
  stage.Link("D", "E");
  stage.Pass(absl::Minutes(12));
  REQUIRE_FALSE(holds("X"));
  stage.Cut("X", "B");
  stage.Restart("X");
  stage.Link("X", "B");
  stage.Link("Y", "X");
  stage.Pass(absl::Seconds(35));
  CHECK(stage.Noticed("Y", "the node at /b/d stands at /e/d now"));
  stage.Pass(absl::Minutes(12));
  CHECK_FALSE(holds("Y"));
}

TEST_CASE("a branch that began alone brings what it has, whoever of it is renewed later") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("C", "c");
  stage.Link("C", "A");
  const EngineIdentity& b = sim::AloneAs(sim::IdentityAt(*NodePath::Parse("b")));
  const EngineIdentity& d = sim::IssuedBy(b, sim::IdentityAt(*NodePath::Parse("b/d")), "d");
  stage.AddAs("B", b);
  stage.AddAs("D", d);
  stage.Link("D", "B");
  Admit(stage, "B", "D", "d");
  PlayedDataset dataset = OpenDataset(stage, "D", "D");
  PushTo(stage, dataset, {{"k1", "one"}});
  SubscribeTo(stage, "B", dataset);
  stage.Settle();
  REQUIRE(RowsAt(stage, "B", dataset) == "k1=one");

  Admit(stage, "A", "B", "b");
  stage.Cut("D", "B");
  stage.Become("B", sim::IssuedBy(stage.identity("A"), stage.identity("B"), "b"));
  stage.Link("B", "A");
  stage.Settle();
  // D is away: what B has of it stays readable, and goes nowhere.
  CHECK(RowsAt(stage, "B", dataset) == "k1=one");
  stage.Become("D", sim::IssuedBy(stage.identity("B"), stage.identity("D"), "d"));
  stage.Link("D", "B");
  SubscribeTo(stage, "C", dataset);
  stage.Settle();
  PushTo(stage, dataset, {{"k2", "two"}});
  stage.Pass(absl::Seconds(5));
  CHECK(RowsAt(stage, "B", dataset) == "k1=one k2=two");
  CHECK(RowsAt(stage, "C", dataset) == "k1=one k2=two");
}

}  // namespace
}  // namespace guantong
