// Writing segments: from documents, and from other segments.
#ifndef GUANTONG_CATALOG_SEARCH_SEGMENT_FILE_H_
#define GUANTONG_CATALOG_SEARCH_SEGMENT_FILE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/digest.h"
#include "catalog/search/document.h"
#include "catalog/search/segment.h"

namespace guantong::search {

inline constexpr char kFileMark[8] = {'g', 't', 's', 'e', 'a', 'r', 'c', '1'};
inline constexpr size_t kSectionAlign = 64;
inline constexpr size_t kTableBytes = kSections * 16;
inline constexpr size_t kTrailerBytes = kTableBytes + kDigestBytes + sizeof kFileMark;

// Where the bytes of a segment go. UNAVAILABLE index_failed, RESOURCE_EXHAUSTED
// disk_full.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual absl::Status Append(absl::string_view bytes) = 0;
};

// A file that is there whole and durable after Finish, or not at all.
class FileSink final : public Sink {
 public:
  static absl::StatusOr<std::unique_ptr<FileSink>> Create(const std::string& path);
  ~FileSink() override;
  absl::Status Append(absl::string_view bytes) override;
  absl::Status Finish();

 private:
  FileSink(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  absl::Status Drain();
  absl::Status Failed(int error) const;

  const std::string path_;
  int fd_;
  std::string buffer_;
};

// Makes what was written in `folder` so far survive: names of files, too.
absl::Status SyncFolder(const std::string& folder);

struct WrittenSegment {
  std::string digest;
  uint64_t bytes = 0;
};

// `documents` in any order.
absl::StatusOr<WrittenSegment> WriteSegment(const std::vector<Document>& documents, Sink* sink);

// A segment with the documents of all `inputs` but those whose bit is set in
// `deleted`.
struct MergeInput {
  std::shared_ptr<const Segment> segment;
  std::vector<uint64_t> deleted;  // empty: none
};
// `goes_on` is asked now and then; CANCELLED when it says no.
absl::StatusOr<WrittenSegment> MergeSegments(const std::vector<MergeInput>& inputs, Sink* sink,
                                             const std::function<bool()>& goes_on);

inline bool HasBit(const std::vector<uint64_t>& bits, uint32_t n) {
  return n / 64 < bits.size() && (bits[n / 64] >> (n % 64) & 1) != 0;
}

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_SEGMENT_FILE_H_
