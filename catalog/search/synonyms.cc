#include "catalog/search/synonyms.h"

#include <algorithm>

namespace guantong::search {

Synonyms::Synonyms(const std::vector<v1::SynonymGroup>& groups) {
  for (const v1::SynonymGroup& group : groups) {
    std::vector<std::string>& words = groups_.emplace_back();
    for (const std::string& word : group.words()) words.push_back(Fold(word));
  }
}

Alternatives Synonyms::Expand(const Piece& piece) const {
  Alternatives all = {piece};
  for (const std::vector<std::string>& group : groups_) {
    for (const std::string& word : group) {
      const size_t at = FindPiece(piece.text, word);
      if (at == absl::string_view::npos) continue;
      for (const std::string& other : group) {
        if (all.size() == kAlternativesMax) return all;
        // 低保 within 最低生活保障 would put the whole into itself.
        if (other == word || FindPiece(piece.text, other) != absl::string_view::npos) continue;
        std::string text = piece.text;
        text.replace(at, word.size(), other);
        const bool known = std::any_of(all.begin(), all.end(),
                                       [&](const Piece& have) { return have.text == text; });
        if (!known) all.push_back(MakePiece(std::move(text)));
      }
    }
  }
  return all;
}

}  // namespace guantong::search
