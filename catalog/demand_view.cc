#include "catalog/demand_view.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/demand.h"
#include "catalog/keys.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {
namespace {

template <typename Message>
bool Load(const Reader& snapshot, const std::string& key, Message* message) {
  std::string bytes;
  return snapshot.Get(key, &bytes).ok() && message->ParseFromString(bytes);
}

FeedKey FeedOfDemands(const std::string& node_id) {
  v1::FeedId feed;
  feed.set_origin(node_id);
  feed.set_kind(v1::FEED_KIND_DEMANDS);
  return FeedKey::Of(feed);
}

constexpr char kIndexed[] = "demand_indices";
constexpr size_t kIndexKeysTogether = 4096;

// What stands between the beginning of an index key and its next end mark.
absl::string_view NextPart(absl::string_view rest) { return rest.substr(0, rest.find('\0')); }

}  // namespace

std::vector<DemandRecords> FindDemands(const Reader& snapshot, absl::string_view id) {
  std::vector<DemandRecords> found;
  std::vector<std::pair<std::string, DemandRecords::Answer>> answers;  // by the demand's node
  const std::string prefix = DemandIndexPrefix(id);
  const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    const std::string uscc(NextPart(cursor->key().substr(prefix.size())));
    const FeedKey feed = FeedOfIndexKey(cursor->key());
    v1::Demand demand;
    if (!Load(snapshot,
              EntryKey(feed, uscc.empty() ? std::string(id) : absl::StrCat(id, "/", uscc)),
              &demand)) {
      continue;
    }
    if (uscc.empty()) {
      if (FeedOfDemands(demand.node()) == feed) found.push_back({.demand = std::move(demand)});
      continue;
    }
    storage::v1::FeedRecord record;
    if (!Load(snapshot, FeedRecordKey(feed), &record)) continue;
    answers.push_back(
        {demand.node(), {.node_id = record.feed().origin(), .answer = demand.answer()}});
  }
  for (auto& [node, answer] : answers) {
    const auto it = std::find_if(found.begin(), found.end(), [&](const DemandRecords& records) {
      return records.demand.node() == node;
    });
    if (it != found.end()) it->answers.push_back(std::move(answer));
  }
  return found;
}

std::vector<std::string> DemandIds(const Reader& snapshot, absl::string_view after, size_t limit) {
  std::vector<std::string> ids;
  const std::string all = KindPrefix('q');
  const auto cursor =
      snapshot.Scan(after.empty() ? all : PrefixEnd(DemandIndexPrefix(after)), PrefixEnd(all));
  for (; cursor->Valid() && ids.size() <= limit; cursor->Next()) {
    std::string id(NextPart(cursor->key().substr(all.size())));
    if (ids.empty() || ids.back() != id) ids.push_back(std::move(id));
  }
  if (ids.size() > limit) ids.resize(limit);
  return ids;
}

std::vector<std::string> DemandsAsking(const Reader& snapshot, absl::string_view whom,
                                       size_t limit) {
  std::vector<std::string> ids;
  const std::string prefix = AddresseeIndexPrefix(whom);
  const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid() && ids.size() < limit; cursor->Next()) {
    std::string id(NextPart(cursor->key().substr(prefix.size())));
    if (ids.empty() || ids.back() != id) ids.push_back(std::move(id));
  }
  return ids;
}

absl::Status EnsureDemandIndices(Store* store) {
  std::string ignored;
  const absl::Status marked = store->Get(NodeFactKey(kIndexed), &ignored);
  if (!absl::IsNotFound(marked)) return marked;
  const std::unique_ptr<Reader> snapshot = store->Snapshot();
  WriteSet writes;
  size_t keys = 0;
  const std::string feeds = KindPrefix('F');
  const auto feed_at = snapshot->Scan(feeds, PrefixEnd(feeds));
  for (; feed_at->Valid(); feed_at->Next()) {
    storage::v1::FeedRecord record;
    if (!record.ParseFromArray(feed_at->value().data(),
                               static_cast<int>(feed_at->value().size())) ||
        record.feed().kind() != v1::FEED_KIND_DEMANDS) {
      continue;
    }
    const FeedKey feed = FeedKey::Of(record.feed());
    const std::string entries = EntryPrefix(feed);
    const auto entry_at = snapshot->Scan(entries, PrefixEnd(entries));
    for (; entry_at->Valid(); entry_at->Next()) {
      v1::Demand demand;
      if (!demand.ParseFromArray(entry_at->value().data(),
                                 static_cast<int>(entry_at->value().size()))) {
        continue;
      }
      for (const std::string& key : IndexOfDemand(feed, demand).held) {
        writes.Put(key, "");
        if (++keys % kIndexKeysTogether != 0) continue;
        GT_RETURN_IF_ERROR(store->Commit({&writes, 1}));
        writes = WriteSet();
      }
    }
    GT_RETURN_IF_ERROR(entry_at->status());
  }
  GT_RETURN_IF_ERROR(feed_at->status());
  writes.Put(NodeFactKey(kIndexed), "1");
  return store->Commit({&writes, 1});
}

}  // namespace guantong
