// The filters of a question on one segment: each becomes a set of the ordinals
// that pass.
#ifndef GUANTONG_CATALOG_SEARCH_FILTER_H_
#define GUANTONG_CATALOG_SEARCH_FILTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/search/query.h"

namespace guantong::search {

// Calls visit(value) for each of several values of one attribute; at least
// once.
template <typename Visit>
void VisitValues(absl::string_view joined, Visit visit) {
  while (true) {
    const size_t end = joined.find(kValueEnd);
    visit(joined.substr(0, end));
    if (end == absl::string_view::npos) return;
    joined.remove_prefix(end + 1);
  }
}

// INVALID_ARGUMENT filter_malformed.
absl::Status CheckFilter(const v1::SearchFilter& filter);

class PartFilter {
 public:
  PartFilter(const Part& part, const Query& query);

  bool trivial() const { return sets_.empty() && since_ == 0; }
  // Nothing of this segment passes.
  bool none() const { return none_; }
  bool Passes(uint32_t document) const {
    if (segment_.changed(document) < since_) return false;
    for (const Set& set : sets_) {
      if (!set.passes[set.ordinals[document]]) return false;
    }
    return true;
  }

 private:
  struct Set {
    const uint32_t* ordinals;
    std::vector<char> passes;  // by ordinal
  };
  template <typename PassesValue>
  void Add(const Part& part, size_t attribute, PassesValue passes);

  const Segment& segment_;
  std::vector<Set> sets_;
  uint32_t since_ = 0;
  bool none_ = false;
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_FILTER_H_
