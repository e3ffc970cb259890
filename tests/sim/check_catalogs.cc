// A node's catalogue is at every node above it, and wherever the scope of somebody reaches; the upward half above it only.
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/numbers.h"
#include "catalog/base/digest.h"
#include "guantong/v1/entry.pb.h"
#include "tests/sim/checkers.h"

namespace guantong::sim {

namespace {

std::map<std::string, std::string> EntriesOf(const Node& node, const FeedKey& feed) {
  std::map<std::string, std::string> entries;
  const std::string prefix = EntryPrefix(feed);
  for (auto cursor = node.store().Scan(prefix, PrefixEnd(prefix)); cursor->Valid(); cursor->Next()) {
    entries[std::string(cursor->key())] = std::string(cursor->value());
  }
  return entries;
}

FeedKey CatalogOf(const Node& node, v1::FeedKind kind) {
  v1::FeedId feed;
  feed.set_origin(node.id());
  feed.set_kind(kind);
  return FeedKey::Of(feed);
}

bool Reaches(const Node& node, const Node& origin) {
  switch (node.options().catalog_scope) {
    case CatalogScope::kCountry:
      return true;
    case CatalogScope::kProvince:
      return node.path().depth() > 1 && node.path().Ancestor(1).Contains(origin.path());
    case CatalogScope::kBranch:
      return false;
  }
  return false;
}

}  // namespace

std::string AwaitsCatalogs(World& world) {
  for (size_t from = 0; from < world.size(); ++from) {
    const Node& origin = world.node(from);
    for (v1::FeedKind kind : {v1::FEED_KIND_CATALOG_OPEN, v1::FEED_KIND_CATALOG_UPWARD}) {
      const FeedKey feed = CatalogOf(origin, kind);
      const std::map<std::string, std::string> entries = EntriesOf(origin, feed);
      // Restored to before its first record, with neighbours that know no more: its next record opens the feed anew.
      if (std::string none; world.ledger().rewound.count(from) > 0 && !origin.store().Get(FeedRecordKey(feed), &none).ok()) {
        continue;
      }
      for (size_t to = 0; to < world.size(); ++to) {
        const Node& node = world.node(to);
        if (to == from) continue;
        const bool above = node.path().Contains(origin.path());
        if (!above && (kind == v1::FEED_KIND_CATALOG_UPWARD || !Reaches(node, origin))) continue;
        if (EntriesOf(node, feed) != entries) {
          return absl::StrCat("the catalogue of ", origin.name(), " (feed ", HexOf(feed.bytes().substr(0, 3)), ", ",
                              entries.size(), " entries) at ", node.name(), ", which has ",
                              EntriesOf(node, feed).size());
        }
      }
    }
  }
  for (const auto& [where, published] : world.ledger().entries) {
    if (published.acknowledged == 0 || world.ledger().rewound.count(where.first) > 0) continue;
    const Node& origin = world.node(where.first);
    std::string bytes;
    v1::CatalogEntry entry;
    uint64_t version = 0;
    if (origin.store().Get(EntryKey(CatalogOf(origin, v1::FEED_KIND_CATALOG_OPEN), where.second), &bytes).ok() &&
        entry.ParseFromString(bytes)) {
      const absl::string_view name = entry.name();
      (void)absl::SimpleAtoi(name.substr(name.find(' ') + 1), &version);
    }
    if (version < published.acknowledged) {
      return absl::StrCat("version ", published.acknowledged, " of ", where.second, " at ", origin.name());
    }
    if (version > published.last_version) return absl::StrCat("an invented version of ", where.second);
  }
  return "";
}

}  // namespace guantong::sim
