// Feeds stand only where somebody is entitled to them or between such a place and their origin.
#include "absl/strings/str_cat.h"
#include "guantong/storage/v1/store.pb.h"
#include "tests/sim/checkers.h"

namespace guantong::sim {

namespace {

// On the way from `to` to `from`, ends included.
bool Between(const NodePath& at, const NodePath& from, const NodePath& to) {
  const bool above_from = at.Contains(from);
  const bool above_to = at.Contains(to);
  if (above_from && above_to) {
    // Common ancestors: the lowest one only.
    for (size_t depth = at.depth() + 1; depth <= std::min(from.depth(), to.depth()); ++depth) {
      if (from.Ancestor(depth) == to.Ancestor(depth)) return false;
    }
    return true;
  }
  return above_from || above_to;
}

bool CatalogMayStand(World& world, const NodePath& at, const NodePath& origin, v1::FeedKind kind) {
  if (at.Contains(origin)) return true;
  if (kind == v1::FEED_KIND_CATALOG_UPWARD) return false;
  for (size_t i = 0; i < world.size(); ++i) {
    const Node& node = world.node(i);
    if (!at.Contains(node.path())) continue;
    const CatalogScope scope = node.options().catalog_scope;
    if (scope == CatalogScope::kCountry) return true;
    if (scope == CatalogScope::kProvince && node.path().depth() > 1 &&
        node.path().Ancestor(1).Contains(origin)) {
      return true;
    }
  }
  return false;
}

bool RowsMayStand(World& world, const NodePath& at, const FeedKey& key) {
  const Ledger& ledger = world.ledger();
  for (size_t i = 0; i < ledger.datasets.size(); ++i) {
    const Dataset& dataset = ledger.datasets[i];
    if (!(dataset.key == key)) continue;
    const NodePath& origin = world.node(dataset.origin).path();
    if (at == origin) return true;
    if (!dataset.shared) return false;
    for (const auto& [node, wanted] : ledger.ever_subscribed) {
      if (wanted == i && Between(at, origin, world.node(node).path())) return true;
    }
  }
  return false;
}

}  // namespace

void CheckPlacement(World& world, size_t index) {
  const Node& node = world.node(index);
  const std::string prefix = KindPrefix('F');
  for (auto cursor = node.store().Scan(prefix, PrefixEnd(prefix)); cursor->Valid(); cursor->Next()) {
    storage::v1::FeedRecord record;
    record.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()));
    const absl::StatusOr<NodePath> origin = NodePath::Parse(record.origin_path());
    const bool may = origin.ok() && (record.feed().kind() == v1::FEED_KIND_ROWS
                                         ? RowsMayStand(world, node.path(), FeedKey::Of(record.feed()))
                                         : CatalogMayStand(world, node.path(), *origin, record.feed().kind()));
    if (!may) {
      world.Wrong(absl::StrCat(node.name(), " holds feed ", v1::FeedKind_Name(record.feed().kind()), " ",
                               record.feed().resource(), " of /", record.origin_path(),
                               ", which nobody behind it may have"));
    }
  }
}

}  // namespace guantong::sim
