#include "node/site.h"

#include "catalog/keys.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {

bool Site::Withholds(const std::string& table, const std::string& asking_node) const {
  if (asking_node == node_id()) return false;
  std::string bytes;
  storage::v1::FeedRecord own;
  const FeedKey key = FeedKey::Of(OwnFeed(v1::FEED_KIND_ROWS, table));
  return store->Get(FeedRecordKey(key), &bytes).ok() && own.ParseFromString(bytes) && !own.shared();
}

}  // namespace guantong
