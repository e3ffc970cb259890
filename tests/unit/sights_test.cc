#include "node/sights.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "catalog/memory_store.h"
#include "node/watched_store.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

std::string ValueIn(const Reader& reader) {
  std::string value;
  return reader.Get("key", &value).ok() ? value : "none";
}

TEST_CASE("What is worked out is kept until the next commit, and no longer") {
  MemoryStore memory;
  Sights sights;
  WatchedStore store(&memory, [&](absl::Span<const WriteSet>) { sights.LetGo(); });
  int made = 0;
  const auto seen = [&] {
    return *sights.Now(store)->Keep<std::string>("name", [&](const Reader& reader) {
      ++made;
      return ValueIn(reader);
    });
  };
  CHECK(seen() == "none");
  CHECK(seen() == "none");
  CHECK(made == 1);
  const auto before = sights.Now(store);
  WriteSet writes;
  writes.Put("key", "one");
  REQUIRE(store.Commit({&writes, 1}).ok());
  CHECK(seen() == "one");
  CHECK(made == 2);
  CHECK(ValueIn(before->reader()) == "none");

  // One made while a commit is under way may be older than it: it is not kept.
  WatchedStore slow(&memory, [&, first = true](absl::Span<const WriteSet>) mutable {
    sights.LetGo();
    if (std::exchange(first, false)) CHECK(ValueIn(sights.Now(store)->reader()) == "one");
  });
  WriteSet more;
  more.Put("key", "two");
  REQUIRE(slow.Commit({&more, 1}).ok());
  CHECK(seen() == "two");
}

TEST_CASE("A failure is not kept for those who ask later") {
  MemoryStore memory;
  Sights sights;
  absl::StatusOr<int> result = absl::UnavailableError("the disk");
  const auto seen = [&] {
    return *sights.Now(memory)->Keep<absl::StatusOr<int>>("name",
                                                          [&](const Reader&) { return result; });
  };
  CHECK_FALSE(seen().ok());
  result = 1;
  REQUIRE(seen().ok());
  result = 2;
  CHECK(*seen() == 1);
}

TEST_CASE("A question that follows a withdrawal or a push meets it, however many came before") {
  LoneNode node;
  const std::string code = node.Publish();
  const auto ask = [&] {
    v1::QueryRequest request;
    request.set_code(code);
    return node.AskFromAfar<v1::QueryResponse>("query", request.SerializeAsString());
  };
  REQUIRE(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), {{"1", "东", "1"}}).ok());
  for (int i = 0; i < 3; ++i) CHECK(ask()->rows_size() == 1);
  REQUIRE(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), {{"2", "西", "2"}}).ok());
  for (int i = 0; i < 3; ++i) CHECK(ask()->rows_size() == 2);
  REQUIRE(node.Withdraw(code).ok());
  CHECK(ReasonOf(ask().status()) == "entry_withdrawn");
}

TEST_CASE("What was read for the node's own people is kept from others") {
  LoneNode node;
  const std::string code = node.Publish(v1::SHARING_TYPE_NOT_SHARED);
  REQUIRE(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), {{"1", "东", "1"}}).ok());
  v1::QueryRequest request;
  request.set_code(code);
  REQUIRE(node.Query(request).ok());
  const auto ask = [&](const std::string& name) {
    request.set_code(name);
    return ReasonOf(
        node.AskFromAfar<v1::QueryResponse>("query", request.SerializeAsString()).status());
  };
  CHECK(ask(code) == "not_shared");
}

}  // namespace
}  // namespace guantong
