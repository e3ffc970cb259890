// A node's catalogue is at every node above it, and wherever the scope of somebody reaches; the
// upward half above it only.
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "guantong/v1/entry.pb.h"
#include "tests/sim/checkers.h"

namespace guantong::sim {

namespace {

// Entries at `node` are those at `origin`.
bool SameEntries(const Node& node, const Node& origin, const FeedKey& feed) {
  const std::string prefix = EntryPrefix(feed);
  auto here = node.store().Scan(prefix, PrefixEnd(prefix));
  auto there = origin.store().Scan(prefix, PrefixEnd(prefix));
  for (; here->Valid() && there->Valid(); here->Next(), there->Next()) {
    if (here->key() != there->key() || here->value() != there->value()) return false;
  }
  return !here->Valid() && !there->Valid();
}

size_t EntriesAt(const Node& node, const FeedKey& feed) {
  size_t entries = 0;
  const std::string prefix = EntryPrefix(feed);
  for (auto cursor = node.store().Scan(prefix, PrefixEnd(prefix)); cursor->Valid(); cursor->Next())
    ++entries;
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

std::string AwaitsCatalog(World& world, size_t from, const std::vector<size_t>& looking) {
  const Node& origin = world.node(from);
  for (v1::FeedKind kind : {v1::FEED_KIND_CATALOG_OPEN, v1::FEED_KIND_CATALOG_UPWARD}) {
    const FeedKey feed = CatalogOf(origin, kind);
    // Restored to before its first record, with neighbours that know no more: its next record opens
    // the feed anew.
    if (std::string none; world.ledger().rewound.count(from) > 0 &&
                          !origin.store().Get(FeedRecordKey(feed), &none).ok()) {
      continue;
    }
    const auto awaited = [&](size_t to) {
      const Node& node = world.node(to);
      if (SameEntries(node, origin, feed)) return std::string();
      return absl::StrCat("the catalogue of ", origin.name(), " (feed ",
                          HexOf(feed.bytes().substr(0, 3)), ", ", EntriesAt(origin, feed),
                          " entries) at ", node.name(), ", which has ", EntriesAt(node, feed));
    };
    for (size_t to = from; to != 0;) {
      to = world.place(to).parent;
      if (std::string missing = awaited(to); !missing.empty()) return missing;
    }
    if (kind == v1::FEED_KIND_CATALOG_UPWARD) continue;
    for (const size_t to : looking) {
      if (to == from || !Reaches(world.node(to), origin)) continue;
      if (std::string missing = awaited(to); !missing.empty()) return missing;
    }
  }
  return "";
}

std::string AwaitsEntry(World& world, size_t from, const std::string& code,
                        const PublishedEntry& published) {
  if (published.acknowledged == 0 || world.ledger().rewound.count(from) > 0) return "";
  const Node& origin = world.node(from);
  std::string bytes;
  v1::CatalogEntry entry;
  uint64_t version = 0;
  if (origin.store()
          .Get(EntryKey(CatalogOf(origin, v1::FEED_KIND_CATALOG_OPEN), code), &bytes)
          .ok() &&
      entry.ParseFromString(bytes)) {
    version = VersionOf(entry);
  }
  if (version < published.acknowledged)
    return absl::StrCat("version ", published.acknowledged, " of ", code, " at ", origin.name());
  if (version > published.last_version) return absl::StrCat("an invented version of ", code);
  return "";
}

}  // namespace

std::string AwaitsCatalogs(World& world, size_t* from) {
  std::vector<size_t> looking;
  for (size_t i = 0; i < world.size(); ++i) {
    if (world.node(i).options().catalog_scope != CatalogScope::kBranch && !world.hostile(i))
      looking.push_back(i);
  }
  for (size_t i = 0; i < world.size(); ++i) {
    const size_t at = ((from == nullptr ? 0 : *from) + i) % world.size();
    if (world.hostile(at)) continue;
    std::string awaited = AwaitsCatalog(world, at, looking);
    if (awaited.empty()) continue;
    if (from != nullptr) *from = at;
    return awaited;
  }
  for (const auto& [where, published] : world.ledger().entries) {
    if (std::string awaited = AwaitsEntry(world, where.first, where.second, published);
        !awaited.empty())
      return awaited;
  }
  return "";
}

}  // namespace guantong::sim
