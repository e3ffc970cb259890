// The rows of a push as they travel, a serialised PushRows, read and written row by row: a message
// for every row and a string for every value would cost more than all that is done with them.
#ifndef GUANTONG_NODE_PUSHED_ROWS_H_
#define GUANTONG_NODE_PUSHED_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace guantong {

// One row; what it points to is another's.
struct PushedRow {
  uint64_t line = 0;  // in the source
  std::vector<absl::string_view> values;
  std::vector<uint32_t> nulls;  // which values are none
};

class PushedRowsReader {
 public:
  // `bytes` must outlive it.
  explicit PushedRowsReader(absl::string_view bytes) : rest_(bytes) {}

  // The next row, in the memory of the one before; false: that was all. INVALID_ARGUMENT
  // push_malformed. Fields that a newer sender adds are passed over.
  absl::StatusOr<bool> Next(PushedRow* row);

 private:
  absl::string_view rest_;
};

class PushedRowsWriter {
 public:
  void Add(const PushedRow& row);
  size_t bytes() const { return bytes_.size(); }
  uint64_t rows() const { return rows_; }
  // What was added; it is empty again then.
  std::string Take();

 private:
  std::string bytes_;
  uint64_t rows_ = 0;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_PUSHED_ROWS_H_
