// The driver with the real engine over a store whose commits can fail.
#include "node/driver.h"

#include <future>

#include "catalog/keys.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

std::string Stored(const MemoryStore& store, const std::string& name) {
  std::string value;
  return store.Get(NodeFactKey(name), &value).ok() ? value : "";
}

WriteSet Fact(const std::string& name, const std::string& value) {
  WriteSet writes;
  writes.Put(NodeFactKey(name), value);
  return writes;
}

// Until `done`, a condition of the driver's own threads, holds.
template <typename Done>
bool Eventually(Done done) {
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!done()) {
    if (absl::Now() > give_up) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_CASE("A write is durable when it is answered") {
  LoneNode node;
  REQUIRE(node.driver().WriteOwn(Fact("a", "1")).ok());
  CHECK(Stored(*node.store().Clone(), "a") == "1");
}

TEST_CASE("Writes of many threads are all made, in groups") {
  LoneNode node;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&node, t] {
      for (int i = 0; i < 50; ++i) {
        if (!node.driver().WriteOwn(Fact(std::to_string(t * 100 + i), "x")).ok()) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 8; ++t) {
    for (int i = 0; i < 50; ++i) CHECK(Stored(node.store(), std::to_string(t * 100 + i)) == "x");
  }
}

TEST_CASE(
    "A commit that fails fails what waits, and the node goes on when the disk has room again") {
  LoneNode node;
  const absl::Status full = Error(absl::StatusCode::kResourceExhausted, "disk_full", "no room");
  node.store().FailCommits(full);
  CHECK(ReasonOf(node.driver().WriteOwn(Fact("a", "1"))) == "disk_full");
  CHECK(ReasonOf(node.driver().WriteOwn(Fact("b", "1"))) == "disk_full");
  CHECK(ReasonOf(node.driver().Read([](const Engine&) {})) == "disk_full");
  CHECK(ReasonOf(
            node.driver().Ask({.target = "x", .method = "y", .budget = absl::Seconds(1)}).status) ==
        "disk_full");
  CHECK(Stored(node.store(), "a").empty());

  node.store().FailCommits(absl::OkStatus());
  REQUIRE(Eventually([&] { return node.driver().health().ok(); }));
  CHECK(node.driver().WriteOwn(Fact("a", "2")).ok());
  CHECK(Stored(node.store(), "a") == "2");
}

TEST_CASE("A full inbox refuses requests and takes them again when it is drained") {
  LoneNode node;
  std::promise<void> let_go;
  std::promise<void> held;
  std::thread reader([&] {
    node.driver()
        .Read([&](const Engine&) {
          held.set_value();
          let_go.get_future().wait();
        })
        .IgnoreError();
  });
  held.get_future().wait();
  std::atomic<int> done = 0;
  int taken = 0;
  absl::Status refused;
  while (refused.ok()) {
    refused = node.driver().Submit(
        WriteFacts{.writes = Fact("n", std::to_string(taken))},
        [&](const WriteDone& written) { done += written.status.ok() ? 1 : 0; });
    if (refused.ok()) ++taken;
    REQUIRE(taken < 100000);
  }
  CHECK(ReasonOf(refused) == "node_busy");
  let_go.set_value();
  reader.join();
  REQUIRE(Eventually([&] { return done == taken; }));
  CHECK(node.driver().WriteOwn(Fact("n", "last")).ok());
  CHECK(Stored(node.store(), "n") == "last");
}

TEST_CASE("Empty frames fill the inbox, too") {
  LoneNode node;
  node.driver().Stop();
  int taken = 0;
  while (node.driver().OnFrame(1, v1::LANE_CONTROL, "")) REQUIRE(++taken < 1'000'000);
  CHECK(taken > 1000);
}

TEST_CASE("Stop carries out what was taken and refuses the rest") {
  LoneNode node;
  std::atomic<int> ok = 0;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(node.driver()
                .Submit(WriteFacts{.writes = Fact(std::to_string(i), "x")},
                        [&](const WriteDone& done) { ok += done.status.ok() ? 1 : 0; })
                .ok());
  }
  node.driver().Stop();
  CHECK(ok == 100);
  for (int i = 0; i < 100; ++i) CHECK(Stored(node.store(), std::to_string(i)) == "x");
  CHECK(ReasonOf(node.driver().WriteOwn(Fact("late", "x"))) == "node_stopping");
}

TEST_CASE("A call to nowhere is answered") {
  LoneNode node;
  const CallDone done =
      node.driver().Ask({.target = "630000", .method = "query", .budget = absl::Seconds(5)});
  CHECK(absl::IsUnavailable(done.status));
}

}  // namespace
}  // namespace guantong
