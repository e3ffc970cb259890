#include "catalog/claims.h"

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "catalog/base/node_path.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {
namespace {

template <typename Message>
std::optional<Message> Read(const Reader& snapshot, const std::string& key) {
  std::string value;
  Message message;
  if (!snapshot.Get(key, &value).ok() || !message.ParseFromString(value)) return std::nullopt;
  return message;
}

// The feeds that the index keys with this prefix end with.
std::vector<FeedKey> FeedsOf(const Reader& snapshot, const std::string& prefix) {
  std::vector<FeedKey> feeds;
  const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) feeds.push_back(FeedOfIndexKey(cursor->key()));
  return feeds;
}

// --- nodes ---

bool Proves(const Reader& snapshot, const v1::Member& member) {
  for (v1::FeedKind kind : {v1::FEED_KIND_MEMBERSHIP, v1::FEED_KIND_CATALOG_OPEN}) {
    v1::FeedId feed;
    feed.set_origin(member.node_id());
    feed.set_kind(kind);
    const auto record = Read<storage::v1::FeedRecord>(snapshot, FeedRecordKey(FeedKey::Of(feed)));
    if (record.has_value() && record->origin_path() == member.path()) return true;
  }
  return false;
}

// The least one holds.
auto RankOf(const Reader& snapshot, const FeedKey& feed, const v1::Member& member) {
  const auto record = Read<storage::v1::FeedRecord>(snapshot, FeedRecordKey(feed));
  const bool ours = record.has_value() && record->own();
  return std::make_tuple(!ours, !Proves(snapshot, member), ~member.admitted_at().seconds(),
                         ~member.admitted_at().nanos(), member.path());
}

// --- codes ---

// How much of the division in `code` the claimant's own one covers; -1 when it is another.
int Nearness(const std::optional<v1::Member>& claimant, absl::string_view code) {
  constexpr size_t kSerialDigits = 6;
  const absl::string_view sequence = code.substr(code.find('/') + 1);
  // A class delegated to one node: its sequence names no division.
  if (sequence.size() <= kSerialDigits) return -1;
  const absl::string_view division = sequence.substr(0, 6);
  if (!claimant.has_value() || !IsDivisionCode(claimant->division())) return -1;
  const absl::string_view own = DivisionDigits(claimant->division());
  return absl::StartsWith(division, own) ? static_cast<int>(own.size()) : -1;
}

// The least one holds.
auto RankOf(const Reader& snapshot, const FeedKey& feed, const v1::CatalogEntry& entry) {
  const auto record = Read<storage::v1::FeedRecord>(snapshot, FeedRecordKey(feed));
  const bool ours = record.has_value() && record->own();
  const absl::StatusOr<NodePath> path =
      NodePath::Parse(record.has_value() ? record->origin_path() : "");
  const std::optional<v1::Member> member = MemberInForce(snapshot, entry.node());
  google::protobuf::Timestamp admitted;
  admitted.set_seconds(std::numeric_limits<int64_t>::max());
  if (member.has_value()) admitted = member->admitted_at();
  return std::make_tuple(!ours, -Nearness(member, entry.code()),
                         path.ok() ? path->depth() : kPathDepthMax, admitted.seconds(),
                         admitted.nanos(), entry.node());
}

template <typename Message, typename KeyIn>
std::optional<Message> InForce(const Reader& snapshot, const std::vector<FeedKey>& feeds,
                               KeyIn key_in) {
  std::vector<std::pair<FeedKey, Message>> claims;
  for (const FeedKey& feed : feeds) {
    std::optional<Message> message = Read<Message>(snapshot, key_in(feed));
    if (message.has_value()) claims.emplace_back(feed, *std::move(message));
  }
  if (claims.empty()) return std::nullopt;
  size_t best = 0;
  if (claims.size() > 1) {
    auto rank = RankOf(snapshot, claims[0].first, claims[0].second);
    for (size_t i = 1; i < claims.size(); ++i) {
      auto other = RankOf(snapshot, claims[i].first, claims[i].second);
      if (!(other < rank)) continue;
      rank = std::move(other);
      best = i;
    }
  }
  return std::move(claims[best].second);
}

}  // namespace

std::optional<v1::CatalogEntry> EntryInForce(const Reader& snapshot, absl::string_view code) {
  return InForce<v1::CatalogEntry>(snapshot, FeedsOf(snapshot, EntryIndexPrefix(code)),
                                   [&](const FeedKey& feed) { return EntryKey(feed, code); });
}

std::optional<v1::CatalogEntry> EntryByAlias(const Reader& snapshot, absl::string_view alias) {
  std::optional<v1::CatalogEntry> found;
  const std::string prefix = AliasPrefix(alias);
  const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    const std::string code(cursor->value());
    if (found.has_value() && found->code() <= code) continue;
    std::optional<v1::CatalogEntry> entry = EntryInForce(snapshot, code);
    // The index may be older than the entry.
    if (entry.has_value() &&
        std::count(entry->aliases().begin(), entry->aliases().end(), alias) > 0)
      found = std::move(entry);
  }
  return found;
}

std::optional<v1::Member> MemberInForce(const Reader& snapshot, absl::string_view node_id) {
  return InForce<v1::Member>(snapshot, FeedsOf(snapshot, MemberIndexPrefix(node_id)),
                             [&](const FeedKey& feed) { return MemberKey(feed, node_id); });
}

}  // namespace guantong
