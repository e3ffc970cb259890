// What `verify` finds in a store.
#include "node/verify.h"

#include <string>

#include "absl/strings/match.h"
#include "catalog/base/digest.h"
#include "catalog/keys.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

TEST_CASE("verify holds chunks that name blocks against them") {
  LoneNode node;
  const std::string code = node.Publish();
  LoneNode::Rows rows;
  for (int i = 0; i < 1000; ++i)
    rows.push_back({std::to_string(100'000 + i), HexOf(Sha256(std::to_string(i))).substr(0, 20),
                    std::to_string(i)});
  REQUIRE(node.Push(LoneNode::Open(code, v1::PUSH_MODE_UPSERT), rows).ok());
  const FeedKey feed = FeedKey::Of(node.site().OwnFeed(v1::FEED_KIND_ROWS, code + ":1"));
  const auto cursor = node.store().Scan(LogBlocksPrefix(feed), PrefixEnd(LogBlocksPrefix(feed)));
  REQUIRE(cursor->Valid());
  const std::string block(cursor->key());
  const auto faults = [&](const std::string& hash, const std::string& named) {
    WriteSet writes;
    writes.DeleteRange(ChunkNamesPrefix(feed), PrefixEnd(ChunkNamesPrefix(feed)));
    writes.Put(ChunkNameKey(feed, hash), named);
    REQUIRE(node.store().Commit({&writes, 1}).ok());
    const auto verified = VerifyStore(node.store(), node.site().network());
    REQUIRE(verified.ok());
    return verified->faults_size() == 0 ? "" : verified->faults(0).text();
  };
  const std::string hash = Sha256(cursor->value());
  CHECK(faults(hash, block).empty());
  CHECK(absl::StrContains(faults(Sha256("another"), block), "does not match its hash"));
  CHECK(absl::StrContains(faults(hash, OwnBlockKey(feed, 9, "k")), "is missing"));
}

}  // namespace
}  // namespace guantong
