// Text as it is searched: folded, cut into terms, and what a question's words
// mean.
//
// FOLDING   What people take for the same is the same: case, full and half
// width, traditional and simplified characters one for one.
//
// TERMS     Characters of a script without spaces (Chinese before all) count
// each and in pairs; runs of letters and digits count as words. All else
// divides.
//
// A MATCH   A piece (a word of the question between dividers) occurs in a field
// if its text does, and, where it begins with a letter or digit, a word of the
// field begins there. It may end inside a word. So 街道名录 is found by 道名,
// and street by stre but not by tree.
#ifndef GUANTONG_CATALOG_SEARCH_TEXT_H_
#define GUANTONG_CATALOG_SEARCH_TEXT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace guantong::search {

// Never longer than thrice the input. Line breaks become spaces.
std::string Fold(absl::string_view text);

// A term: a word, or one or two characters of a script without spaces (`gram`
// is not 0).
struct Term {
  uint64_t gram = 0;
  absl::string_view word;
};

// Orders names as people read them aloud: Chinese by pinyin, numbers by their
// value. Bytewise comparable between programs with the same release of ICU;
// holds no zero byte.
std::string NameKey(absl::string_view folded);

// Calls visit(Term) for every term of folded text, repeated ones repeatedly.
template <typename Visit>
void VisitTerms(absl::string_view folded, Visit visit);

// What the index looks up for a piece.
struct Piece {
  std::string text;  // folded
  std::vector<uint64_t> grams;
  std::vector<std::string> words;  // whole words of the document
  std::string prefix;              // of a word of the document; empty: none
  bool exact = false;              // the terms say it all, the text need not be looked at
};

// The pieces of a question, in order, without repetitions.
std::vector<Piece> PiecesOf(absl::string_view words);
Piece MakePiece(std::string folded);

// Byte position of the first match in folded text at or after `from`; npos.
size_t FindPiece(absl::string_view folded, absl::string_view piece, size_t from = 0);

// Spans of [begin, end) in characters of `text` that match one of the folded
// pieces, joined where they touch.
std::vector<std::pair<uint32_t, uint32_t>> FindSpans(absl::string_view text,
                                                     const std::vector<std::string>& pieces);

// --- the inline half
// ---------------------------------------------------------------------------

enum class CharKind : uint8_t { kDivider, kWord, kGram };
// Decodes one character of UTF-8; malformed bytes are dividers of one byte.
uint32_t NextChar(absl::string_view text, size_t* at);
CharKind KindOf(uint32_t character);
inline uint64_t Gram(uint32_t first, uint32_t second = 0) {
  return static_cast<uint64_t>(first) << 21 | second;
}

template <typename Visit>
void VisitTerms(absl::string_view folded, Visit visit) {
  uint32_t before = 0;  // the character before, when it was a gram
  size_t word = absl::string_view::npos;
  for (size_t at = 0; at < folded.size();) {
    const size_t begin = at;
    const uint32_t character = NextChar(folded, &at);
    const CharKind kind = KindOf(character);
    if (kind == CharKind::kWord) {
      if (word == absl::string_view::npos) word = begin;
    } else if (word != absl::string_view::npos) {
      visit(Term{.word = folded.substr(word, begin - word)});
      word = absl::string_view::npos;
    }
    if (kind == CharKind::kGram) {
      visit(Term{.gram = Gram(character)});
      if (before != 0) visit(Term{.gram = Gram(before, character)});
    }
    before = kind == CharKind::kGram ? character : 0;
  }
  if (word != absl::string_view::npos) visit(Term{.word = folded.substr(word)});
}

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_TEXT_H_
