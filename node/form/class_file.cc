#include "node/form/class_file.h"

#include <algorithm>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/form/row_file.h"
#include "node/language.h"

namespace guantong {
namespace {

absl::StatusOr<size_t> Column(const std::vector<std::string>& header, const std::string& file,
                              std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto it = std::find(header.begin(), header.end(), name);
    if (it != header.end()) return static_cast<size_t>(it - header.begin());
  }
  return Error(absl::StatusCode::kInvalidArgument, "columns_missing",
               absl::StrCat(file, Text("：缺少列 ", ": no column "), *names.begin()), file,
               Text("表头应有 分类代码、分类名称、上级代码",
                    "the header has classify_code, classify_name, parent_code"));
}

}  // namespace

absl::StatusOr<v1::ImportClassesRequest> ReadClassFile(const std::string& file) {
  GT_ASSIGN_OR_RETURN(const auto rows, OpenRowFile(file, TextEncoding::kAuto));
  const std::vector<std::string>& header = rows->header();
  GT_ASSIGN_OR_RETURN(const size_t code,
                      Column(header, file, {"classify_code", "分类代码", "code"}));
  GT_ASSIGN_OR_RETURN(const size_t name,
                      Column(header, file, {"classify_name", "分类名称", "name"}));
  GT_ASSIGN_OR_RETURN(const size_t parent,
                      Column(header, file, {"parent_code", "上级代码", "parent"}));
  v1::ImportClassesRequest request;
  SourceRow row;
  while (true) {
    GT_ASSIGN_OR_RETURN(const bool more, rows->Next(&row));
    if (!more) return request;
    GT_RETURN_IF_ERROR(row.fault);
    const auto value = [&](size_t column) {
      return std::string(absl::StripAsciiWhitespace(row.values[column]));
    };
    v1::ClassNode* node = request.add_classes();
    node->set_code(value(code));
    node->set_name(value(name));
    if (value(parent) != "root") node->set_parent(value(parent));
    request.add_rows(static_cast<uint32_t>(row.line));
  }
}

}  // namespace guantong
