// The sections of a segment, one after the other, into a sink.
#ifndef GUANTONG_CATALOG_SEARCH_SECTION_WRITER_H_
#define GUANTONG_CATALOG_SEARCH_SECTION_WRITER_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/base/digest.h"
#include "catalog/search/segment_file.h"

namespace guantong::search {

// The first error stays and is told by Finish.
class SectionWriter {
 public:
  explicit SectionWriter(Sink* sink) : sink_(*sink) {}

  void Begin(Section section);
  void Add(absl::string_view bytes);
  template <typename T>
  void Add(const std::vector<T>& numbers) {
    Add(absl::string_view(reinterpret_cast<const char*>(numbers.data()),
                          numbers.size() * sizeof(T)));
  }
  template <typename T>
  void Section(enum Section section, const std::vector<T>& numbers) {
    Begin(section);
    Add(numbers);
  }
  uint64_t in_section() const { return at_ - begin_[now_]; }
  bool ok() const { return status_.ok(); }
  absl::StatusOr<WrittenSegment> Finish();

 private:
  void Raw(absl::string_view bytes);

  Sink& sink_;
  absl::Status status_;
  Sha256Stream digest_;
  uint64_t at_ = 0;
  enum Section now_ = kSections;
  std::array<uint64_t, kSections + 1> begin_{};
  std::array<uint64_t, kSections + 1> end_{};
};

// Terms in order with the documents of each: the postings section first, then
// grams and words.
class PostingWriter {
 public:
  explicit PostingWriter(SectionWriter* out) : out_(*out) { out_.Begin(kPostingSection); }
  // Keys in order within each kind; `documents` sorted, without repetitions,
  // not empty.
  void AddGram(uint64_t key, const std::vector<uint32_t>& documents);
  void AddWord(absl::string_view key, const std::vector<uint32_t>& documents);
  void Finish();

 private:
  uint64_t Write(const std::vector<uint32_t>& documents);

  SectionWriter& out_;
  std::vector<uint64_t> grams_;
  std::vector<uint64_t> gram_refs_;
  std::string words_;
  std::vector<uint32_t> word_begins_ = {0};
  std::vector<uint64_t> word_refs_;
  std::string packed_;
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_SECTION_WRITER_H_
