// Asking the index.
//
// RELEVANCE  Entries with all words in the name come before all others; then
// short names (the words make up more of them), then what changed last, then by
// code. Segments number their documents in that order, so the best hits are the
// first of an intersection, and the search ends when it has them.
//
// COUNTING   `total` is exact unless texts had to be compared for more than
// kComparedMax documents (kComparedForFacetsMax with facets), which single
// words of one or two characters never need.
#ifndef GUANTONG_CATALOG_SEARCH_QUERY_H_
#define GUANTONG_CATALOG_SEARCH_QUERY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/node_path.h"
#include "catalog/rulings.h"
#include "catalog/search/text.h"
#include "catalog/search/view.h"
#include "guantong/v1/search.pb.h"

namespace guantong::search {

inline constexpr size_t kComparedMax = 5000;
inline constexpr size_t kComparedForFacetsMax = 50000;
inline constexpr size_t kFacetCountsMax = 50;  // values told of each facet

// A word of the question: any of these.
using Alternatives = std::vector<Piece>;

struct Query {
  std::vector<Alternatives> words;  // all must occur
  v1::SearchFilter filter;
  // Whether a code is in or below the class of the filter; none: where it begins
  // with it.
  std::function<bool(absl::string_view code)> in_class;
  v1::SearchSort sort = v1::SEARCH_SORT_UNSPECIFIED;
  bool facets = false;
  uint8_t audience = kForOthers;
  NodePath within;                  // nodes of this branch
  std::optional<NodePath> outside;  // and not of this one
  // What these hide is no hit and in no count; besides what the index leaves
  // out.
  HiddenEntries hidden;
  std::string after;  // rank of the last hit of the page before
  size_t limit = 50;
};

struct Hit {
  std::string code;
  std::string rank;
  uint64_t fingerprint = 0;
};

struct Found {
  std::vector<Hit> hits;
  bool more = false;
  uint64_t total = 0;
  bool total_is_least = false;
  std::vector<v1::Facet> facets;
};

// INVALID_ARGUMENT filter_malformed, page_token_malformed.
absl::StatusOr<Found> Search(const View& view, const Query& query);

// Published entries by their classes, the primary one and the others together;
// those that `hidden` hides left out.
struct ClassTotal {
  std::vector<std::string> codes;
  uint64_t entries = 0;
};
std::vector<ClassTotal> CountClasses(const View& view, uint8_t audience,
                                     const HiddenEntries& hidden);

// Adds the counts of `other` to `facets`, and keeps the most frequent.
void MergeFacets(const google::protobuf::RepeatedPtrField<v1::Facet>& other,
                 google::protobuf::RepeatedPtrField<v1::Facet>* facets);

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_QUERY_H_
