// Pushes of a series that wait while another is committed: one commit where they change different
// rows, each answered for itself.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/limits.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"
#include "tests/unit/push_talk.h"
#include "tests/unit/reasons.h"

namespace guantong {
namespace {

constexpr size_t kFirst = kPutsRowsMax + 1;  // handed over

// Everything after the first pushes waits: it comes when the last of them is being answered, which
// lasts until AllWait.
class Waiting {
 public:
  Waiting() : code(node.Publish()) {
    Push(Some(0, kFirst));
    AllBefore();
  }
  // The test says what the first pushes are, and AllBefore after the last of them.
  explicit Waiting(size_t first_pushes) : code(node.Publish()), first_pushes_(first_pushes) {}

  // The last so far has been applied, and is being answered.
  void AllBefore() {
    talk.Then([this] {
      std::unique_lock<std::mutex> lock(mutex_);
      in_order_ &= changed_.wait_for(lock, std::chrono::seconds(20), [this] { return at_work_; });
    });
  }
  void Push(const LoneNode::Rows& rows, v1::PushMode mode = v1::PUSH_MODE_UPSERT,
            const std::string& batch_id = "") {
    talk.Push(node.Open(code, mode, batch_id), rows);
  }
  // What has been said so far has come.
  void AllWait() {
    talk.Then([this] { Set(&come_); });
  }
  // The last to come, which has to wait until those before it are taken in: it is given time to
  // join them.
  void PushApart(const LoneNode::Rows& rows, const std::string& batch_id = "") {
    std::vector<v1::PushRequest> requests =
        node.RequestsOf(node.Open(code, v1::PUSH_MODE_UPSERT, batch_id), rows);
    for (size_t n = 0; n < requests.size(); ++n) {
      if (n + 1 == requests.size()) talk.Then([this] { Set(&last_at_end_); });
      talk.Add(std::move(requests[n]));
    }
    AllWait();
  }
  const std::vector<absl::StatusOr<v1::PushResponse>>& Run() {
    talk.on_answer = [this] {
      if (++answered_ < first_pushes_) return;
      std::unique_lock<std::mutex> lock(mutex_);
      at_work_ = true;
      changed_.notify_all();
      in_order_ &= changed_.wait_for(lock, std::chrono::seconds(20),
                                     [this] { return come_ || last_at_end_; });
      changed_.wait_for(lock, std::chrono::milliseconds(200), [this] { return come_; });
      talk.on_answer = nullptr;
    };
    REQUIRE(talk.Run(&node).ok());
    REQUIRE(in_order_);
    return talk.answers();
  }

  LoneNode node;
  const std::string code;
  Talk talk;

 private:
  void Set(bool* what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    *what = true;
    changed_.notify_all();
  }

  const size_t first_pushes_ = 1;
  size_t answered_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool at_work_ = false;
  bool come_ = false;
  bool last_at_end_ = false;
  bool in_order_ = true;
};

std::vector<uint64_t> CommitsOf(const std::vector<absl::StatusOr<v1::PushResponse>>& answers) {
  std::vector<uint64_t> commits;
  for (const absl::StatusOr<v1::PushResponse>& answer : answers) {
    REQUIRE(answer.ok());
    commits.push_back(answer->commit());
  }
  return commits;
}

using Commits = std::vector<uint64_t>;

TEST_CASE("joined pushes: what waits is one commit, each has its own counts and result") {
  Waiting w;
  w.Push(Some(100, 10), v1::PUSH_MODE_UPSERT, "second");
  w.Push(Some(0, 3), v1::PUSH_MODE_DELETE, "third");
  w.Push(Some(10, 5), v1::PUSH_MODE_UPSERT, "fourth");  // as it stands
  LoneNode::Rows changed = Some(20, 2);
  for (std::vector<std::string>& row : changed) row[1] = "西";
  changed.push_back(Some(30, 1).front());
  w.Push(changed, v1::PUSH_MODE_UPSERT, "fifth");
  w.AllWait();
  const auto& answers = w.Run();
  CHECK(CommitsOf(answers) == Commits{1, 2, 2, 0, 2});
  CHECK(answers[1]->inserts() == 10);
  CHECK(answers[2]->deletes() == 3);
  CHECK(answers[3]->unchanged() == 5);
  CHECK(answers[4]->updates() == 2);
  CHECK(answers[4]->unchanged() == 1);
  CHECK(answers[1]->position().sequence() == kFirst + 2 + 15);
  CHECK(answers[2]->position().chain_hash() == answers[1]->position().chain_hash());
  CHECK(w.node.CountRows(w.code) == kFirst + 10 - 3);

  // Each is known by its own batch id, with what it was answered.
  for (size_t n = 1; n < answers.size(); ++n) {
    const std::string& id = answers[n]->batch_id();
    const LoneNode::Rows rows = id == "second"   ? Some(100, 10)
                                : id == "third"  ? Some(0, 3)
                                : id == "fourth" ? Some(10, 5)
                                                 : changed;
    const auto again = w.node.Push(
        w.node.Open(w.code, id == "third" ? v1::PUSH_MODE_DELETE : v1::PUSH_MODE_UPSERT, id), rows);
    REQUIRE(again.ok());
    CHECK(again->repeated_batch());
    CHECK(again->commit() == answers[n]->commit());
    CHECK(again->inserts() == answers[n]->inserts());
    CHECK(again->position().sequence() == answers[n]->position().sequence());
  }
}

TEST_CASE("joined pushes: small ones, too, once their sender is seen not to wait for answers") {
  Waiting w(kSeriesProbeEvery);
  for (size_t n = 0; n < kSeriesProbeEvery; ++n) w.Push(Some(n, 1));
  w.AllBefore();
  for (size_t n = 0; n < 4; ++n) w.Push(Some(100 + n, 1));
  w.AllWait();
  Commits expected;
  for (size_t n = 1; n <= kSeriesProbeEvery; ++n) expected.push_back(n);
  expected.insert(expected.end(), 4, kSeriesProbeEvery + 1);
  CHECK(CommitsOf(w.Run()) == expected);
  CHECK(w.node.CountRows(w.code) == kSeriesProbeEvery + 4);
}

TEST_CASE("joined pushes: two that change one row are a commit each, in their order") {
  Waiting w;
  w.Push(Some(100, 3));
  LoneNode::Rows changed = Some(102, 3);
  for (std::vector<std::string>& row : changed) row[1] = "西";
  w.Push(changed);
  w.Push(Some(102, 1), v1::PUSH_MODE_DELETE);
  w.AllWait();
  const auto& answers = w.Run();
  CHECK(CommitsOf(answers) == Commits{1, 2, 3, 4});
  CHECK(answers[2]->inserts() == 2);
  CHECK(answers[2]->updates() == 1);
  CHECK(w.node.CountRows(w.code) == kFirst + 4);
}

TEST_CASE("joined pushes: one that fails is named, those before it are taken, none after it") {
  Waiting w;
  w.Push(Some(100, 3));
  w.Push(Some(200, 3));
  LoneNode::Rows twice = Some(300, 2);
  twice.push_back(twice.front());
  w.Push(twice);
  w.Push(Some(400, 3));
  w.AllWait();
  const auto& answers = w.Run();
  REQUIRE(answers.size() == 4);
  CHECK(answers[1]->commit() == 2);
  CHECK(answers[2]->commit() == 3);
  CHECK(ReasonOf(answers[3].status()) == "row_invalid");
  CHECK(w.node.CountRows(w.code) == kFirst + 6);
  // The dataset is free.
  CHECK(w.node.Push(w.node.Open(w.code, v1::PUSH_MODE_UPSERT), Some(400, 3)).ok());
}

TEST_CASE("joined pushes: a batch id has one effect, and never another content") {
  SECTION("taken before") {
    Waiting w;
    REQUIRE(w.node.Push(w.node.Open(w.code, v1::PUSH_MODE_UPSERT, "once"), Some(500, 2)).ok());
    w.Push(Some(100, 3));
    w.Push(Some(500, 2), v1::PUSH_MODE_UPSERT, "once");
    w.Push(Some(600, 2));
    w.AllWait();
    const auto& answers = w.Run();
    CHECK(CommitsOf(answers) == Commits{2, 3, 1, 4});
    CHECK(answers[2]->repeated_batch());
    CHECK(w.node.CountRows(w.code) == kFirst + 7);
  }
  SECTION("of one that waits") {
    Waiting w;
    w.Push(Some(600, 2), v1::PUSH_MODE_UPSERT, "twice");
    w.PushApart(Some(700, 2), "twice");
    const auto& answers = w.Run();
    REQUIRE(answers.size() == 3);
    CHECK(answers[1]->commit() == 2);
    CHECK(ReasonOf(answers[2].status()) == "batch_id_reused");
    CHECK(w.node.CountRows(w.code) == kFirst + 2);
  }
}

TEST_CASE("joined pushes: so many pushes and so many rows are one commit at most") {
  SECTION("pushes") {
    Waiting w;
    for (size_t n = 0; n < kPushesJoinedMax; ++n) w.Push(Some(100 + n, 1));
    w.PushApart(Some(100 + kPushesJoinedMax, 1));
    Commits expected(kPushesJoinedMax, 2);
    expected.insert(expected.begin(), 1);
    expected.push_back(3);
    CHECK(CommitsOf(w.Run()) == expected);
  }
  SECTION("rows") {
    Waiting w;
    w.Push(Some(1000, kBatchRowsMax - 1));
    w.Push(Some(10000, 1));
    w.PushApart(Some(20000, 1));
    CHECK(CommitsOf(w.Run()) == Commits{1, 2, 2, 3});
  }
}

TEST_CASE("joined pushes: another dataset waits for those before it, and may come between them") {
  Waiting w;
  const std::string other = w.node.Publish();
  w.Push(Some(200, 1));
  w.AllWait();
  w.talk.Push(&w.node, other, Some(0, 3));
  w.Push(Some(100, 3));
  w.talk.Push(&w.node, other, Some(3, 3));
  CHECK(CommitsOf(w.Run()) == Commits{1, 2, 1, 3, 2});
  CHECK(w.node.CountRows(other) == 6);
}

}  // namespace
}  // namespace guantong
