// A log that is trimmed while earlier trims are still on their way to the disk.
#include <deque>

#include "catalog/base/digest.h"
#include "catalog/memory_store.h"
#include "guantong/v1/entry.pb.h"
#include "relay/core/engine.h"
#include "tests/catch.h"
#include "tests/unit/identities.h"

namespace guantong {
namespace {

TEST_CASE("A log begins where its record says, whenever its trims become durable") {
  const absl::Time now = absl::Now();
  const MadeNode root = MakeRoot();
  MemoryStore store;
  auto engine =
      Engine::Create({.feed_log_bytes_max = 4000},
                     {root.signing_key, root.chain, VerifyChain(root.chain, "", now).value()},
                     &store, &RandomBytes, now)
          .value();
  v1::FeedId feed;
  feed.set_origin(root.node_id());
  feed.set_kind(v1::FEED_KIND_CATALOG_OPEN);
  std::deque<Effects> on_their_way;
  int codes = 0;
  const auto append = [&] {
    v1::CatalogEntry entry;
    entry.set_code("1/" + std::to_string(++codes));
    entry.set_node(root.node_id());
    AppendRecords event{.kind = v1::FEED_KIND_CATALOG_OPEN};
    event.records.emplace_back().set_entry(entry.SerializeAsString());
    on_their_way.push_back(engine->Step(std::move(event), now));
  };
  const auto commit = [&] {
    while (!on_their_way.empty()) {
      const Effects effects = std::move(on_their_way.front());
      on_their_way.pop_front();
      if (effects.ticket == 0) continue;
      REQUIRE(store.Commit({effects.commit}).ok());
      on_their_way.push_back(engine->Step(Committed{effects.ticket}, now));
    }
  };
  for (int round = 0; round < 12; ++round) {
    // Many at once reach the bound, and trim, several times before any of it is durable.
    for (int i = 0; i < 5 + 3 * round; ++i) append();
    commit();
    std::string bytes;
    storage::v1::FeedRecord record;
    REQUIRE(store.Get(FeedRecordKey(FeedKey::Of(feed)), &bytes).ok());
    REQUIRE(record.ParseFromString(bytes));
    const std::string log = LogPrefix(FeedKey::Of(feed));
    uint64_t kept_bytes = 0;
    uint64_t batches = 0;
    uint64_t first_prev = 0;
    for (auto cursor = store.Scan(log, PrefixEnd(log)); cursor->Valid(); cursor->Next()) {
      v1::SignedBatch batch;
      v1::BatchHeader header;
      REQUIRE(batch.ParseFromString(std::string(cursor->value())));
      REQUIRE(header.ParseFromString(batch.header()));
      if (batches++ == 0) first_prev = header.prev();
      kept_bytes += batch.payload().size() + batch.header().size();
    }
    CHECK(record.log_from().sequence() == first_prev);
    CHECK(record.log_batches() == batches);
    CHECK(record.log_bytes() == kept_bytes);
  }
}

}  // namespace
}  // namespace guantong
