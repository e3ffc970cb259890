// What a node makes again of its own feeds when a whole kind of keys is gone.
#include "node/upkeep/mend_feeds.h"

#include <map>
#include <string>
#include <vector>

#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/logged.h"
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

// A node whose rows came in two large pushes, as blocks of the log.
struct Blocks {
  Blocks() {
    code = node.Publish();
    for (const int from : {0, 1000}) {
      LoneNode::Rows rows;
      for (int i = from; i < from + 1000; ++i) {
        rows.push_back({std::to_string(100'000 + i), HexOf(Sha256(std::to_string(i))).substr(0, 20),
                        std::to_string(i)});
      }
      REQUIRE(node.Push(LoneNode::Open(code, v1::PUSH_MODE_UPSERT), rows).ok());
    }
    key = FeedKey::Of(node.site().OwnFeed(v1::FEED_KIND_ROWS, code + ":1"));
    for (const auto& [at, block] : KeysOf(node.store(), 'Z')) blocks.push_back(at);
    REQUIRE(blocks.size() == 2);
  }
  // `keys` are gone, and what the damage of the file is taken for is told.
  v1::DamagedFeed Mend(const std::vector<std::string>& keys, LostRange lost) {
    WriteSet writes;
    for (const std::string& gone : keys) writes.Delete(gone);
    REQUIRE(node.store().Commit({&writes, 1}).ok());
    v1::Damage damage;
    REQUIRE(MendFeeds(&node.store(), *node.site().identity, {&lost, 1}, &damage).ok());
    REQUIRE(damage.feeds_size() > 0);
    return damage.feeds(damage.feeds_size() - 1);
  }
  storage::v1::FeedRecord Record() {
    std::string bytes;
    storage::v1::FeedRecord record;
    REQUIRE(node.store().Get(FeedRecordKey(key), &bytes).ok());
    REQUIRE(record.ParseFromString(bytes));
    return record;
  }
  LoneNode node;
  std::string code;
  FeedKey key;
  std::vector<std::string> blocks;
};

const LostRange kBlocksLost = {.begin = KindPrefix('Z'), .end = PrefixEnd(KindPrefix('Z'))};

TEST_CASE("own blocks of the log that are gone are awaited with it, and not read before") {
  Blocks data;
  CHECK(data.Mend({data.blocks[0]}, kBlocksLost).cure() == "fetched");
  const storage::v1::FeedRecord record = data.Record();
  CHECK(record.blocks_awaited());
  CHECK(record.incomplete_since() > 0);
  REQUIRE(record.has_log_lost_from());
  CHECK(record.log_lost_from().epoch().number() == 0);
  // The log begins behind what is gone.
  CHECK(LogBlockKey(data.key, record.log_from().epoch().number(), record.log_from().sequence()) ==
        data.blocks[0]);
  data.node.Restart();
  v1::QueryRequest request;
  request.set_code(data.code);
  CHECK(DetailOf(data.node.Query(request).status()).reason == "dataset_damaged");
  // The other one is damaged, too, before anything has come back.
  CHECK(data.Mend({data.blocks[1]}, kBlocksLost).cure() == "fetched");
  CHECK(data.Record().blocks_awaited());
  CHECK(data.Record().log_lost_from().epoch().number() == 0);
}

TEST_CASE("own rows of which more is gone than blocks of the log are lost") {
  Blocks data;
  SECTION("the index of the table") {
    const auto index = KeysOf(data.node.store(), 'V');
    REQUIRE_FALSE(index.empty());
    WriteSet writes;
    writes.Delete(data.blocks[0]);
    REQUIRE(data.node.store().Commit({&writes, 1}).ok());
    CHECK(data.Mend({index.begin()->first},
                    {.begin = KindPrefix('V'), .end = PrefixEnd(KindPrefix('V'))})
              .cure() == "none");
  }
  SECTION("a block older than the log") {
    storage::v1::FeedRecord record = data.Record();
    WriteSet writes;
    auto cursor = data.node.store().Scan(LogPrefix(data.key), PrefixEnd(LogPrefix(data.key)));
    for (; cursor->Valid(); cursor->Next()) {
      const absl::StatusOr<LoggedHead> head = ReadLoggedHead(cursor->value());
      REQUIRE(head.ok());
      writes.Delete(std::string(cursor->key()));
      *record.mutable_log_from() = head->position;
      if (head->block) break;
    }
    writes.Put(FeedRecordKey(data.key), record.SerializeAsString());
    REQUIRE(data.node.store().Commit({&writes, 1}).ok());
    CHECK(data.Mend(data.blocks, kBlocksLost).cure() == "none");
  }
  CHECK_FALSE(data.Record().blocks_awaited());
  CHECK(data.Record().incomplete_since() > 0);
}

TEST_CASE("a snapshot goes with the blocks it names, and with it what was left for it") {
  Blocks data;
  WriteSet writes;
  const std::string run = OwnBlockPrefix(data.key, 77);
  const std::string left = OwnBlockKey(data.key, 77, "k");
  const std::string hash = Sha256("chunk");
  writes.Put(left, "a block of a run that is merged");
  writes.Put(LeftKey(data.key, run), "");
  writes.Put(ChunkNameKey(data.key, hash), left);
  writes.Put(ChunkNameKey(data.key, Sha256("other chunk")), data.blocks[1]);
  REQUIRE(data.node.store().Commit({&writes, 1}).ok());
  SECTION("blocks are gone") {
    CHECK(data.Mend({data.blocks[0]}, kBlocksLost).cure() == "fetched");
  }
  SECTION("a name is gone") {
    CHECK(data.Mend({ChunkNameKey(data.key, hash)},
                    {.begin = KindPrefix('b'), .end = PrefixEnd(KindPrefix('b'))})
              .cure() == "dropped");
  }
  SECTION("what was left is not known any more") {
    CHECK(data.Mend({LeftKey(data.key, run)},
                    {.begin = KindPrefix('o'), .end = PrefixEnd(KindPrefix('o'))})
              .cure() == "dropped");
    CHECK(KeysOf(data.node.store(), 'Z').size() == data.blocks.size());
  }
  for (const char kind : {'b', 'o', 'Y'}) CHECK(KeysOf(data.node.store(), kind).empty());
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
