// csv and tsv on libcsv, strict about quotes: a lenient parser turns one missing quote into wrong
// values without a word.
//
// The parser is fed line by line, so that the line of every row is known and a quote that is never
// closed costs one row's bound, not the memory of the machine.
#include <csv.h>

#include <deque>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/form/row_file.h"
#include "node/language.h"

namespace guantong {
namespace {

class DelimitedFile : public RowFile {
 public:
  DelimitedFile(std::unique_ptr<TextLines> lines, char delimiter) : lines_(std::move(lines)) {
    GT_CHECK(csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) == 0);
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    // Blanks belong to the value.
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });
  }
  ~DelimitedFile() override { csv_free(&parser_); }
  DelimitedFile(const DelimitedFile&) = delete;
  DelimitedFile& operator=(const DelimitedFile&) = delete;

  absl::Status ReadHeader() {
    SourceRow first;
    GT_ASSIGN_OR_RETURN(const bool any, Take(&first));
    header_ = std::move(first.values);
    if (!any) header_.clear();
    for (std::string& name : header_) {
      name = std::string(absl::StripAsciiWhitespace(name));
    }
    return CheckHeader(header_, lines_->file(), any ? first.line : 1);
  }

  const std::vector<std::string>& header() const override { return header_; }
  Progress progress() const override { return {lines_->bytes_read(), lines_->bytes()}; }
  TextEncoding encoding() const override { return lines_->encoding(); }

  absl::StatusOr<bool> Next(SourceRow* row) override {
    GT_ASSIGN_OR_RETURN(const bool any, Take(row));
    if (any && row->values.size() != header_.size()) {
      row->fault = FormError(
          "row_invalid", lines_->file(), static_cast<int>(row->line), "",
          absl::StrCat(Text("这一行有 ", "this row has "), row->values.size(),
                       Text(" 个值，表头有 ", " values, the header has "), header_.size()),
          Text("检查分隔符和引号", "check delimiters and quotes"));
    }
    return any;
  }

 private:
  static void OnCell(void* text, size_t size, void* self) {
    SourceRow& row = static_cast<DelimitedFile*>(self)->open_;
    // Enough to say that there are too many.
    if (row.values.size() > kColumnsMax) return;
    row.nulls.push_back(text == nullptr);
    row.values.emplace_back(static_cast<const char*>(text == nullptr ? "" : text), size);
  }

  static void OnRowEnd(int, void* self) {
    auto* file = static_cast<DelimitedFile*>(self);
    file->open_.line = file->row_line_;
    file->ready_.push_back(std::exchange(file->open_, {}));
    file->in_row_ = false;
  }

  absl::Status Feed(const std::string& line) {
    row_bytes_ += line.size();
    if (row_bytes_ > kRowBytesMax) {
      return FormError("row_too_long", lines_->file(), static_cast<int>(row_line_), "",
                       absl::StrCat(Text("从这里开始的一条记录超过 ",
                                         "the row that begins here is longer than "),
                                    kRowBytesMax, Text(" 字节", " bytes")),
                       Text("检查引号是否闭合", "check that quotes are closed"));
    }
    if (csv_parse(&parser_, line.data(), line.size(), OnCell, OnRowEnd, this) != line.size()) {
      return QuotesInvalid(lines_->line());
    }
    return absl::OkStatus();
  }

  absl::Status QuotesInvalid(uint64_t line) const {
    return FormError("quotes_invalid", lines_->file(), static_cast<int>(line), "",
                     absl::StrCat(Text("引号用法不对（这条记录从第 ",
                                       "quotes out of place (the row begins in line "),
                                  row_line_, Text(" 行开始）", ")")),
                     Text("含引号、分隔符或换行的值整个加引号，其中的引号写两次",
                          "quote a value that holds quotes, delimiters or line ends, and double "
                          "the quotes in it"));
  }

  absl::StatusOr<bool> Take(SourceRow* row) {
    while (ready_.empty()) {
      std::string line;
      GT_ASSIGN_OR_RETURN(const bool any, lines_->Next(&line));
      if (!any) {
        if (ended_) return false;
        ended_ = true;
        if (csv_fini(&parser_, OnCell, OnRowEnd, this) != 0) return QuotesInvalid(row_line_);
        continue;
      }
      if (!in_row_) {
        if (line == "\n" || line == "\r\n" || line == "\r") continue;
        in_row_ = true;
        row_line_ = lines_->line();
        row_bytes_ = 0;
      }
      GT_RETURN_IF_ERROR(Feed(line));
    }
    *row = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }

  std::unique_ptr<TextLines> lines_;
  csv_parser parser_;
  std::vector<std::string> header_;
  SourceRow open_;
  std::deque<SourceRow> ready_;
  bool in_row_ = false;
  bool ended_ = false;
  uint64_t row_line_ = 1;
  size_t row_bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowFile>> OpenDelimited(std::unique_ptr<TextLines> lines,
                                                       char delimiter) {
  auto file = std::make_unique<DelimitedFile>(std::move(lines), delimiter);
  GT_RETURN_IF_ERROR(file->ReadHeader());
  return file;
}

}  // namespace guantong
