// A segment: documents that never change, numbered in the order of relevance,
// with the terms they hold and their attributes in columns. In memory for the
// newest, in a mapped file else.
//
// LAYOUT    Sections one after the other, each at a multiple of 64 bytes, then
// a table of their places, then SHA-256 of all before it and a mark. Numbers
// are little-endian, as the machine has them: an index is made where it is
// read.
//
//   text, codes      the bytes and where each document's begin
//   columns          per document: characters of the name, time of change,
//   audience, fingerprint,
//                    rank by name, and one ordinal for each attribute
//   name keys        by which names are ordered (NameKey)
//   code order       documents by code
//   values           per attribute: the distinct values, sorted
//   grams, words     sorted terms, each twice: in the name, and anywhere; a
//   reference for each postings         sets of documents: one in the reference
//   itself, few as numbers, more as a
//                    roaring bitmap
#ifndef GUANTONG_CATALOG_SEARCH_SEGMENT_H_
#define GUANTONG_CATALOG_SEARCH_SEGMENT_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/search/bitmap.h"
#include "catalog/search/code_filter.h"
#include "catalog/search/document.h"

namespace guantong::search {

// In which part of a document a term stands.
enum class Where { kName, kAnywhere };

// Bytes that stay as they are while someone holds them.
class Bytes {
 public:
  virtual ~Bytes() = default;
  virtual absl::string_view view() const = 0;
};
std::shared_ptr<const Bytes> BytesIn(std::string memory);
// UNAVAILABLE index_failed.
absl::StatusOr<std::shared_ptr<const Bytes>> MapFile(const std::string& path);

// Sections, in the order of the file.
enum Section : size_t {
  kTextSection,
  kTextBeginSection,  // uint64, one more than documents
  kCodeSection,
  kCodeBeginSection,  // uint32, one more
  kCodeOrderSection,
  kNameCharsSection,
  kChangedSection,
  kAudienceSection,
  kFingerprintSection,
  kNameKeySection,
  kNameKeyBeginSection,  // uint32, one more
  kNameRankSection,
  kColumnSection,      // kAttributes columns of uint32
  kValueSection,       // all attributes' values
  kValueBeginSection,  // uint32 per value of all attributes, one more
  kValueCountSection,  // uint32 per attribute
  kPostingSection,
  kGramSection,       // uint64, sorted
  kGramRefSection,    // uint64
  kWordSection,       // bytes
  kWordBeginSection,  // uint32, one more than words
  kWordRefSection,
  kSections
};

// A gram with Where, a word with Where, as terms of the file.
inline uint64_t GramKey(uint64_t gram, Where where) {
  return where == Where::kName ? gram | uint64_t{1} << 62 : gram;
}
std::string WordKey(absl::string_view word, Where where);

// How a term refers to its documents.
inline constexpr uint64_t kRefKind = uint64_t{3} << 62;
inline constexpr uint64_t kRefOne = 0;
inline constexpr uint64_t kRefFew = uint64_t{1} << 62;
inline constexpr uint64_t kRefMany = uint64_t{2} << 62;
inline constexpr size_t kFewMax = 8;

// Any thread.
class Segment {
 public:
  // Checks the shape and, where `digest` is not empty, that it is the one of
  // the bytes and that they have it. DATA_LOSS index_damaged.
  static absl::StatusOr<std::shared_ptr<const Segment>> Open(std::shared_ptr<const Bytes> bytes,
                                                             absl::string_view digest = "");

  uint32_t size() const { return size_; }
  size_t bytes() const { return bytes_->view().size(); }

  absl::string_view text(uint32_t d) const { return Slice<uint64_t>(kTextSection, d); }
  absl::string_view name(uint32_t d) const;
  absl::string_view name_key(uint32_t d) const { return Slice<uint32_t>(kNameKeySection, d); }
  absl::string_view code(uint32_t d) const { return Slice<uint32_t>(kCodeSection, d); }
  uint32_t name_chars(uint32_t d) const { return Column<uint32_t>(kNameCharsSection)[d]; }
  uint32_t changed(uint32_t d) const { return Column<uint32_t>(kChangedSection)[d]; }
  uint8_t audience(uint32_t d) const { return Column<uint8_t>(kAudienceSection)[d]; }
  uint64_t fingerprint(uint32_t d) const { return Column<uint64_t>(kFingerprintSection)[d]; }
  uint32_t name_rank(uint32_t d) const { return Column<uint32_t>(kNameRankSection)[d]; }
  uint32_t code_order(uint32_t n) const { return Column<uint32_t>(kCodeOrderSection)[n]; }
  const uint32_t* ordinals(size_t attribute) const {
    return Column<uint32_t>(kColumnSection) + attribute * size_;
  }
  uint32_t values(size_t attribute) const {
    return Column<uint32_t>(kValueCountSection)[attribute];
  }
  absl::string_view value(size_t attribute, uint32_t ordinal) const {
    return Slice<uint32_t>(kValueSection, value_base_[attribute] + ordinal);
  }

  // Documents under `code`: at most one for each audience.
  std::vector<uint32_t> WithCode(absl::string_view code) const;
  // The first document for which `is_before` is false; it is true for those
  // before.
  uint32_t FirstNot(const std::function<bool(uint32_t)>& is_before) const;

  // Documents that hold the term; of a prefix, any word that begins with it.
  Bitmap WithGram(uint64_t gram, Where where) const;
  Bitmap WithWord(absl::string_view word, Where where) const;
  Bitmap WithPrefix(absl::string_view prefix, Where where) const;

  // For merging.
  size_t grams() const { return section_[kGramSection].size() / 8; }
  uint64_t gram(size_t n) const { return Column<uint64_t>(kGramSection)[n]; }
  size_t words() const { return section_[kWordRefSection].size() / 8; }
  absl::string_view word(size_t n) const { return Slice<uint32_t>(kWordSection, n); }
  // Appends the documents of the nth gram or word, in order.
  void GramDocuments(size_t n, std::vector<uint32_t>* out) const;
  void WordDocuments(size_t n, std::vector<uint32_t>* out) const;

 private:
  template <typename T>
  const T* Column(Section section) const {
    return reinterpret_cast<const T*>(section_[section].data());
  }
  // What stands between the nth begin and the next.
  template <typename Begin>
  absl::string_view Slice(Section section, size_t n) const {
    const auto* begins = reinterpret_cast<const Begin*>(section_[section + 1].data());
    return section_[section].substr(begins[n], begins[n + 1] - begins[n]);
  }
  absl::Status CheckShape();
  template <typename Begin>
  bool Rises(Section section, size_t entries) const;
  size_t WordAt(absl::string_view key) const;  // the first not less
  Bitmap Read(uint64_t ref) const;

  std::shared_ptr<const Bytes> bytes_;
  std::array<absl::string_view, kSections> section_;
  std::array<uint32_t, kAttributes + 1> value_base_{};
  uint32_t size_ = 0;
  CodeFilter codes_;
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_SEGMENT_H_
