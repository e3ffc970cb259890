// Files of rows as a stream, in bounded memory: csv, tsv (csv with tabs, the same quotes) and jsonl
// (one flat object per line).
//
// NULLS   csv, tsv: an empty field is null, a quoted empty one ("") is empty text. jsonl: null.
//
// HEADER  csv, tsv: the first line. jsonl: the keys of the first object; every other object has the
// same keys, in any order. VALUES  As written: blanks are kept, JSON numbers keep their digits,
// JSON booleans are true and false. ERRORS  INVALID_ARGUMENT with subject "file:line":
// header_invalid, quotes_invalid, row_too_long, file_kind_unknown, and
//         those of text_lines.h. What is wrong with one row alone (row_invalid: too many or too few
//         values, bad JSON) stands in the row, and reading can go on.
#ifndef GUANTONG_NODE_FORM_ROW_FILE_H_
#define GUANTONG_NODE_FORM_ROW_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/form/text_lines.h"

namespace guantong {

struct SourceRow {
  uint64_t line = 0;                // where it begins
  std::vector<std::string> values;  // in header order
  std::vector<bool> nulls;
  absl::Status fault;  // not OK: `values` hold what could be read
};

class RowFile {
 public:
  virtual ~RowFile() = default;

  virtual const std::vector<std::string>& header() const = 0;
  // False at the end of the file.
  virtual absl::StatusOr<bool> Next(SourceRow* row) = 0;

  struct Progress {
    uint64_t bytes_read = 0;
    uint64_t bytes = 0;
  };
  virtual Progress progress() const = 0;
  virtual TextEncoding encoding() const = 0;
};

// By extension. Not thread-safe.
absl::StatusOr<std::unique_ptr<RowFile>> OpenRowFile(const std::string& file,
                                                     TextEncoding encoding);

// One per syntax; the first line is read and the header checked.
absl::StatusOr<std::unique_ptr<RowFile>> OpenDelimited(std::unique_ptr<TextLines> lines,
                                                       char delimiter);
absl::StatusOr<std::unique_ptr<RowFile>> OpenJsonLines(std::unique_ptr<TextLines> lines);

// Not empty, no name empty or twice, not too many. `line` is where the header stands.
absl::Status CheckHeader(const std::vector<std::string>& header, const std::string& file,
                         uint64_t line);

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_ROW_FILE_H_
