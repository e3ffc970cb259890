// A text file as UTF-8 lines, in bounded memory whatever the file holds.
//
// ENCODING  auto: by BOM (UTF-8, UTF-16), else UTF-8 when all of the file is strictly UTF-8, else
// GB18030. A file that is mostly
//           well-formed UTF-8 with bad places is damaged UTF-8 and refused there: read as GB18030
//           it would turn into other characters without a word. The whole file is looked at once
//           before the first line is given out.
// BOUND     A line longer than kRowBytesMax ends the reading: it is refused after that much of it
// has been read. ERRORS    INVALID_ARGUMENT text_malformed (not in its encoding, or not text at
// all), line_too_long, file_empty,
//           file_unreadable; NOT_FOUND file_absent; subject is "file:line".
#ifndef GUANTONG_NODE_FORM_TEXT_LINES_H_
#define GUANTONG_NODE_FORM_TEXT_LINES_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace guantong {

enum class TextEncoding { kAuto, kUtf8, kGb18030, kUtf16Le, kUtf16Be };

// "auto", "utf-8", "gb18030". INVALID_ARGUMENT encoding_unknown.
absl::StatusOr<TextEncoding> ParseEncoding(absl::string_view name);
const char* EncodingName(TextEncoding encoding);

class Transcoder;

// Not thread-safe; borrows nothing.
class TextLines {
 public:
  static absl::StatusOr<std::unique_ptr<TextLines>> Open(const std::string& file,
                                                         TextEncoding encoding);
  ~TextLines();

  // The next line with its end (LF, CR or CRLF) as written; false at the end of the file.
  absl::StatusOr<bool> Next(std::string* line);

  uint64_t line() const { return line_; }              // of the last line given out, from 1
  TextEncoding encoding() const { return encoding_; }  // found or told
  uint64_t bytes() const { return bytes_; }            // of the file
  uint64_t bytes_read() const { return bytes_read_; }
  const std::string& file() const { return file_; }

 private:
  using FilePtr = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  TextLines(std::string file, FilePtr in);
  absl::Status Begin(TextEncoding told);
  absl::Status Detect(TextEncoding told);
  absl::Status Rewind(TextEncoding encoding);
  absl::Status Fill();

  const std::string file_;
  FilePtr in_;
  TextEncoding encoding_ = TextEncoding::kUtf8;
  std::unique_ptr<Transcoder> transcoder_;  // null: the bytes are checked UTF-8
  long mark_bytes_ = 0;                     // of the byte order mark
  uint64_t bytes_ = 0;
  uint64_t bytes_read_ = 0;
  uint64_t line_ = 0;
  bool at_end_ = false;
  std::string buffer_;  // UTF-8 not yet given out, from `taken_`
  size_t taken_ = 0;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_TEXT_LINES_H_
