// An own dataset some rows of which are known to be lost is refused everywhere, until a backup
// brings them.
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/snapshot.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

TEST_CASE("a dataset with lost rows is not read, not pushed to, and makes no snapshot") {
  LoneNode node;
  const std::string code = node.Publish();
  REQUIRE(node.Push(LoneNode::Open(code, v1::PUSH_MODE_UPSERT), {{"1", "a", "1"}, {"2", "b", "2"}})
              .ok());
  CHECK(node.CountRows(code) == 2);

  const FeedKey feed = FeedKey::Of(node.site().OwnFeed(v1::FEED_KIND_ROWS, code + ":1"));
  std::string bytes;
  REQUIRE(node.store().Get(FeedRecordKey(feed), &bytes).ok());
  storage::v1::FeedRecord record;
  REQUIRE(record.ParseFromString(bytes));
  record.set_incomplete_since(1);
  record.set_fault_text("lost with a file");
  WriteSet writes;
  writes.Put(FeedRecordKey(feed), record.SerializeAsString());
  REQUIRE(node.store().Commit({&writes, 1}).ok());
  node.Restart();

  v1::QueryRequest request;
  request.set_code(code);
  CHECK(DetailOf(node.Query(request).status()).reason == "dataset_damaged");
  CHECK(DetailOf(node.Push(LoneNode::Open(code, v1::PUSH_MODE_UPSERT), {{"3", "c", "3"}}).status())
            .reason == "dataset_damaged");
  const auto manifest =
      BuildSnapshot(node.store(), feed, v1::ENCODING_ROWS,
                    [](const std::string&, const std::string&) { return absl::OkStatus(); });
  CHECK(DetailOf(manifest.status()).reason == "dataset_damaged");
}

}  // namespace
}  // namespace guantong
