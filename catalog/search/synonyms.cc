#include "catalog/search/synonyms.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/base/status.h"

namespace guantong::search {
namespace {

absl::Status Invalid(size_t line, absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "synonyms_invalid",
               absl::StrCat("同义词文件第 ", line, " 行 (line of the synonym file): ", what),
               absl::StrCat(line),
               "每行一组，至少两个词，词间用空格或逗号 (a group a line, two words at least)");
}

}  // namespace

absl::StatusOr<Synonyms> Synonyms::Parse(absl::string_view text) {
  Synonyms synonyms;
  if (text.size() > kSynonymFileBytesMax) return Invalid(0, "文件太大 (too large)");
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = line.substr(0, line.find('#'));
    std::vector<std::string> group;
    for (const Piece& piece : PiecesOf(line)) group.push_back(piece.text);
    if (group.empty()) continue;
    if (group.size() == 1) return Invalid(number, "只有一个词 (a single word)");
    if (synonyms.groups_.size() == kSynonymGroupsMax) return Invalid(number, "组数太多 (too many)");
    synonyms.groups_.push_back(std::move(group));
  }
  return synonyms;
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
