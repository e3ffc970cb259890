// What a node makes again of its own feeds when a whole kind of keys is gone.
#include "node/upkeep/mend_feeds.h"

#include <map>
#include <string>

#include "catalog/keys.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

std::map<std::string, std::string> KeysOf(const Reader& store, char kind) {
  std::map<std::string, std::string> found;
  const std::string prefix = KindPrefix(kind);
  for (auto cursor = store.Scan(prefix, PrefixEnd(prefix)); cursor->Valid(); cursor->Next())
    found.emplace(cursor->key(), cursor->value());
  return found;
}

// A node with a dataset, all keys of one kind taken out of its store and mended.
struct Mended {
  explicit Mended(char kind) {
    AppendRecords append = {.kind = v1::FEED_KIND_MEMBERSHIP};
    v1::Member* child = append.records.emplace_back().mutable_member();
    child->set_node_id(std::string(32, 'c'));
    child->set_path("630000");
    child->set_division("630000");
    REQUIRE(node.driver().Write(std::move(append)).ok());
    code = node.Publish();
    REQUIRE(node.Push(LoneNode::Open(code, v1::PUSH_MODE_UPSERT),
                      {{"1", "a", "1"}, {"2", "b", "2"}, {"3", "c", "3"}})
                .ok());
    REQUIRE(node.Push(LoneNode::Open(code, v1::PUSH_MODE_UPSERT), {{"2", "d", "4"}}).ok());
    AppendRecords needs = {.kind = v1::FEED_KIND_DEMANDS};
    v1::Demand demand;
    demand.set_id("D1");
    demand.set_key("D1");
    demand.set_node(node.site().node_id());
    demand.set_from("教育局");
    needs.records.emplace_back().set_demand(demand.SerializeAsString());
    REQUIRE(node.driver().Write(std::move(needs)).ok());
    before = KeysOf(node.store(), kind);
    REQUIRE_FALSE(before.empty());
    const LostRange lost = {.begin = KindPrefix(kind), .end = PrefixEnd(KindPrefix(kind))};
    WriteSet writes;
    writes.DeleteRange(lost.begin, lost.end);
    REQUIRE(node.store().Commit({&writes, 1}).ok());
    REQUIRE(MendFeeds(&node.store(), *node.site().identity, {&lost, 1}, &damage).ok());
    after = KeysOf(node.store(), kind);
    // A second time there is nothing left to do that was not done.
    v1::Damage again;
    REQUIRE(MendFeeds(&node.store(), *node.site().identity, {&lost, 1}, &again).ok());
    CHECK(KeysOf(node.store(), kind) == after);
    node.Restart();
  }
  void StillWorks() {
    CHECK(node.CountRows(code) == 3);
    v1::QueryRequest request;
    request.set_code(code);
    request.set_where("name = 'd'");
    request.set_count(true);
    CHECK(node.Query(request)->total() == 1);
    CHECK(node.Push(LoneNode::Open(code, v1::PUSH_MODE_UPSERT), {{"5", "e", "5"}}).ok());
    CHECK(node.CountRows(code) == 4);
  }
  LoneNode node;
  std::string code;
  std::map<std::string, std::string> before;
  std::map<std::string, std::string> after;
  v1::Damage damage;
};

TEST_CASE("records of own feeds are made again from their logs") {
  Mended mended('F');
  REQUIRE(mended.after.size() == mended.before.size());
  for (const auto& [key, value] : mended.before) {
    storage::v1::FeedRecord was, is;
    REQUIRE(was.ParseFromString(value));
    REQUIRE(is.ParseFromString(mended.after.at(key)));
    INFO(was.DebugString() << is.DebugString());
    CHECK(is.head().SerializeAsString() == was.head().SerializeAsString());
    CHECK(is.visible().SerializeAsString() == was.visible().SerializeAsString());
    CHECK(is.log_from().epoch().number() == was.log_from().epoch().number());
    CHECK(is.log_bytes() == was.log_bytes());
    CHECK(is.log_batches() == was.log_batches());
    CHECK(is.commit() == was.commit());
    CHECK(is.own() == was.own());
    CHECK(is.applied() == was.applied());
    CHECK(is.shared() == was.shared());
    CHECK(is.closed() == was.closed());
    CHECK(is.schema_version() == was.schema_version());
  }
  REQUIRE(mended.damage.feeds_size() == static_cast<int>(mended.before.size()));
  for (const v1::DamagedFeed& feed : mended.damage.feeds()) CHECK(feed.cure() == "rebuilt");
  mended.StillWorks();
}

TEST_CASE("indices are made again from the facts") {
  for (const char kind : {'m', 'J', 'q', 'f'}) {
    INFO(kind);
    Mended mended(kind);
    CHECK(mended.after == mended.before);
    mended.StillWorks();
  }
}

TEST_CASE("tables and facts of own feeds are made again from their logs") {
  for (const char kind : {'T', 'M', 'E'}) {
    INFO(kind);
    Mended mended(kind);
    CHECK(mended.after.size() == mended.before.size());
    REQUIRE(mended.damage.feeds_size() > 0);
    for (const v1::DamagedFeed& feed : mended.damage.feeds()) CHECK(feed.cure() == "replayed");
    mended.StillWorks();
  }
}

TEST_CASE("without the chains that signed it a log is of no use, and all goes on without it") {
  Mended mended('C');
  CHECK(mended.damage.feeds_size() > 0);
  for (const v1::DamagedFeed& feed : mended.damage.feeds()) CHECK(feed.cure() == "shortened");
  mended.StillWorks();
}

TEST_CASE("what only this node knew is named as lost") {
  Mended mended('P');
  CHECK(mended.after.empty());
  REQUIRE(mended.damage.lost_size() == 1);
  CHECK(mended.damage.lost(0).find("push results") != std::string::npos);
  mended.StillWorks();
}

}  // namespace
}  // namespace guantong
