// Pushes one after another on one stream: what is answered, what is under way at once, where it
// ends.
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/limits.h"
#include "node/push.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"
#include "tests/unit/push_talk.h"
#include "tests/unit/reasons.h"

namespace guantong {
namespace {

TEST_CASE("a series of pushes: each is answered in turn, and those of one row are a commit each") {
  LoneNode node;
  const std::string code = node.Publish();
  Talk talk;
  for (size_t i = 0; i < 5; ++i) talk.Push(&node, code, Some(10 * i, 10 + i));
  REQUIRE(talk.Run(&node).ok());
  REQUIRE(talk.answers().size() == 5);
  for (size_t i = 0; i < 5; ++i) {
    REQUIRE(talk.answers()[i].ok());
    CHECK(talk.answers()[i]->commit() == i + 1);
    // The one before brought the first few of this one's rows.
    CHECK(talk.answers()[i]->inserts() == (i == 0 ? 10 : 11));
    CHECK(talk.answers()[i]->unchanged() == (i == 0 ? 0 : i - 1));
  }
  CHECK(node.CountRows(code) == 54);
}

TEST_CASE("a series of pushes: one comes in while the one before it is not yet answered") {
  LoneNode node;
  const std::string code = node.Publish();
  Talk talk;
  std::mutex mutex;
  std::condition_variable changed;
  bool second_in = false;
  bool overlapped = false;
  talk.Push(&node, code, Some(0, kPutsRowsMax + 1));
  const auto second =
      node.RequestsOf(node.Open(code, v1::PUSH_MODE_UPSERT), Some(kPutsRowsMax + 1, 5));
  for (size_t i = 0; i < second.size(); ++i) {
    if (i + 1 == second.size()) {
      talk.Then([&] {
        const std::lock_guard<std::mutex> lock(mutex);
        second_in = true;
        changed.notify_all();
      });
    }
    talk.Add(second[i]);
  }
  talk.on_answer = [&] {
    std::unique_lock<std::mutex> lock(mutex);
    overlapped = changed.wait_for(lock, std::chrono::seconds(20), [&] { return second_in; });
    talk.on_answer = nullptr;
  };
  REQUIRE(talk.Run(&node).ok());
  CHECK(overlapped);
  CHECK(talk.answers().size() == 2);
  CHECK(node.CountRows(code) == kPutsRowsMax + 6);
}

TEST_CASE("a series of pushes: the first that fails ends it, what it said is the last answer") {
  LoneNode node;
  const std::string code = node.Publish();
  Talk talk;
  talk.Push(&node, code, Some(0, 5));
  talk.Push(&node, code, {{"1", "东", "many"}});
  talk.Push(&node, code, Some(5, 5));
  REQUIRE(talk.Run(&node).ok());
  REQUIRE(talk.answers().size() == 2);
  CHECK(talk.answers()[0].ok());
  CHECK(ReasonOf(talk.answers()[1].status()) == "row_invalid");
  CHECK(node.CountRows(code) == 5);

  // One that is refused only when it is compared, the same key twice: a small one, and one that is
  // handed over.
  for (const size_t rows : {size_t{1}, kPutsRowsMax + 1}) {
    LoneNode::Rows repeated = Some(0, rows);
    repeated.push_back({repeated.front()[0], "西", "1"});
    Talk twice;
    twice.Push(&node, code, repeated);
    twice.Then([&] { twice.AwaitAnswers(1); });
    twice.Push(&node, code, Some(5, 5));
    REQUIRE(twice.Run(&node).ok());
    REQUIRE(twice.answers().size() == 1);
    CHECK(ReasonOf(twice.answers()[0].status()) == "row_invalid");
    CHECK(node.CountRows(code) == 5);
  }
  CHECK(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), Some(5, 5)).ok());
}

TEST_CASE("a series of pushes: cut short it has taken the whole ones alone") {
  LoneNode node;
  const std::string code = node.Publish();
  Talk cut;
  cut.Push(&node, code, Some(0, 5));
  std::vector<v1::PushRequest> second =
      node.RequestsOf(node.Open(code, v1::PUSH_MODE_UPSERT), Some(5, 5));
  second.pop_back();
  for (v1::PushRequest& request : second) cut.Add(std::move(request));
  REQUIRE(cut.Run(&node).ok());
  REQUIRE(cut.answers().size() == 2);
  CHECK(ReasonOf(cut.answers()[1].status()) == "push_broken");
  CHECK(node.CountRows(code) == 5);
}

TEST_CASE("a series of pushes: who pushes is asked before each") {
  LoneNode node;
  const std::string code = node.Publish();
  Talk talk;
  for (size_t i = 0; i < 3; ++i) talk.Push(&node, code, Some(10 * i, 10));
  talk.admitted_max = 2;
  REQUIRE(talk.Run(&node).ok());
  REQUIRE(talk.answers().size() == 3);
  CHECK(absl::IsPermissionDenied(talk.answers()[2].status()));
  CHECK(node.CountRows(code) == 20);
}

TEST_CASE("a series of pushes holds its dataset during its pushes, not between them") {
  LoneNode node;
  const std::string code = node.Publish();
  const auto other = [&] {
    return node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), Some(100, 1)).status();
  };
  absl::Status during, between;
  Talk talk;
  const auto requests = node.RequestsOf(node.Open(code, v1::PUSH_MODE_UPSERT), Some(0, 5));
  for (size_t i = 0; i < requests.size(); ++i) {
    if (i == 2) talk.Then([&] { during = other(); });
    talk.Add(requests[i]);
  }
  talk.Then([&] {
    talk.AwaitAnswers(1);
    between = other();
  });
  talk.Push(&node, code, Some(5, 5));
  REQUIRE(talk.Run(&node).ok());
  CHECK(ReasonOf(during) == "push_open");
  CHECK(between.ok());
  REQUIRE(talk.answers().size() == 2);
  CHECK(talk.answers()[1].ok());
  CHECK(node.CountRows(code) == 11);
}

TEST_CASE("so many series of pushes are open at a time, and no more") {
  LoneNode node;
  absl::Status refused;
  size_t open = 0;
  const std::function<absl::Status()> one = [&] {
    Talk talk;
    // Within the one before, before it has read anything.
    talk.Then([&] {
      ++open;
      if (const absl::Status next = one(); !next.ok()) refused = next;
    });
    return talk.Run(&node);
  };
  CHECK(one().ok());
  CHECK(open == kPushesOpenMax);
  CHECK(ReasonOf(refused) == "node_busy");
  Talk after;
  CHECK(after.Run(&node).ok());
}

}  // namespace
}  // namespace guantong
