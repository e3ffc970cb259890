// Which column family holds a key, and how each family is laid out on disk.
#ifndef GUANTONG_CATALOG_ROCKS_FAMILIES_H_
#define GUANTONG_CATALOG_ROCKS_FAMILIES_H_

#include <rocksdb/db.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/rocks/rocks_store.h"

namespace guantong {

// Commits are refused below it.
inline constexpr uint64_t kDiskReserveBytes = 64 << 20;

enum Family { kDefaultFamily, kBulkFamily, kRowsFamily, kBlocksFamily, kFamilies };

Family FamilyOf(char kind);

// The parts of [begin, end) that lie in one family each, in key order; an empty end: to the end.
struct Segment {
  Family family;
  std::string begin;
  std::string end;
};
std::vector<Segment> SegmentsOf(absl::string_view begin, absl::string_view end);

// How the database is opened; the families, in the order of the enumeration, share one memory
// budget with it.
struct Layout {
  rocksdb::DBOptions database;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
};
Layout LayoutOf(const RocksOptions& options);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_FAMILIES_H_
