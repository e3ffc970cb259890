#include "catalog/search/section_writer.h"

#include <roaring/roaring.h>

#include <cstring>

namespace guantong::search {

void SectionWriter::Raw(absl::string_view bytes) {
  if (!status_.ok()) return;
  digest_.Update(bytes);
  at_ += bytes.size();
  status_ = sink_.Append(bytes);
}

void SectionWriter::Begin(enum Section section) {
  end_[now_] = at_;
  static constexpr char kPadding[kSectionAlign] = {};
  if (at_ % kSectionAlign != 0) Raw({kPadding, kSectionAlign - at_ % kSectionAlign});
  now_ = section;
  begin_[section] = at_;
}

void SectionWriter::Add(absl::string_view bytes) { Raw(bytes); }

absl::StatusOr<WrittenSegment> SectionWriter::Finish() {
  Begin(kSections);
  std::string table;
  for (size_t i = 0; i < kSections; ++i) {
    const uint64_t place[2] = {begin_[i], end_[i] - begin_[i]};
    table.append(reinterpret_cast<const char*>(place), sizeof place);
  }
  Raw(table);
  WrittenSegment written;
  written.digest = digest_.Finish();
  if (status_.ok()) status_ = sink_.Append(written.digest);
  if (status_.ok()) status_ = sink_.Append({kFileMark, sizeof kFileMark});
  written.bytes = at_ + kDigestBytes + sizeof kFileMark;
  if (!status_.ok()) return status_;
  return written;
}

uint64_t PostingWriter::Write(const std::vector<uint32_t>& documents) {
  if (documents.size() == 1) return kRefOne | documents[0];
  const uint64_t at = out_.in_section();
  uint32_t size = static_cast<uint32_t>(documents.size());
  packed_.clear();
  if (documents.size() <= kFewMax) {
    packed_.append(reinterpret_cast<const char*>(&size), sizeof size);
    packed_.append(reinterpret_cast<const char*>(documents.data()), documents.size() * 4);
    out_.Add(packed_);
    return kRefFew | at;
  }
  const Bitmap many(roaring_bitmap_of_ptr(documents.size(), documents.data()));
  size = static_cast<uint32_t>(roaring_bitmap_portable_size_in_bytes(many.get()));
  packed_.resize(sizeof size + size);
  std::memcpy(packed_.data(), &size, sizeof size);
  roaring_bitmap_portable_serialize(many.get(), packed_.data() + sizeof size);
  out_.Add(packed_);
  return kRefMany | at;
}

void PostingWriter::AddGram(uint64_t key, const std::vector<uint32_t>& documents) {
  grams_.push_back(key);
  gram_refs_.push_back(Write(documents));
}

void PostingWriter::AddWord(absl::string_view key, const std::vector<uint32_t>& documents) {
  words_.append(key.data(), key.size());
  word_begins_.push_back(static_cast<uint32_t>(words_.size()));
  word_refs_.push_back(Write(documents));
}

void PostingWriter::Finish() {
  out_.Section(kGramSection, grams_);
  out_.Section(kGramRefSection, gram_refs_);
  out_.Begin(kWordSection);
  out_.Add(words_);
  out_.Section(kWordBeginSection, word_begins_);
  out_.Section(kWordRefSection, word_refs_);
}

}  // namespace guantong::search
