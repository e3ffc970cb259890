#include "node/form/row_file.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/language.h"

namespace guantong {

absl::Status CheckHeader(const std::vector<std::string>& header, const std::string& file,
                         uint64_t line) {
  const auto invalid = [&](absl::string_view what, absl::string_view remedy) {
    return FormError("header_invalid", file, static_cast<int>(line), "", what, remedy);
  };
  if (header.empty()) {
    return invalid(Text("没有表头", "there is no header"),
                   Text("第一行写列名", "write the column names in the first line"));
  }
  if (header.size() > kColumnsMax) {
    return invalid(absl::StrCat(Text("超过 ", "more than "), kColumnsMax, Text(" 列", " columns")),
                   Text("检查分隔符", "check the delimiter"));
  }
  std::set<std::string> seen;
  for (size_t i = 0; i < header.size(); ++i) {
    if (header[i].empty()) {
      return invalid(
          absl::StrCat(Text("第 ", "column "), i + 1, Text(" 列没有列名", " has no name")),
          Text("第一行写列名", "write the column names in the first line"));
    }
    if (!seen.insert(header[i]).second) {
      return invalid(absl::StrCat(Text("列名重复：", "column name twice: "), header[i]),
                     Text("每列一个名字", "name every column differently"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RowFile>> OpenRowFile(const std::string& file,
                                                     TextEncoding encoding) {
  const std::string name = absl::AsciiStrToLower(file);
  const bool csv = absl::EndsWith(name, ".csv"), tsv = absl::EndsWith(name, ".tsv");
  if (!csv && !tsv && !absl::EndsWith(name, ".jsonl")) {
    return FormError(
        "file_kind_unknown", file, 0, "",
        Text("应为 .csv、.tsv 或 .jsonl 文件", "should be a .csv, .tsv or .jsonl file"),
        Text("导出为其中一种再试", "export it as one of these"));
  }
  GT_ASSIGN_OR_RETURN(std::unique_ptr<TextLines> lines, TextLines::Open(file, encoding));
  if (csv || tsv) return OpenDelimited(std::move(lines), csv ? ',' : '\t');
  return OpenJsonLines(std::move(lines));
}

}  // namespace guantong
