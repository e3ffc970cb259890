// Sorts the rows of a push by key, in bounded memory: what exceeds the buffer is written as sorted
// runs to nameless files, which go with the process whatever happens to it. Rows of one key come in
// the order of their lines.
#ifndef GUANTONG_NODE_ROW_SORTER_H_
#define GUANTONG_NODE_ROW_SORTER_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace guantong {

struct RowSorterOptions {
  std::string dir;  // for spilled runs
  size_t buffer_bytes_max;
  uint64_t bytes_max;  // of all rows
};

// One thread. First Add, then Finish; then read with Valid, Next and Rewind.
class RowSorter {
 public:
  explicit RowSorter(RowSorterOptions options);
  RowSorter(const RowSorter&) = delete;
  RowSorter& operator=(const RowSorter&) = delete;
  ~RowSorter();

  // Room for rows of so many bytes at once, instead of little by little.
  void Expect(size_t bytes) {
    arena_.reserve(std::min(arena_.size() + bytes, options_.buffer_bytes_max));
  }
  // RESOURCE_EXHAUSTED push_too_large, disk_full.
  absl::Status Add(absl::string_view key, absl::string_view row, uint64_t line);
  absl::Status Finish();

  // To the first row.
  absl::Status Rewind();
  bool Valid() const { return !heap_.empty(); }
  absl::Status Next();
  absl::string_view key() const;  // until Next
  absl::string_view row() const;
  uint64_t line() const;

  uint64_t rows() const { return rows_; }
  uint64_t bytes() const { return bytes_; }  // keys, rows and what is kept of each

 private:
  struct Item {  // within `arena_`
    size_t at;
    uint32_t key_bytes;
    uint32_t row_bytes;
    uint64_t line;
  };
  struct Head {
    absl::string_view key;
    absl::string_view row;
    uint64_t line = 0;
  };
  class Source;
  class MemorySource;
  class FileSource;
  struct Later {
    bool operator()(const Source* a, const Source* b) const;
  };

  void SortBuffer();
  absl::Status Spill();

  const RowSorterOptions options_;
  std::string arena_;
  std::vector<Item> items_;
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
  std::vector<std::unique_ptr<Source>> sources_;
  std::priority_queue<Source*, std::vector<Source*>, Later> heap_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ROW_SORTER_H_
