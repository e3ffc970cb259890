// The index as of one moment: segments, what of them is still in force, and
// where the entries' nodes stand. Immutable; whoever holds one reads it to the
// end.
#ifndef GUANTONG_CATALOG_SEARCH_VIEW_H_
#define GUANTONG_CATALOG_SEARCH_VIEW_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "catalog/base/node_path.h"
#include "catalog/search/bitmap.h"
#include "catalog/search/segment.h"
#include "guantong/v1/feed.pb.h"

namespace guantong::search {

// Where a node stands. Entries of nodes that are not known here are not found.
struct NodePlace {
  NodePath path;
  v1::Level level = v1::LEVEL_UNSPECIFIED;
  std::string division;
};
// How entries of one node and division stand: those of a division that the node
// hosts are of that division's level.
struct Standing {
  const NodePlace* node = nullptr;  // null: unknown
  v1::Level level = v1::LEVEL_UNSPECIFIED;
};
using NodePlaces = std::unordered_map<std::string, NodePlace>;

// The values of one segment under the numbers they have in all segments of a
// view: a joined value has several, an empty one none.
struct ValueNumbers {
  std::vector<uint32_t> begins;  // by ordinal, one more
  std::vector<uint32_t> numbers;
};

struct Part {
  std::shared_ptr<const Segment> segment;
  std::string file;  // empty: in memory only
  std::string digest;
  std::shared_ptr<const std::vector<uint64_t>> deleted;  // a bit for each document
  uint32_t deleted_count = 0;
  // Not deleted, of known nodes, for the audience.
  std::shared_ptr<const roaring_bitmap_t> for_others;
  std::shared_ptr<const roaring_bitmap_t> for_own;
  std::shared_ptr<const std::vector<Standing>> places;                  // by ordinal of kNode
  std::shared_ptr<const std::array<ValueNumbers, kAttributes>> values;  // of kNode none
};

struct View {
  std::vector<Part> parts;
  std::shared_ptr<const NodePlaces> nodes = std::make_shared<const NodePlaces>();
  uint64_t documents = 0;                      // in force
  std::array<uint32_t, kAttributes> values{};  // all numbers of the parts are less
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_VIEW_H_
