// Words that mean the same, in groups. A piece of a question that holds a word
// of a group also finds what the others in its place would.
#ifndef GUANTONG_CATALOG_SEARCH_SYNONYMS_H_
#define GUANTONG_CATALOG_SEARCH_SYNONYMS_H_

#include <string>
#include <vector>

#include "catalog/search/query.h"
#include "guantong/v1/rule.pb.h"

namespace guantong::search {

inline constexpr size_t kSynonymGroupsMax = 5000;  // of one rule pack
inline constexpr size_t kAlternativesMax = 8;      // of one piece, itself counted

// Immutable; any thread.
class Synonyms {
 public:
  Synonyms() = default;
  // Of packs that passed CheckRulePack (catalog/rule_book.h).
  explicit Synonyms(const std::vector<v1::SynonymGroup>& groups);

  Alternatives Expand(const Piece& piece) const;

 private:
  std::vector<std::vector<std::string>> groups_;  // folded
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_SYNONYMS_H_
