#include "catalog/view.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/claims.h"
#include "catalog/keys.h"

namespace guantong {
namespace {

template <typename Message>
std::optional<Message> Read(const Reader& snapshot, const std::string& key) {
  std::string value;
  Message message;
  if (!snapshot.Get(key, &value).ok() || !message.ParseFromString(value)) return std::nullopt;
  return message;
}

// The items of a not-shared entry travel in a feed of their own, upward; a version that has not
// arrived yet is no version.
void AddUpwardItems(const Reader& snapshot, v1::CatalogEntry* entry) {
  if (!entry->items_withheld() || entry->node().size() != kDigestBytes) return;
  v1::FeedId upward;
  upward.set_origin(entry->node());
  upward.set_kind(v1::FEED_KIND_CATALOG_UPWARD);
  std::optional<v1::CatalogEntry> full =
      Read<v1::CatalogEntry>(snapshot, EntryKey(FeedKey::Of(upward), entry->code()));
  if (!full || full->version() != entry->version()) return;
  *entry->mutable_items() = std::move(*full->mutable_items());
  entry->clear_items_withheld();
}

bool IsWanted(const v1::CatalogEntry& entry, const EntryQuery& query) {
  if (query.state == v1::ENTRY_STATE_UNSPECIFIED ? entry.state() == v1::ENTRY_STATE_WITHDRAWN
                                                 : entry.state() != query.state) {
    return false;
  }
  return query.provider_code.empty() || entry.provider_code() == query.provider_code;
}

}  // namespace

absl::StatusOr<v1::CatalogEntry> FindEntry(const Reader& snapshot, absl::string_view code,
                                           UpwardItems items) {
  std::optional<v1::CatalogEntry> entry = EntryInForce(snapshot, code);
  if (!entry) entry = EntryByAlias(snapshot, code);
  if (!entry) {
    return Error(absl::StatusCode::kNotFound, "entry_unknown",
                 absl::StrCat("没有信息资源代码为 ", code, " 的目录条目"), code);
  }
  if (items == UpwardItems::kShown) AddUpwardItems(snapshot, &*entry);
  return *std::move(entry);
}

EntryPage FindEntries(const Reader& snapshot, const EntryQuery& query) {
  EntryPage page;
  if (query.limit == 0) return page;
  // Of one node its feed has them in the order of their codes, as the index has those of all.
  const bool one_node = !query.node.empty();
  v1::FeedId feed;
  feed.set_origin(query.node);
  feed.set_kind(v1::FEED_KIND_CATALOG_OPEN);
  const FeedKey key_of_feed = FeedKey::Of(feed);
  const std::string all = one_node ? EntryPrefix(key_of_feed) : KindPrefix('J');
  const std::string& after = query.after_code;
  const auto cursor = snapshot.Scan(after.empty() ? all
                                    : one_node    ? EntryKey(key_of_feed, after) + '\0'
                                                  : PrefixEnd(EntryIndexPrefix(after)),
                                    PrefixEnd(all));
  std::string code;
  for (; cursor->Valid(); cursor->Next()) {
    const absl::string_view key = cursor->key().substr(all.size());
    const absl::string_view at = one_node ? key : key.substr(0, key.size() - 1 - kFeedKeyBytes);
    if (at == code) continue;  // in another feed, too
    if (page.looked == query.looked_max) {
      page.next_after_code = code;
      break;
    }
    ++page.looked;
    code = std::string(at);
    absl::StatusOr<v1::CatalogEntry> entry = FindEntry(snapshot, code);
    if (!entry.ok() || (one_node && entry->node() != query.node) || !IsWanted(*entry, query))
      continue;
    if (page.entries.size() == query.limit) {
      page.next_after_code = page.entries.back().code();
      break;
    }
    page.entries.push_back(*std::move(entry));
  }
  return page;
}

absl::StatusOr<v1::Member> FindMember(const Reader& snapshot, absl::string_view node_id) {
  std::optional<v1::Member> member = MemberInForce(snapshot, node_id);
  if (!member) {
    return Error(absl::StatusCode::kNotFound, "node_unknown",
                 absl::StrCat("没有节点 ", HexOf(node_id)), HexOf(node_id));
  }
  return *std::move(member);
}

std::vector<v1::Member> AllMembers(const Reader& snapshot) {
  std::map<std::string, v1::Member> by_id;
  const std::string kind = KindPrefix('M');
  const auto cursor = snapshot.Scan(kind, PrefixEnd(kind));
  for (; cursor->Valid(); cursor->Next()) {
    v1::Member member;
    const absl::string_view value = cursor->value();
    if (!member.ParseFromArray(value.data(), static_cast<int>(value.size()))) continue;
    const std::string node_id = member.node_id();
    if (by_id.emplace(node_id, std::move(member)).second) continue;
    if (auto held = MemberInForce(snapshot, node_id)) by_id[node_id] = *std::move(held);
  }
  std::vector<v1::Member> members;
  for (auto& [node_id, member] : by_id) members.push_back(std::move(member));
  std::sort(members.begin(), members.end(),
            [](const v1::Member& a, const v1::Member& b) { return a.path() < b.path(); });
  return members;
}

}  // namespace guantong
