// Counting how hits spread over the attributes.
#ifndef GUANTONG_CATALOG_SEARCH_FACETS_H_
#define GUANTONG_CATALOG_SEARCH_FACETS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/search/view.h"
#include "guantong/v1/feed.pb.h"
#include "guantong/v1/search.pb.h"

namespace guantong::search {

class FacetCounter {
 public:
  // Counts the documents of one part; then Take.
  void Begin(const Part& part);
  void Count(uint32_t document) {
    for (size_t a = 0; a < kAttributes; ++a) ++counts_[a][ordinals_[a][document]];
  }
  void End();

  std::vector<v1::Facet> Take() const;

 private:
  // By value, as the segments hold it: they outlive the counter.
  using Values = std::unordered_map<std::string_view, uint64_t>;

  const Part* part_ = nullptr;
  std::array<const uint32_t*, kAttributes> ordinals_{};
  std::array<std::vector<uint32_t>, kAttributes> counts_;
  std::array<Values, kAttributes> values_;  // of kNode none
  std::array<uint64_t, v1::Level_ARRAYSIZE> levels_{};
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_FACETS_H_
