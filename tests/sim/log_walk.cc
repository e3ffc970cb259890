#include "tests/sim/log_walk.h"

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/batch.h"
#include "catalog/logged.h"

namespace guantong::sim {

void ForEachFeed(const Node& node,
                 const std::function<void(const storage::v1::FeedRecord& record)>& visit) {
  const std::string prefix = KindPrefix('F');
  for (auto cursor = node.store().Scan(prefix, PrefixEnd(prefix)); cursor->Valid();
       cursor->Next()) {
    storage::v1::FeedRecord record;
    record.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()));
    visit(record);
  }
}

void ForEachBatch(const Node& node, const FeedKey& feed,
                  const std::function<void(const LoggedBatch& batch)>& visit) {
  const std::string prefix = LogPrefix(feed);
  for (auto cursor = node.store().Scan(prefix, PrefixEnd(prefix)); cursor->Valid();
       cursor->Next()) {
    const absl::StatusOr<v1::SignedBatch> batch = ReadLogged(node.store(), feed, cursor->value());
    LoggedBatch logged;
    if (!batch.ok() || !logged.header.ParseFromString(batch->header())) continue;
    logged.bytes = batch->header().size() + batch->payload().size();
    logged.rows = logged.header.encoding() != v1::ENCODING_RECORDS;
    if (logged.header.encoding() == v1::ENCODING_RECORDS) {
      const absl::StatusOr<std::string> payload =
          DecodePayload(logged.header.compression(), batch->payload());
      if (payload.ok()) logged.records.ParseFromString(*payload);
    }
    visit(logged);
  }
}

std::string NameOf(const Node& node, const storage::v1::FeedRecord& record) {
  return absl::StrCat(node.name(), " feed ", HexOf(FeedKey::Of(record.feed()).bytes().substr(0, 3)),
                      " ", v1::FeedKind_Name(record.feed().kind()), " ", record.feed().resource());
}

}  // namespace guantong::sim
