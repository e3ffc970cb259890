// csv and tsv with a header.
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/form/delimited_rows.h"
#include "node/form/form_value.h"
#include "node/form/row_file.h"
#include "node/language.h"

namespace guantong {
namespace {

class DelimitedFile : public RowFile {
 public:
  DelimitedFile(std::unique_ptr<TextLines> lines, char delimiter)
      : rows_(std::move(lines), delimiter) {}

  absl::Status ReadHeader() {
    SourceRow first;
    GT_ASSIGN_OR_RETURN(const bool any, rows_.Next(&first));
    header_ = std::move(first.values);
    if (!any) header_.clear();
    for (std::string& name : header_) {
      name = std::string(absl::StripAsciiWhitespace(name));
    }
    return CheckHeader(header_, rows_.lines().file(), any ? first.line : 1);
  }

  const std::vector<std::string>& header() const override { return header_; }
  Progress progress() const override { return {rows_.lines().bytes_read(), rows_.lines().bytes()}; }
  TextEncoding encoding() const override { return rows_.lines().encoding(); }

  absl::StatusOr<bool> Next(SourceRow* row) override {
    GT_ASSIGN_OR_RETURN(const bool any, rows_.Next(row));
    if (any && row->values.size() != header_.size()) {
      row->fault = FormError(
          "row_invalid", rows_.lines().file(), static_cast<int>(row->line), "",
          absl::StrCat(Text("这一行有 ", "this row has "), row->values.size(),
                       Text(" 个值，表头有 ", " values, the header has "), header_.size()),
          Text("检查分隔符和引号", "check delimiters and quotes"));
    }
    return any;
  }

 private:
  DelimitedRows rows_;
  std::vector<std::string> header_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowFile>> OpenDelimited(std::unique_ptr<TextLines> lines,
                                                       char delimiter) {
  auto file = std::make_unique<DelimitedFile>(std::move(lines), delimiter);
  GT_RETURN_IF_ERROR(file->ReadHeader());
  return file;
}

}  // namespace guantong
