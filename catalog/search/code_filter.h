// Says of nearly all codes that a segment lacks that it lacks them, without a
// look at its bytes: a node that takes in a catalogue asks every segment about
// every entry. Four bits of one word a code; of those that are not there about
// one in fifty passes.
#ifndef GUANTONG_CATALOG_SEARCH_CODE_FILTER_H_
#define GUANTONG_CATALOG_SEARCH_CODE_FILTER_H_

#include <cstdint>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace guantong::search {

class CodeFilter {
 public:
  // For so many codes.
  explicit CodeFilter(size_t codes = 0) : words_(codes / kCodesPerWord + 1) {}

  void Add(absl::string_view code) {
    const uint64_t hash = HashOf(code);
    words_[At(hash)] |= Bits(hash);
  }
  // False: certainly not there.
  bool MayHold(absl::string_view code) const {
    const uint64_t hash = HashOf(code);
    return (words_[At(hash)] & Bits(hash)) == Bits(hash);
  }

 private:
  static constexpr size_t kCodesPerWord = 5;

  static uint64_t HashOf(absl::string_view code) { return absl::Hash<absl::string_view>()(code); }
  size_t At(uint64_t hash) const {
    return static_cast<size_t>((hash >> 32) * uint64_t{words_.size()} >> 32);
  }
  static uint64_t Bits(uint64_t hash) {
    uint64_t bits = 0;
    for (int n = 0; n < 4; ++n, hash >>= 6) bits |= uint64_t{1} << (hash & 63);
    return bits;
  }

  std::vector<uint64_t> words_;
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_CODE_FILTER_H_
