#include "catalog/search/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/search/segment_file.h"

namespace guantong::search {
namespace {

class InMemory final : public Bytes {
 public:
  explicit InMemory(std::string memory) : memory_(std::move(memory)) {}
  absl::string_view view() const override { return memory_; }

 private:
  const std::string memory_;
};

class Mapped final : public Bytes {
 public:
  Mapped(void* at, size_t size) : at_(at), size_(size) {}
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() override { munmap(at_, size_); }
  absl::string_view view() const override { return {static_cast<const char*>(at_), size_}; }

 private:
  void* const at_;
  const size_t size_;
};

absl::Status Damaged(absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "index_damaged",
               absl::StrCat("检索索引损坏 (the search index is damaged): ", what), what,
               "节点会自行重建 (the node makes it anew by itself)");
}

template <typename T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

std::shared_ptr<const Bytes> BytesIn(std::string memory) {
  return std::make_shared<InMemory>(std::move(memory));
}

absl::StatusOr<std::shared_ptr<const Bytes>> MapFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) {
    if (fd >= 0) close(fd);
    return Damaged(path);
  }
  const auto size = static_cast<size_t>(status.st_size);
  void* at = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (at == MAP_FAILED) {
    return Error(absl::StatusCode::kUnavailable, "index_failed",
                 absl::StrCat("检索索引文件无法映射 (cannot be mapped): ", path), path);
  }
  return std::make_shared<Mapped>(at, size);
}

std::string WordKey(absl::string_view word, Where where) {
  return absl::StrCat(where == Where::kName ? "n" : "a", word);
}

absl::StatusOr<std::shared_ptr<const Segment>> Segment::Open(std::shared_ptr<const Bytes> bytes,
                                                             absl::string_view digest) {
  const absl::string_view all = bytes->view();
  if (all.size() < kTrailerBytes ||
      all.substr(all.size() - sizeof kFileMark) != absl::string_view(kFileMark, sizeof kFileMark)) {
    return Damaged("mark");
  }
  const size_t table_at = all.size() - kTrailerBytes;
  const absl::string_view noted =
      all.substr(all.size() - sizeof kFileMark - kDigestBytes, kDigestBytes);
  if (!digest.empty() &&
      (noted != digest || Sha256(all.substr(0, table_at + kTableBytes)) != digest))
    return Damaged("digest");
  auto segment = std::make_shared<Segment>();
  for (size_t i = 0; i < kSections; ++i) {
    const auto begin = Load<uint64_t>(all.data() + table_at + i * 16);
    const auto size = Load<uint64_t>(all.data() + table_at + i * 16 + 8);
    if (begin % kSectionAlign != 0 || begin > table_at || size > table_at - begin)
      return Damaged("table");
    segment->section_[i] = all.substr(begin, size);
  }
  segment->bytes_ = std::move(bytes);
  GT_RETURN_IF_ERROR(segment->CheckShape());
  segment->codes_ = CodeFilter(segment->size());
  for (uint32_t d = 0; d < segment->size(); ++d) segment->codes_.Add(segment->code(d));
  return segment;
}

template <typename Begin>
bool Segment::Rises(Section section, size_t entries) const {
  const absl::string_view begins = section_[section + 1];
  if (begins.size() != (entries + 1) * sizeof(Begin)) return false;
  return Load<Begin>(begins.data() + entries * sizeof(Begin)) <= section_[section].size();
}

// The digest vouches for what is inside; this keeps a file of another shape
// from being read at all.
absl::Status Segment::CheckShape() {
  const auto holds = [&](Section section, size_t width) {
    return section_[section].size() == size_t{size_} * width;
  };
  size_ = static_cast<uint32_t>(section_[kNameCharsSection].size() / 4);
  const bool columns = holds(kCodeOrderSection, 4) && holds(kNameCharsSection, 4) &&
                       holds(kChangedSection, 4) && holds(kAudienceSection, 1) &&
                       holds(kFingerprintSection, 8) && holds(kNameRankSection, 4) &&
                       holds(kColumnSection, 4 * kAttributes);
  if (!columns || section_[kValueCountSection].size() != 4 * kAttributes) return Damaged("columns");
  for (size_t a = 0; a < kAttributes; ++a) value_base_[a + 1] = value_base_[a] + values(a);
  const bool slices =
      Rises<uint64_t>(kTextSection, size_) && Rises<uint32_t>(kCodeSection, size_) &&
      Rises<uint32_t>(kNameKeySection, size_) &&
      Rises<uint32_t>(kValueSection, value_base_[kAttributes]) &&
      Rises<uint32_t>(kWordSection, words()) && section_[kGramRefSection].size() == grams() * 8;
  return slices ? absl::OkStatus() : Damaged("terms");
}

absl::string_view Segment::name(uint32_t d) const {
  const absl::string_view all = text(d);
  return all.substr(0, all.find('\n'));
}

uint32_t Segment::FirstNot(const std::function<bool(uint32_t)>& is_before) const {
  uint32_t low = 0, high = size_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (is_before(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::vector<uint32_t> Segment::WithCode(absl::string_view wanted) const {
  std::vector<uint32_t> found;
  if (!codes_.MayHold(wanted)) return found;
  uint32_t n = FirstNot([&](uint32_t at) { return code(code_order(at)) < wanted; });
  for (; n < size_ && code(code_order(n)) == wanted; ++n) found.push_back(code_order(n));
  return found;
}

Bitmap Segment::Read(uint64_t ref) const {
  const char* postings = section_[kPostingSection].data();
  if ((ref & kRefKind) == kRefOne) {
    Bitmap one = NewBitmap();
    roaring_bitmap_add(one.get(), static_cast<uint32_t>(ref));
    return one;
  }
  const char* at = postings + (ref & ~kRefKind);
  const auto size = Load<uint32_t>(at);
  if ((ref & kRefKind) == kRefFew) {
    std::array<uint32_t, kFewMax> few{};
    std::memcpy(few.data(), at + 4, std::min<size_t>(size, kFewMax) * 4);
    return Bitmap(roaring_bitmap_of_ptr(std::min<size_t>(size, kFewMax), few.data()));
  }
  Bitmap many(roaring_bitmap_portable_deserialize_safe(at + 4, size));
  return many != nullptr ? std::move(many) : NewBitmap();
}

Bitmap Segment::WithGram(uint64_t gram, Where where) const {
  const uint64_t key = GramKey(gram, where);
  const auto* begin = Column<uint64_t>(kGramSection);
  const auto* at = std::lower_bound(begin, begin + grams(), key);
  if (at == begin + grams() || *at != key) return NewBitmap();
  return Read(Column<uint64_t>(kGramRefSection)[at - begin]);
}

size_t Segment::WordAt(absl::string_view key) const {
  size_t low = 0, high = words();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (word(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Bitmap Segment::WithWord(absl::string_view wanted, Where where) const {
  const std::string key = WordKey(wanted, where);
  const size_t at = WordAt(key);
  if (at == words() || word(at) != key) return NewBitmap();
  return Read(Column<uint64_t>(kWordRefSection)[at]);
}

Bitmap Segment::WithPrefix(absl::string_view prefix, Where where) const {
  const std::string key = WordKey(prefix, where);
  Bitmap all = NewBitmap();
  std::vector<uint32_t> few;
  for (size_t at = WordAt(key); at < words() && absl::StartsWith(word(at), key); ++at) {
    const uint64_t ref = Column<uint64_t>(kWordRefSection)[at];
    if ((ref & kRefKind) == kRefMany) {
      roaring_bitmap_or_inplace(all.get(), Read(ref).get());
    } else {
      WordDocuments(at, &few);
    }
  }
  std::sort(few.begin(), few.end());
  roaring_bitmap_add_many(all.get(), few.size(), few.data());
  return all;
}

void Segment::GramDocuments(size_t n, std::vector<uint32_t>* out) const {
  const Bitmap all = Read(Column<uint64_t>(kGramRefSection)[n]);
  const size_t before = out->size();
  out->resize(before + roaring_bitmap_get_cardinality(all.get()));
  roaring_bitmap_to_uint32_array(all.get(), out->data() + before);
}

void Segment::WordDocuments(size_t n, std::vector<uint32_t>* out) const {
  const uint64_t ref = Column<uint64_t>(kWordRefSection)[n];
  if ((ref & kRefKind) == kRefOne) return out->push_back(static_cast<uint32_t>(ref));
  const Bitmap all = Read(ref);
  const size_t before = out->size();
  out->resize(before + roaring_bitmap_get_cardinality(all.get()));
  roaring_bitmap_to_uint32_array(all.get(), out->data() + before);
}

}  // namespace guantong::search
