#include "catalog/search/text.h"

#include <unicode/bytestream.h>
#include <unicode/coll.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace guantong::search {
namespace {

constexpr uint32_t kIdeographsBegin = 0x4E00;
constexpr uint32_t kIdeographsEnd = 0xA000;

// The simplified form of each character of the basic block, itself where there
// is none of one character.
const std::vector<uint16_t>& Simplified() {
  static const auto* const table = [] {
    auto* made = new std::vector<uint16_t>(kIdeographsEnd - kIdeographsBegin);
    for (uint32_t c = kIdeographsBegin; c < kIdeographsEnd; ++c)
      (*made)[c - kIdeographsBegin] = static_cast<uint16_t>(c);
    UErrorCode error = U_ZERO_ERROR;
    const std::unique_ptr<icu::Transliterator> to_simplified(
        icu::Transliterator::createInstance("Traditional-Simplified", UTRANS_FORWARD, error));
    if (U_FAILURE(error) || to_simplified == nullptr) return made;
    for (uint32_t c = kIdeographsBegin; c < kIdeographsEnd; ++c) {
      icu::UnicodeString text(static_cast<UChar32>(c));
      to_simplified->transliterate(text);
      const auto to = static_cast<uint32_t>(text.char32At(0));
      if (text.length() == 1 && to >= kIdeographsBegin && to < kIdeographsEnd)
        (*made)[c - kIdeographsBegin] = static_cast<uint16_t>(to);
    }
    return made;
  }();
  return *table;
}

// In place: ideographs of the basic block are three bytes before and after.
void Simplify(std::string* text) {
  const std::vector<uint16_t>& simplified = Simplified();
  for (size_t i = 0; i + 2 < text->size(); ++i) {
    const auto lead = static_cast<unsigned char>((*text)[i]);
    if (lead < 0xE4 || lead > 0xE9) continue;
    const uint32_t c =
        (lead & 0x0Fu) << 12 | ((*text)[i + 1] & 0x3Fu) << 6 | ((*text)[i + 2] & 0x3Fu);
    if (c < kIdeographsBegin || c >= kIdeographsEnd) continue;
    const uint32_t to = simplified[c - kIdeographsBegin];
    if (to != c) {
      (*text)[i] = static_cast<char>(0xE0 | to >> 12);
      (*text)[i + 1] = static_cast<char>(0x80 | (to >> 6 & 0x3F));
      (*text)[i + 2] = static_cast<char>(0x80 | (to & 0x3F));
    }
    i += 2;
  }
}

bool EndsInWord(absl::string_view folded, size_t end) {
  if (end == 0) return false;
  size_t begin = end - 1;
  while (begin > 0 && (static_cast<unsigned char>(folded[begin]) & 0xC0) == 0x80) --begin;
  return KindOf(NextChar(folded, &begin)) == CharKind::kWord;
}

}  // namespace

std::string Fold(absl::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  static const icu::Normalizer2* const fold = [] {
    UErrorCode made = U_ZERO_ERROR;
    return icu::Normalizer2::getNFKCCasefoldInstance(made);
  }();
  std::string folded;
  folded.reserve(text.size());
  icu::StringByteSink<std::string> sink(&folded);
  const icu::StringPiece piece(text.data(), static_cast<int32_t>(text.size()));
  if (fold != nullptr) fold->normalizeUTF8(0, piece, sink, nullptr, error);
  if (fold == nullptr || U_FAILURE(error)) folded.assign(text.data(), text.size());
  for (char& c : folded) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  Simplify(&folded);
  return folded;
}

std::string NameKey(absl::string_view folded) {
  // Never changed again, so any thread may ask it.
  static const icu::Collator* const by_pinyin = [] {
    UErrorCode error = U_ZERO_ERROR;
    icu::Collator* made = icu::Collator::createInstance(icu::Locale("zh@collation=pinyin"), error);
    if (U_FAILURE(error)) return static_cast<icu::Collator*>(nullptr);
    made->setAttribute(UCOL_NUMERIC_COLLATION, UCOL_ON, error);
    return made;
  }();
  if (by_pinyin == nullptr) return std::string(folded.substr(0, folded.find('\0')));
  const icu::UnicodeString name = icu::UnicodeString::fromUTF8(
      icu::StringPiece(folded.data(), static_cast<int32_t>(folded.size())));
  std::string key(folded.size() * 2 + 16, '\0');
  const auto write = [&] {
    return by_pinyin->getSortKey(name, reinterpret_cast<uint8_t*>(key.data()),
                                 static_cast<int32_t>(key.size()));
  };
  if (const int32_t needed = write(); needed > static_cast<int32_t>(key.size())) {
    key.resize(static_cast<size_t>(needed));
    write();
  }
  key.resize(key.find('\0'));
  return key;
}

uint32_t NextChar(absl::string_view text, size_t* at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const size_t i = *at;
  const unsigned char lead = byte(i);
  if (lead < 0x80) {
    *at = i + 1;
    return lead;
  }
  if (lead >= 0xE0 && lead < 0xF0 && tail(i + 1) && tail(i + 2)) {
    *at = i + 3;
    return (lead & 0x0Fu) << 12 | (byte(i + 1) & 0x3Fu) << 6 | (byte(i + 2) & 0x3Fu);
  }
  if (lead >= 0xC2 && lead < 0xE0 && tail(i + 1)) {
    *at = i + 2;
    return (lead & 0x1Fu) << 6 | (byte(i + 1) & 0x3Fu);
  }
  if (lead >= 0xF0 && lead < 0xF5 && tail(i + 1) && tail(i + 2) && tail(i + 3)) {
    *at = i + 4;
    return (lead & 0x07u) << 18 | (byte(i + 1) & 0x3Fu) << 12 | (byte(i + 2) & 0x3Fu) << 6 |
           (byte(i + 3) & 0x3Fu);
  }
  *at = i + 1;
  return 0xFFFD;
}

CharKind KindOf(uint32_t c) {
  if (c < 0x80) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
               ? CharKind::kWord
               : CharKind::kDivider;
  }
  if (c >= kIdeographsBegin && c < kIdeographsEnd) return CharKind::kGram;
  if (!u_isalnum(static_cast<UChar32>(c))) return CharKind::kDivider;
  return c >= 0x2E80 ? CharKind::kGram : CharKind::kWord;
}

Piece MakePiece(std::string folded) {
  Piece piece;
  piece.text = std::move(folded);
  size_t units = 0, gram_run = 0, grams_longest = 0;
  uint32_t before = 0;
  for (size_t at = 0; at < piece.text.size();) {
    const size_t begin = at;
    const uint32_t character = NextChar(piece.text, &at);
    if (KindOf(character) == CharKind::kGram) {
      if (before == 0) {
        ++units;
        gram_run = 0;
      }
      ++gram_run;
      grams_longest = std::max(grams_longest, gram_run);
      if (before != 0) piece.grams.push_back(Gram(before, character));
      // Alone among letters it has no pair.
      size_t next = at;
      const bool pairs =
          at < piece.text.size() && KindOf(NextChar(piece.text, &next)) == CharKind::kGram;
      if (before == 0 && !pairs) piece.grams.push_back(Gram(character));
      before = character;
      continue;
    }
    before = 0;
    ++units;
    size_t end = at;
    while (end < piece.text.size()) {
      size_t next = end;
      if (KindOf(NextChar(piece.text, &next)) != CharKind::kWord) break;
      end = next;
    }
    const std::string word = piece.text.substr(begin, end - begin);
    if (end == piece.text.size()) {
      piece.prefix = word;
    } else {
      piece.words.push_back(word);
    }
    at = end;
  }
  std::sort(piece.grams.begin(), piece.grams.end());
  piece.grams.erase(std::unique(piece.grams.begin(), piece.grams.end()), piece.grams.end());
  piece.exact = units == 1 && grams_longest <= 2;
  return piece;
}

std::vector<Piece> PiecesOf(absl::string_view words) {
  const std::string folded = Fold(words);
  std::vector<Piece> pieces;
  std::string text;
  const auto end_piece = [&] {
    const bool again = std::any_of(pieces.begin(), pieces.end(),
                                   [&](const Piece& piece) { return piece.text == text; });
    if (!text.empty() && !again) pieces.push_back(MakePiece(text));
    text.clear();
  };
  for (size_t at = 0; at < folded.size();) {
    const size_t begin = at;
    if (KindOf(NextChar(folded, &at)) == CharKind::kDivider) {
      end_piece();
    } else {
      text.append(folded, begin, at - begin);
    }
  }
  end_piece();
  return pieces;
}

size_t FindPiece(absl::string_view folded, absl::string_view piece, size_t from) {
  size_t first = 0;
  const bool word = KindOf(NextChar(piece, &first)) == CharKind::kWord;
  while (from + piece.size() <= folded.size()) {
    const void* found =
        memmem(folded.data() + from, folded.size() - from, piece.data(), piece.size());
    if (found == nullptr) break;
    const auto at = static_cast<size_t>(static_cast<const char*>(found) - folded.data());
    if (!word || !EndsInWord(folded, at)) return at;
    from = at + 1;
  }
  return absl::string_view::npos;
}

std::vector<std::pair<uint32_t, uint32_t>> FindSpans(absl::string_view text,
                                                     const std::vector<std::string>& pieces) {
  // Character by character, so that positions in the folded text are known in
  // the other one.
  std::string folded;
  std::vector<uint32_t> of_byte;
  uint32_t characters = 0;
  for (size_t at = 0; at < text.size(); ++characters) {
    const size_t begin = at;
    NextChar(text, &at);
    folded += Fold(text.substr(begin, at - begin));
    of_byte.resize(folded.size(), characters);
  }
  std::vector<std::pair<uint32_t, uint32_t>> spans;
  for (const std::string& piece : pieces) {
    for (size_t at = FindPiece(folded, piece); at != absl::string_view::npos;
         at = FindPiece(folded, piece, at + 1)) {
      spans.emplace_back(of_byte[at], of_byte[at + piece.size() - 1] + 1);
    }
  }
  std::sort(spans.begin(), spans.end());
  std::vector<std::pair<uint32_t, uint32_t>> joined;
  for (const auto& span : spans) {
    if (!joined.empty() && span.first <= joined.back().second) {
      joined.back().second = std::max(joined.back().second, span.second);
    } else {
      joined.push_back(span);
    }
  }
  return joined;
}

}  // namespace guantong::search
