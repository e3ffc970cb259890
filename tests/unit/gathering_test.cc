// Questions that wait for the same node at the same moment, as one call.
#include "node/gathering.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "catalog/base/status.h"
#include "guantong/v1/data.pb.h"
#include "node/limits.h"
#include "node/round.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

// What was sent, answered when the test says so.
class Wire {
 public:
  struct Sent {
    CallQuestion question;
    Gathering::Done done;
    v1::GatheredCalls gathered() const {
      v1::GatheredCalls calls;
      GT_CHECK(question.method == kGatheredMethod && calls.ParseFromString(question.body));
      return calls;
    }
  };

  void Take(CallQuestion question, Gathering::Done done) {
    const std::lock_guard<std::mutex> lock(mutex_);
    sent_.push_back({std::move(question), std::move(done)});
    changed_.notify_all();
  }
  // The next, waited for.
  Sent Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    GT_CHECK(changed_.wait_for(lock, std::chrono::seconds(10), [this] { return !sent_.empty(); }));
    Sent next = std::move(sent_.front());
    sent_.erase(sent_.begin());
    return next;
  }
  bool idle() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return sent_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Sent> sent_;
};

CallAnswer Answer(absl::StatusOr<std::string> outcome) {
  return {.status = outcome.status(),
          .body = outcome.ok() ? *outcome : "",
          .hops = {v1::Hop()},
          .answered_by = "63",
          .elapsed = absl::Milliseconds(1)};
}

class Asker {
 public:
  // By default nothing goes for having waited.
  explicit Asker(absl::Duration wait = absl::Hours(1),
                 absl::Duration return_max = absl::Milliseconds(2))
      : gathering([this](CallQuestion question,
                         Gathering::Done done) { wire.Take(std::move(question), std::move(done)); },
                  wait, return_max) {}

  // The answer arrives in answers[index].
  void Ask(const std::string& body, absl::Duration budget = absl::Seconds(20),
           const std::string& uscc = "dep") {
    const size_t index = answers.size();
    answers.emplace_back();
    gathering.Ask({.target = "63",
                   .method = "query",
                   .body = body,
                   .uscc = uscc,
                   .purpose = "why " + body,
                   .budget = budget},
                  [this, index](CallAnswer answer) { answers[index] = std::move(answer); });
  }

  Wire wire;
  std::deque<std::optional<CallAnswer>> answers;
  Gathering gathering;
};

TEST_CASE(
    "A lone question goes alone; those that come meanwhile go together, each with its own answer") {
  Asker asker;
  asker.Ask("a");
  const Wire::Sent alone = asker.wire.Next();
  CHECK(alone.question.method == "query");
  CHECK(alone.question.body == "a");
  CHECK(alone.question.uscc == "dep");

  for (const char* body : {"b", "c", "d"}) asker.Ask(body);
  alone.done(Answer(std::string("A")));
  REQUIRE(asker.answers[0].has_value());
  CHECK(asker.answers[0]->body == "A");

  const Wire::Sent together = asker.wire.Next();
  CHECK(asker.wire.idle());
  const v1::GatheredCalls calls = together.gathered();
  REQUIRE(calls.calls_size() == 3);
  CHECK(calls.calls(1).method() == "query");
  CHECK(calls.calls(1).body() == "c");
  CHECK(together.question.uscc == "dep");
  CHECK(calls.calls(1).purpose() == "why c");

  v1::GatheredReplies replies;
  SetOutcome(std::string("B"), replies.add_replies());
  SetOutcome(Error(absl::StatusCode::kPermissionDenied, "not_shared", "no", "c", "ask for it"),
             replies.add_replies());
  replies.add_replies()->set_alone(true);
  together.done(Answer(replies.SerializeAsString()));
  CHECK(asker.answers[1]->body == "B");
  CHECK(asker.answers[1]->hops.size() == 1);
  CHECK(asker.answers[2]->status.code() == absl::StatusCode::kPermissionDenied);
  CHECK(DetailOf(asker.answers[2]->status).reason == "not_shared");
  CHECK(DetailOf(asker.answers[2]->status).remedy == "ask for it");
  CHECK_FALSE(asker.answers[3].has_value());

  const Wire::Sent again = asker.wire.Next();
  CHECK(again.question.method == "query");
  CHECK(again.question.body == "d");
  CHECK(again.question.budget < absl::Seconds(20));
  again.done(Answer(std::string("D")));
  CHECK(asker.answers[3]->body == "D");
}

TEST_CASE("Questions that are asked together go together, also where none is under way") {
  Asker asker;
  {
    const Round round;
    for (const char* body : {"a", "b", "c"}) asker.Ask(body);
    asker.Ask("other", absl::Seconds(20), "other dep");
    CHECK(asker.wire.idle());
  }
  const Wire::Sent together = asker.wire.Next();
  CHECK(together.gathered().calls_size() == 3);
  CHECK(together.question.uscc == "dep");
  CHECK(asker.wire.Next().question.body == "other");
  CHECK(asker.wire.idle());
}

TEST_CASE("Questions of two departments share no call") {
  Asker asker;
  asker.Ask("a");
  const Wire::Sent alone = asker.wire.Next();
  asker.Ask("b");
  asker.Ask("other", absl::Seconds(20), "other dep");
  const Wire::Sent others = asker.wire.Next();  // it is the first of its department
  CHECK(others.question.body == "other");
  CHECK(others.question.uscc == "other dep");
  asker.Ask("c");
  alone.done(Answer(std::string("A")));
  const Wire::Sent together = asker.wire.Next();
  CHECK(together.question.uscc == "dep");
  CHECK(together.gathered().calls_size() == 2);
}

// Answers the next call; the same number ask again at once, one by one. How many that were.
int AnswerAndReturn(Asker& asker) {
  const Wire::Sent sent = asker.wire.Next();
  const bool gathered = sent.question.method == kGatheredMethod;
  const int size = gathered ? sent.gathered().calls_size() : 1;
  v1::GatheredReplies replies;
  for (int i = 0; i < size; ++i) SetOutcome(std::string("X"), replies.add_replies());
  CallAnswer answer = Answer(gathered ? replies.SerializeAsString() : "X");
  answer.elapsed = absl::Hours(1);
  sent.done(std::move(answer));
  for (int i = 0; i < size; ++i) asker.Ask("again");
  return size;
}

TEST_CASE("What waits goes together with those who ask again as soon as they are answered") {
  Asker asker(absl::Hours(1), absl::Hours(1));
  {
    const Round round;
    for (int i = 0; i < 4; ++i) asker.Ask("first");
  }
  CHECK(AnswerAndReturn(asker) == 4);
  CHECK(AnswerAndReturn(asker) == 1);  // nobody was known to return
  for (int time = 0; time < 10; ++time) AnswerAndReturn(asker);
  for (int time = 0; time < 10; ++time) CHECK(AnswerAndReturn(asker) == 4);
  CHECK(asker.wire.Next().gathered().calls_size() == 4);
  CHECK(asker.wire.idle());
}

TEST_CASE("Who does not ask again is waited for a moment only") {
  Asker asker;
  {
    const Round round;
    for (int i = 0; i < 4; ++i) asker.Ask("first");
  }
  for (int time = 0; time < 10; ++time) AnswerAndReturn(asker);
  const Wire::Sent last = asker.wire.Next();
  last.done(Answer(Error(absl::StatusCode::kUnavailable, "hop_down", "no link")));
  asker.Ask("later");
  asker.wire.Next();
}

TEST_CASE("A question does not wait for another that takes its time") {
  Asker asker(absl::Milliseconds(2));
  asker.Ask("slow");
  const Wire::Sent slow = asker.wire.Next();
  asker.Ask("quick");
  const Wire::Sent quick = asker.wire.Next();  // though the slow one was not answered
  CHECK(quick.question.body == "quick");
  quick.done(Answer(std::string("Q")));
  CHECK(asker.answers[1]->body == "Q");
  slow.done(Answer(std::string("S")));
  CHECK(asker.answers[0]->body == "S");
}

TEST_CASE("A node that does not know gathered calls is asked one by one from then on") {
  Asker asker;
  asker.Ask("a");
  const Wire::Sent first = asker.wire.Next();
  asker.Ask("b");
  asker.Ask("c");
  first.done(Answer(std::string("A")));
  asker.wire.Next().done(
      Answer(Error(absl::StatusCode::kUnimplemented, "method_unknown", "unknown method")));
  std::vector<Wire::Sent> alone;
  for (const char* body : {"b", "c"}) {
    alone.push_back(asker.wire.Next());
    CHECK(alone.back().question.method == "query");
    CHECK(alone.back().question.body == body);
  }
  for (const char* body : {"d", "e"}) {
    asker.Ask(body);
    const Wire::Sent later = asker.wire.Next();  // though two are under way
    CHECK(later.question.method == "query");
    CHECK(later.question.body == body);
    later.done(Answer(std::string("later")));
  }
  alone[0].done(Answer(std::string("b!")));
  alone[1].done(Answer(std::string("c!")));
  CHECK(asker.answers[1]->body == "b!");
  CHECK(asker.answers[2]->body == "c!");
}

TEST_CASE("What fails on the way fails for all that travelled together; unlike budgets do not") {
  Asker asker;
  asker.Ask("a");
  const Wire::Sent first = asker.wire.Next();
  asker.Ask("b");
  asker.Ask("c");
  asker.Ask("d", absl::Milliseconds(300));
  first.done(Answer(std::string("A")));
  const Wire::Sent together = asker.wire.Next();
  CHECK(together.gathered().calls_size() == 2);
  together.done(Answer(Error(absl::StatusCode::kUnavailable, "hop_down", "no link")));
  CHECK(DetailOf(asker.answers[1]->status).reason == "hop_down");
  CHECK(DetailOf(asker.answers[2]->status).reason == "hop_down");
  const Wire::Sent other = asker.wire.Next();
  CHECK(other.question.body == "d");
  CHECK(other.question.budget <= absl::Milliseconds(300));
}

TEST_CASE("At most so many questions make one call") {
  Asker asker;
  asker.Ask("first");
  const Wire::Sent first = asker.wire.Next();
  for (size_t i = 0; i < kGatheredMax; ++i) asker.Ask("x");
  CHECK(asker.wire.Next().gathered().calls_size() == static_cast<int>(kGatheredMax));
}

TEST_CASE("Each gathered question is held against the rules by itself") {
  LoneNode node;
  const std::string open = node.Publish();
  const std::string closed = node.Publish(v1::SHARING_TYPE_NOT_SHARED);
  LoneNode::Rows rows;
  for (int i = 0; i < 100; ++i) rows.push_back({std::to_string(100 + i), "东", "1"});
  REQUIRE(node.Push(node.Open(open, v1::PUSH_MODE_UPSERT), rows).ok());

  v1::GatheredCalls calls;
  const auto ask = [&calls](const std::string& method, const std::string& code,
                            const std::string& where) {
    v1::QueryRequest request;
    request.set_code(code);
    request.set_where(where);
    calls.add_calls()->set_method(method);
    calls.mutable_calls(calls.calls_size() - 1)->set_body(request.SerializeAsString());
  };
  ask("query", open, "code = '101'");
  ask("query", closed, "code = '101'");
  ask("query", open, "count = 1");  // looks at all rows
  ask("clock", open, "");           // has no quick answer
  ask(kGatheredMethod, open, "");   // not within itself
  const auto replies =
      node.AskFromAfar<v1::GatheredReplies>(kGatheredMethod, calls.SerializeAsString());
  REQUIRE(replies.ok());
  REQUIRE(replies->replies_size() == 5);
  v1::QueryResponse found;
  REQUIRE(found.ParseFromString(replies->replies(0).body()));
  REQUIRE(found.rows_size() == 1);
  CHECK(found.rows(0).values(0) == "101");
  CHECK(replies->replies(1).code() == static_cast<int>(absl::StatusCode::kPermissionDenied));
  CHECK(replies->replies(1).body().find("not_shared") != std::string::npos);
  for (int i = 2; i < 5; ++i) CHECK(replies->replies(i).alone());

  for (size_t i = 0; i < kGatheredMax; ++i) calls.add_calls()->set_method("query");
  CHECK(DetailOf(node.AskFromAfar<v1::GatheredReplies>(kGatheredMethod, calls.SerializeAsString())
                     .status())
            .reason == "call_malformed");
}

}  // namespace
}  // namespace guantong
