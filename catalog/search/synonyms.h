// Words that mean the same, from a file of the node: one group a line, words apart by spaces,
// commas or 、; what follows # is a remark. A piece of a question that holds a word of a group also
// finds what the others in its place would.
#ifndef GUANTONG_CATALOG_SEARCH_SYNONYMS_H_
#define GUANTONG_CATALOG_SEARCH_SYNONYMS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/search/query.h"

namespace guantong::search {

inline constexpr size_t kSynonymGroupsMax = 5000;
inline constexpr size_t kSynonymFileBytesMax = 1 << 20;
inline constexpr size_t kAlternativesMax = 8;  // of one piece, itself counted

class Synonyms {
 public:
  Synonyms() = default;
  // INVALID_ARGUMENT synonyms_invalid with the line.
  static absl::StatusOr<Synonyms> Parse(absl::string_view text);

  Alternatives Expand(const Piece& piece) const;
  size_t groups() const { return groups_.size(); }

 private:
  std::vector<std::vector<std::string>> groups_;  // folded
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_SYNONYMS_H_
