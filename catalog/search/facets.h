// Counting how hits spread over the attributes.
#ifndef GUANTONG_CATALOG_SEARCH_FACETS_H_
#define GUANTONG_CATALOG_SEARCH_FACETS_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "catalog/search/view.h"
#include "guantong/v1/feed.pb.h"
#include "guantong/v1/search.pb.h"

namespace guantong::search {

class FacetCounter {
 public:
  // `view` outlives it.
  explicit FacetCounter(const View& view);

  // Counts documents of one part; then Take.
  void Begin(const Part& part);
  void Count(absl::Span<const uint32_t> documents);
  void End();

  std::vector<v1::Facet> Take() const;

 private:
  // Where a value can be read.
  struct Seen {
    const Part* part;
    uint32_t ordinal;
    uint32_t nth;  // of those joined there
  };
  struct Totals {
    std::vector<uint32_t> entries;  // by number of the value
    std::vector<Seen> seen;
  };
  std::string ValueOf(size_t attribute, const Seen& seen) const;

  const Part* part_ = nullptr;
  std::array<std::vector<uint32_t>, kAttributes> counts_;  // by ordinal of the part
  std::array<Totals, kAttributes> totals_;                 // of kNode none
  std::array<uint64_t, v1::Level_ARRAYSIZE> levels_{};
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_FACETS_H_
