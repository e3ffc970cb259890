// Feeds stand only where somebody is entitled to them or between such a place and their origin.
#include <algorithm>

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

bool CatalogMayStand(const World& world, size_t at, const NodePath& origin, v1::FeedKind kind) {
  if (world.place(at).path.Contains(origin)) return true;
  if (kind == v1::FEED_KIND_CATALOG_UPWARD) return false;
  const World::Reach& reach = world.reach(at);
  return reach.country ||
         (origin.depth() > 0 && reach.provinces.count(origin.Ancestor(1).text()) > 0);
}

bool RowsMayStand(const World& world, const NodePath& at, const FeedKey& key) {
  const Ledger& ledger = world.ledger();
  auto found = ledger.dataset_of.find(key);
  if (found == ledger.dataset_of.end()) return false;
  const Dataset& dataset = ledger.datasets[found->second];
  const NodePath& origin = world.node(dataset.origin).path();
  if (at == origin) return true;
  auto nodes = ledger.ever_subscribed.find(found->second);
  if (!dataset.shared || nodes == ledger.ever_subscribed.end()) return false;
  return std::any_of(nodes->second.begin(), nodes->second.end(),
                     [&](size_t node) { return Between(at, origin, world.node(node).path()); });
}

}  // namespace

void CheckPlacement(World& world, size_t index) {
  // What stood where somebody was entitled to it goes in its time: looked at in the end.
  if (world.unsettled()) return;
  const Node& node = world.node(index);
  const std::string prefix = KindPrefix('F');
  for (auto cursor = node.store().Scan(prefix, PrefixEnd(prefix)); cursor->Valid();
       cursor->Next()) {
    storage::v1::FeedRecord record;
    record.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()));
    const std::optional<size_t> origin = world.Find(record.feed().origin());
    const bool may =
        origin.has_value() &&
        (record.feed().kind() == v1::FEED_KIND_ROWS
             ? RowsMayStand(world, node.path(), FeedKey::Of(record.feed()))
             : CatalogMayStand(world, index, world.node(*origin).path(), record.feed().kind()));
    if (!may) {
      world.Wrong(absl::StrCat(node.name(), " holds feed ", v1::FeedKind_Name(record.feed().kind()),
                               " ", record.feed().resource(), " of /", record.origin_path(),
                               ", which nobody behind it may have"));
    }
  }
}

}  // namespace guantong::sim
