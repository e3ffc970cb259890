// Records of csv and tsv, strict about quotes, in bounded memory; no header is asked for.
#ifndef GUANTONG_NODE_FORM_DELIMITED_ROWS_H_
#define GUANTONG_NODE_FORM_DELIMITED_ROWS_H_

#include <csv.h>

#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/form/row_file.h"
#include "node/form/text_lines.h"

namespace guantong {

// Not thread-safe. Blank lines between records are passed over. At most kColumnsMax + 1 values of a
// record are kept: enough to say that there are too many.
class DelimitedRows {
 public:
  DelimitedRows(std::unique_ptr<TextLines> lines, char delimiter);
  ~DelimitedRows();
  DelimitedRows(const DelimitedRows&) = delete;
  DelimitedRows& operator=(const DelimitedRows&) = delete;

  // False at the end of the file. INVALID_ARGUMENT quotes_invalid, row_too_long, and those of
  // text_lines.h.
  absl::StatusOr<bool> Next(SourceRow* row);

  const TextLines& lines() const { return *lines_; }

 private:
  static void OnCell(void* text, size_t size, void* self);
  static void OnRowEnd(int, void* self);
  absl::Status Feed(const std::string& line);
  absl::Status QuotesInvalid(uint64_t line) const;

  std::unique_ptr<TextLines> lines_;
  csv_parser parser_;
  SourceRow open_;
  std::deque<SourceRow> ready_;
  bool in_row_ = false;
  bool ended_ = false;
  uint64_t row_line_ = 1;
  size_t row_bytes_ = 0;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_DELIMITED_ROWS_H_
