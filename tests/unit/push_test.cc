// Pushes through the real engine: what they change, what they refuse, and that a refusal changes
// nothing.
#include "node/push.h"

#include <thread>

#include "catalog/base/limits.h"
#include "catalog/keys.h"
#include "node/limits.h"
#include "node/verify.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

const LoneNode::Rows kThree = {{"1", "东关街", "10"}, {"2", "清真巷", "20"}, {"3", "火车站", "30"}};

LoneNode::Rows Many(int from, int count, const std::string& name) {
  LoneNode::Rows rows;
  for (int i = from; i < from + count; ++i)
    rows.push_back({std::to_string(100000 + i), name, std::to_string(i)});
  return rows;
}

size_t StagedPayloads(const MemoryStore& store) {
  size_t count = 0;
  auto cursor = store.Scan(KindPrefix('H'), PrefixEnd(KindPrefix('H')));
  for (; cursor->Valid(); cursor->Next()) ++count;
  return count;
}

TEST_CASE("Upsert, delete and replace do what they say and send only the difference") {
  LoneNode node;
  const std::string code = node.Publish();
  auto response = node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), kThree);
  REQUIRE(response.ok());
  CHECK(response->inserts() == 3);
  CHECK(response->commit() == 1);

  response = node.Push(node.Open(code, v1::PUSH_MODE_UPSERT),
                       {{"2", "清真巷", "21"}, {"3", "火车站", "30"}, {"4", "大众街", "40"}});
  REQUIRE(response.ok());
  CHECK(response->inserts() == 1);
  CHECK(response->updates() == 1);
  CHECK(response->unchanged() == 1);

  v1::PushOpen remove = node.Open(code, v1::PUSH_MODE_DELETE);
  response = node.Push(remove, {{"4", "", ""}, {"9", "", ""}});
  REQUIRE(response.ok());
  CHECK(response->deletes() == 1);
  CHECK(response->unchanged() == 1);

  v1::PushOpen replace = node.Open(code, v1::PUSH_MODE_REPLACE);
  replace.set_expect_deletes(1);
  response = node.Push(replace, {{"1", "东关街", "10"}, {"2", "清真巷", "21"}});
  REQUIRE(response.ok());
  CHECK(response->deletes() == 1);
  CHECK(response->unchanged() == 2);
  CHECK(node.CountRows(code) == 2);
  CHECK(VerifyStore(node.store(), node.site().network())->faults_size() == 0);
}

TEST_CASE("No difference is a success that sends nothing") {
  LoneNode node;
  const std::string code = node.Publish();
  const auto first = node.Push(node.Open(code, v1::PUSH_MODE_REPLACE), kThree);
  REQUIRE(first.ok());
  const auto again = node.Push(node.Open(code, v1::PUSH_MODE_REPLACE), kThree);
  REQUIRE(again.ok());
  CHECK(again->commit() == 0);
  CHECK(again->unchanged() == 3);
}

TEST_CASE("A batch id has one effect, and never another content") {
  LoneNode node;
  const std::string code = node.Publish();
  const auto first = node.Push(node.Open(code, v1::PUSH_MODE_UPSERT, "batch"), kThree);
  REQUIRE(first.ok());
  REQUIRE(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), {{"1", "改", "1"}}).ok());
  node.Restart();
  const auto again = node.Push(node.Open(code, v1::PUSH_MODE_UPSERT, "batch"), kThree);
  REQUIRE(again.ok());
  CHECK(again->repeated_batch());
  CHECK(again->inserts() == 3);
  CHECK(again->commit() == first->commit());
  CHECK(again->position().sequence() == first->position().sequence());
  v1::QueryRequest request;
  request.set_code(code);
  request.set_where("code = '1'");
  CHECK(node.Query(request)->rows(0).values(1) == "改");
  CHECK(ReasonOf(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT, "batch"), {{"7", "x", "1"}})
                     .status()) == "batch_id_reused");
}

TEST_CASE("Bad rows are refused with line and field, and change nothing") {
  LoneNode node;
  const std::string code = node.Publish();
  auto refused =
      node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), {{"1", "a", "1"}, {"2", "b", "many"}})
          .status();
  CHECK(ReasonOf(refused) == "row_invalid");
  CHECK(DetailOf(refused).subject == "3:count");
  refused =
      node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), {{"1", "a", "1"}, {"", "b", "2"}}).status();
  CHECK(DetailOf(refused).subject == "3:code");
  refused = node.Push(node.Open(code, v1::PUSH_MODE_UPSERT),
                      {{"1", "a", "1"}, {"2", "b", "2"}, {"1", "c", "3"}})
                .status();
  CHECK(ReasonOf(refused) == "row_invalid");
  CHECK(refused.message().find("第 4 行") != absl::string_view::npos);
  CHECK(refused.message().find("第 2 行") != absl::string_view::npos);
  v1::PushOpen wrong = node.Open(code, v1::PUSH_MODE_UPSERT);
  wrong.add_fields("colour");
  refused = node.Push(wrong, {{"1", "a", "1", "red"}}).status();
  CHECK(ReasonOf(refused) == "field_unknown");
  CHECK(DetailOf(refused).subject == "colour");
  CHECK(node.CountRows(code) == 0);
}

TEST_CASE("Accept-valid takes the rest, dry-run lists all and does nothing") {
  LoneNode node;
  const std::string code = node.Publish();
  const LoneNode::Rows rows = {
      {"1", "a", "1"}, {"2", "b", "many"}, {"1", "c", "3"}, {"3", "d", "4"}};
  v1::PushOpen open = node.Open(code, v1::PUSH_MODE_UPSERT);
  open.set_dry_run(true);
  auto response = node.Push(open, rows);
  REQUIRE(response.ok());
  CHECK(response->inserts() == 2);
  CHECK(response->rejected() == 2);
  CHECK(node.CountRows(code) == 0);
  open.set_dry_run(false);
  open.set_accept_valid(true);
  response = node.Push(open, rows);
  REQUIRE(response.ok());
  CHECK(response->inserts() == 2);
  REQUIRE(response->rejects_size() == 2);
  CHECK(response->rejects(0).line() == 3);
  CHECK(response->rejects(0).field() == "count");
  CHECK(response->rejects(1).line() == 4);
  CHECK(node.CountRows(code) == 2);
}

TEST_CASE("A replace that deletes much must say how much") {
  LoneNode node;
  const std::string code = node.Publish();
  REQUIRE(node.Push(node.Open(code, v1::PUSH_MODE_REPLACE), Many(0, 100, "a")).ok());
  CHECK(node.Push(node.Open(code, v1::PUSH_MODE_REPLACE), Many(0, 90, "a")).ok());
  CHECK(ReasonOf(node.Push(node.Open(code, v1::PUSH_MODE_REPLACE), {}).status()) ==
        "replace_guard");
  CHECK(ReasonOf(node.Push(node.Open(code, v1::PUSH_MODE_REPLACE), Many(0, 80, "a")).status()) ==
        "replace_guard");
  v1::PushOpen open = node.Open(code, v1::PUSH_MODE_REPLACE);
  open.set_expect_deletes(89);
  CHECK(ReasonOf(node.Push(open, {}).status()) == "replace_guard");
  CHECK(node.CountRows(code) == 90);
  open.set_expect_deletes(90);
  CHECK(node.Push(open, {}).ok());
  CHECK(node.CountRows(code) == 0);
}

TEST_CASE(
    "A push of many payloads is one commit, by lookup and by scan, and leaves nothing staged") {
  LoneNode node;
  const std::string code = node.Publish();
  const int count = static_cast<int>(3 * kBatchRowsMax + 5);
  auto response = node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), Many(0, count, "a"));
  REQUIRE(response.ok());
  CHECK(response->commit() == 1);
  CHECK(node.CountRows(code) == static_cast<uint64_t>(count));
  CHECK(StagedPayloads(node.store()) == 0);
  // Few rows against many: looked up; then many: scanned.
  response = node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), Many(count - 10, 20, "b"));
  REQUIRE(response.ok());
  CHECK(response->updates() == 10);
  CHECK(response->inserts() == 10);
  response = node.Push(node.Open(code, v1::PUSH_MODE_REPLACE), Many(5, count, "a"));
  REQUIRE(response.ok());
  CHECK(response->deletes() == 10);
  CHECK(response->updates() == 15);
  CHECK(node.CountRows(code) == static_cast<uint64_t>(count));
  node.Restart();
  CHECK(node.CountRows(code) == static_cast<uint64_t>(count));
  CHECK(VerifyStore(node.store(), node.site().network())->faults_size() == 0);
}

TEST_CASE("A refused push leaves nothing staged, and what a stop left is removed at the start") {
  LoneNode node;
  const std::string code = node.Publish();
  LoneNode::Rows rows = Many(0, static_cast<int>(2 * kBatchRowsMax), "a");
  rows.push_back(rows.back());
  CHECK(ReasonOf(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), rows).status()) == "row_invalid");
  CHECK(node.driver().WriteOwn({}).ok());
  CHECK(StagedPayloads(node.store()) == 0);
  WriteSet orphan;
  orphan.Put(
      StagedKey(FeedKey::Of(node.site().OwnFeed(v1::FEED_KIND_ROWS, code + ":1")), "gone", 0), "x");
  REQUIRE(node.driver().WriteOwn(std::move(orphan)).ok());
  node.Restart();
  CHECK(StagedPayloads(node.store()) == 0);
}

TEST_CASE("One push of a dataset at a time, and a sender that goes away changes nothing") {
  LoneNode node;
  const std::string code = node.Publish();
  bool opened = false;
  absl::Status second;
  const auto broken = node.pushes().Take(
      node.Editor(), {.read =
                          [&](v1::PushRequest* request) {
                            if (opened) {
                              second =
                                  node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), kThree).status();
                              return false;
                            }
                            *request->mutable_open() = node.Open(code, v1::PUSH_MODE_UPSERT);
                            return opened = true;
                          },
                      .broken = [] { return true; },
                      .cancel = [] {}});
  CHECK(ReasonOf(second) == "push_open");
  CHECK(ReasonOf(broken.status()) == "push_broken");
  CHECK(node.CountRows(code) == 0);
  CHECK(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), kThree).ok());
}

TEST_CASE("A push whose end did not come, or counts other rows, changes nothing") {
  LoneNode node;
  const std::string code = node.Publish();
  const auto push = [&](std::optional<uint64_t> rows_said) {
    std::vector<v1::PushRequest> requests(2);
    *requests[0].mutable_open() = node.Open(code, v1::PUSH_MODE_UPSERT);
    LoneNode::AddRow({.values = {"1", "one", "1"}, .nulls = {}}, &requests[1]);
    if (rows_said.has_value()) requests.emplace_back().mutable_end()->set_rows(*rows_said);
    size_t at = 0;
    return node.pushes().Take(node.Editor(), {.read =
                                                  [&](v1::PushRequest* request) {
                                                    if (at == requests.size()) return false;
                                                    *request = requests[at++];
                                                    return true;
                                                  },
                                              .broken = [] { return false; },
                                              .cancel = [] {}});
  };
  CHECK(ReasonOf(push(std::nullopt).status()) == "push_broken");
  CHECK(ReasonOf(push(2).status()) == "push_malformed");
  CHECK(node.CountRows(code) == 0);
  CHECK(push(1).ok());
  CHECK(node.CountRows(code) == 1);
}

TEST_CASE("A push whose items are changed while it comes is refused, and changes nothing") {
  LoneNode node;
  const std::string code = node.Publish();
  const v1::PushOpen open = node.Open(code, v1::PUSH_MODE_UPSERT);
  const auto requests = node.RequestsOf(open, {{"1", "东", "1"}});
  size_t at = 0;
  const auto refused = node.pushes().Take(
      node.Editor(), {.read =
                          [&](v1::PushRequest* request) {
                            if (at == requests.size()) return false;
                            if (at + 1 == requests.size()) {
                              // An empty table may have any items.
                              v1::CatalogEntry entry = node.Entry(v1::SHARING_TYPE_UNCONDITIONAL);
                              entry.set_code(code);
                              entry.mutable_items()->SwapElements(1, 2);
                              CHECK(node.Edit(entry).ok());
                              CHECK(node.Publish(code).ok());
                            }
                            *request = requests[at++];
                            return true;
                          },
                      .broken = [] { return false; },
                      .cancel = [] {}});
  CHECK(ReasonOf(refused.status()) == "schema_changed");
  CHECK(node.CountRows(code) == 0);
  REQUIRE(node.Push(open, {{"1", "东", "1"}}).ok());
  v1::QueryRequest all;
  all.set_code(code);
  all.set_where("name = '东'");
  CHECK(node.Query(all)->rows_size() == 1);
}

TEST_CASE("Who may push, and to what") {
  LoneNode node;
  const std::string code = node.Publish();
  CHECK(ReasonOf(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), kThree, kOtherUscc).status()) ==
        "not_your_entry");
  CHECK(ReasonOf(node.Push(node.Open("3070120337/630102999999", v1::PUSH_MODE_UPSERT), kThree)
                     .status()) == "entry_unknown");
  const std::string draft = node.Register(node.Entry(v1::SHARING_TYPE_UNCONDITIONAL))->code();
  CHECK(ReasonOf(node.Push(node.Open(draft, v1::PUSH_MODE_UPSERT), kThree).status()) ==
        "not_published");
  REQUIRE(node.Withdraw(code).ok());
  CHECK(ReasonOf(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), kThree).status()) ==
        "entry_withdrawn");
}

TEST_CASE("Rows beyond the buffer are spilled and come back in order") {
  ScratchFolder folder;
  RowSorter sorter({.dir = folder.path("."), .buffer_bytes_max = 4096, .bytes_max = 1 << 20});
  for (uint64_t i = 0; i < 5000; ++i) {
    const std::string key = std::to_string((i * 7919) % 5000 + 10000);
    REQUIRE(sorter.Add(key, "row of " + key, i).ok());
  }
  REQUIRE(sorter.Finish().ok());
  for (int pass = 0; pass < 2; ++pass) {
    REQUIRE(sorter.Rewind().ok());
    for (int i = 0; i < 5000; ++i) {
      REQUIRE(sorter.Valid());
      REQUIRE(sorter.key() == std::to_string(10000 + i));
      REQUIRE(sorter.row() == "row of " + std::to_string(10000 + i));
      REQUIRE(sorter.Next().ok());
    }
    CHECK_FALSE(sorter.Valid());
  }
  RowSorter small({.dir = folder.path("."), .buffer_bytes_max = 4096, .bytes_max = 100});
  CHECK(ReasonOf(small.Add("key", std::string(200, 'x'), 1)) == "push_too_large");
}

}  // namespace
}  // namespace guantong
