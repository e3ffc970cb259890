// Reading the catalogue and the directory of nodes as held here, on a store snapshot.
#ifndef GUANTONG_CATALOG_VIEW_H_
#define GUANTONG_CATALOG_VIEW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/store.h"
#include "guantong/v1/catalog.pb.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

// The items of not-shared entries flow upward alone: they are for this node's own people, no answer
// to another node holds or betrays them.
enum class UpwardItems { kShown, kKeptBack };

// The entry in force under `code`, or the one that has it for an alias (tombstones included), with
// the items of the upward feed where held and `items` says so. NOT_FOUND entry_unknown.
absl::StatusOr<v1::CatalogEntry> FindEntry(const Reader& snapshot, absl::string_view code,
                                           UpwardItems items = UpwardItems::kShown);

struct EntryQuery {
  std::string provider_code;                         // empty: any
  v1::EntryState state = v1::ENTRY_STATE_PUBLISHED;  // UNSPECIFIED: any but withdrawn
  std::string node;        // NodeId: what this node has said alone; empty: any
  std::string after_code;  // paging
  size_t limit = 50;
  size_t looked_max = SIZE_MAX;  // entries looked at; then the page ends, full or not
};
struct EntryPage {
  std::vector<v1::CatalogEntry> entries;  // in code order
  std::string next_after_code;            // empty: no more
  size_t looked = 0;
};
EntryPage FindEntries(const Reader& snapshot, const EntryQuery& query);

// Directory. NOT_FOUND node_unknown.
absl::StatusOr<v1::Member> FindMember(const Reader& snapshot, absl::string_view node_id);
std::vector<v1::Member> AllMembers(const Reader& snapshot);  // in path order

}  // namespace guantong

#endif  // GUANTONG_CATALOG_VIEW_H_
