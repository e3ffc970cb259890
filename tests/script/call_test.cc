// Calls over three hops: R is the root, P below it on one side, Q and its child X on the other.
#include "catalog/base/status.h"
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

struct Tree {
  Tree() {
    stage.Add("R", "");
    stage.Add("P", "p");
    stage.Add("Q", "q");
    stage.Add("X", "q/x");
    stage.Link("P", "R");
    stage.Link("Q", "R");
    stage.Link("X", "Q");
    stage.Settle();
    stage.Said();
  }
  void Ask(const std::string& target, const std::string& body,
           absl::Duration budget = absl::Seconds(10)) {
    stage.Step(
        "P",
        CallStart{
            .target = target, .method = "echo", .body = body, .budget = budget, .token = ++tokens});
  }
  Stage stage;
  Token tokens = 0;
};

TEST_CASE("a call goes hop by hop and comes back with the hops it took") {
  Tree tree;
  tree.Ask("q/x", "one");
  tree.stage.Settle();
  CHECK(tree.stage.Said() == Lines(R"(
    P -> R: call to /q/x
    R -> Q: call to /q/x
    Q -> X: call to /q/x
    X runs one
    X -> Q: reply OK
    Q -> R: reply OK
    R -> P: reply OK
    P call done: OK echo one, hops P R Q X
  )"));
}

TEST_CASE("a call to oneself takes no hop") {
  Tree tree;
  tree.Ask("p", "self");
  tree.stage.Settle();
  CHECK(tree.stage.Said() == Lines(R"(
    P runs self
    P call done: OK echo self, hops P
  )"));
}

TEST_CASE("a hop that is down answers at once, and says where") {
  Tree tree;
  tree.stage.Cut("X", "Q");
  tree.Ask("q/x", "one");
  tree.stage.Settle();
  CHECK(tree.stage.Said() == Lines(R"(
    P -> R: call to /q/x
    R -> Q: call to /q/x
    Q -> R: reply NOT_EXECUTED
    R -> P: reply NOT_EXECUTED
    P call done: NOT_EXECUTED hop_down, hops P R Q
  )"));
  CHECK(tree.stage.Noticed("P", "unavailable at /q: no link to /q/x"));
}

TEST_CASE("a link that goes while the call is under way leaves it unknown") {
  Tree tree;
  tree.stage.HoldCalls();
  tree.Ask("q/x", "one");
  tree.stage.Settle();
  tree.stage.Said();
  tree.stage.Cut("Q", "R");
  tree.stage.Settle();
  CHECK(tree.stage.Said() == Lines(R"(
    R -> P: reply UNKNOWN
    P call done: UNKNOWN hop_lost, hops P R
  )"));
}

TEST_CASE("out of time is said by the hop that waited for the one that is stuck") {
  Tree tree;
  tree.Ask("q/x", "one", absl::Seconds(5));
  tree.stage.Lose("Q", "X", "call");
  tree.stage.Pass(absl::Seconds(4));
  tree.stage.Said();
  tree.stage.Pass(absl::Seconds(1));
  CHECK(tree.stage.Said() == Lines(R"(
    Q -> R: reply UNKNOWN
    R -> P: reply UNKNOWN
    P call done: UNKNOWN out_of_time, hops P R Q
  )"));
  CHECK(tree.stage.Noticed("P", "/q Q 超时 (out of time)"));
}

TEST_CASE("a call that arrives twice is executed once") {
  Tree tree;
  tree.Ask("q/x", "one");
  tree.stage.Settle();
  tree.stage.Said();
  tree.stage.Repeat("Q", "X", "call");
  tree.stage.Settle();
  CHECK(tree.stage.Said() == "Q => X: call to /q/x");
}

TEST_CASE("a caller that does not lie behind the link is refused") {
  Tree tree;
  tree.Ask("q/x", "one");
  tree.stage.Settle();
  v1::Frame stolen = tree.stage.Last("P", "R", "call");
  stolen.mutable_call_request()->mutable_id()->front() ^= 1;
  tree.stage.Said();
  tree.stage.Inject("Q", "R", stolen);
  tree.stage.Settle();
  CHECK(tree.stage.Said() == "Q => R: call to /q/x");
  CHECK(tree.stage.Noticed("R", "does not lie behind it"));
}

TEST_CASE("a call changed on its way is not executed") {
  Tree tree;
  tree.stage.Lose("Q", "X", "call");
  tree.Ask("q/x", "one");
  tree.stage.Settle();
  v1::Frame changed = tree.stage.Last("Q", "X", "call");
  v1::SignedCall call;
  REQUIRE(call.ParseFromString(changed.call_request().call()));
  call.set_body("another");
  changed.mutable_call_request()->set_call(call.SerializeAsString());
  tree.stage.Said();
  tree.stage.Inject("Q", "X", changed);
  tree.stage.Settle();
  CHECK(tree.stage.Said() == Lines(R"(
    Q => X: call to /q/x
    X -> Q: reply NOT_EXECUTED
    Q -> R: reply NOT_EXECUTED
    R -> P: reply NOT_EXECUTED
    P call done: NOT_EXECUTED bad_signature, hops P R Q X
  )"));
}

TEST_CASE("an answer changed on its way is not believed") {
  Tree tree;
  tree.stage.Lose("R", "P", "reply");
  tree.Ask("q/x", "one");
  tree.stage.Settle();
  v1::Frame changed = tree.stage.Last("R", "P", "reply");
  changed.mutable_call_reply()->set_body("echo another");
  tree.stage.Said();
  tree.stage.Inject("R", "P", changed);
  tree.stage.Settle();
  CHECK(tree.stage.Said() == Lines(R"(
    R => P: reply OK
    P call done: UNKNOWN reply_unproven, hops P
  )"));
}

TEST_CASE("a provider that has forgotten the caller's chain asks for it, once") {
  Tree tree;
  tree.Ask("q/x", "one");
  tree.stage.Settle();
  tree.stage.Restart("X", std::make_unique<MemoryStore>());
  tree.stage.Link("X", "Q");
  tree.stage.Settle();
  tree.stage.Said();
  tree.Ask("q/x", "two");
  tree.stage.Settle();
  CHECK(tree.stage.Said() == Lines(R"(
    P -> R: call to /q/x
    R -> Q: call to /q/x
    Q -> X: call to /q/x
    X -> Q: reply CHAIN_UNKNOWN
    Q -> R: reply CHAIN_UNKNOWN
    R -> P: reply CHAIN_UNKNOWN
    P -> R: call to /q/x
    R -> Q: call to /q/x
    Q -> X: call to /q/x
    X runs two
    X -> Q: reply OK
    Q -> R: reply OK
    R -> P: reply OK
    P call done: OK echo two, hops P R Q X
  )"));
}

}  // namespace
}  // namespace guantong
