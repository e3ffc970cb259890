// csv and tsv on libcsv, strict about quotes: a lenient parser turns one missing quote into wrong
// values without a word.
//
// The parser is fed line by line, so that the line of every row is known and a quote that is never
// closed costs one row's bound, not the memory of the machine.
#include "node/form/delimited_rows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/language.h"

namespace guantong {

DelimitedRows::DelimitedRows(std::unique_ptr<TextLines> lines, char delimiter)
    : lines_(std::move(lines)) {
  GT_CHECK(csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) == 0);
  csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
  // Blanks belong to the value.
  csv_set_space_func(&parser_, [](unsigned char) { return 0; });
}

DelimitedRows::~DelimitedRows() { csv_free(&parser_); }

void DelimitedRows::OnCell(void* text, size_t size, void* self) {
  SourceRow& row = static_cast<DelimitedRows*>(self)->open_;
  if (row.values.size() > kColumnsMax) return;
  row.nulls.push_back(text == nullptr);
  row.values.emplace_back(static_cast<const char*>(text == nullptr ? "" : text), size);
}

void DelimitedRows::OnRowEnd(int, void* self) {
  auto* rows = static_cast<DelimitedRows*>(self);
  rows->open_.line = rows->row_line_;
  rows->ready_.push_back(std::exchange(rows->open_, {}));
  rows->in_row_ = false;
}

absl::Status DelimitedRows::Feed(const std::string& line) {
  row_bytes_ += line.size();
  if (row_bytes_ > kRowBytesMax) {
    return FormError(
        "row_too_long", lines_->file(), static_cast<int>(row_line_), "",
        absl::StrCat(Text("从这里开始的一条记录超过 ", "the row that begins here is longer than "),
                     kRowBytesMax, Text(" 字节", " bytes")),
        Text("检查引号是否闭合", "check that quotes are closed"));
  }
  if (csv_parse(&parser_, line.data(), line.size(), OnCell, OnRowEnd, this) != line.size()) {
    return QuotesInvalid(lines_->line());
  }
  return absl::OkStatus();
}

absl::Status DelimitedRows::QuotesInvalid(uint64_t line) const {
  return FormError("quotes_invalid", lines_->file(), static_cast<int>(line), "",
                   absl::StrCat(Text("引号用法不对（这条记录从第 ",
                                     "quotes out of place (the row begins in line "),
                                row_line_, Text(" 行开始）", ")")),
                   Text("含引号、分隔符或换行的值整个加引号，其中的引号写两次",
                        "quote a value that holds quotes, delimiters or line ends, and double "
                        "the quotes in it"));
}

absl::StatusOr<bool> DelimitedRows::Next(SourceRow* row) {
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

}  // namespace guantong
