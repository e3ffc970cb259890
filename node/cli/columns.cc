#include "node/cli/columns.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/base/status.h"
#include "node/cli/failure.h"
#include "node/form/form_value.h"
#include "node/language.h"

namespace guantong {
namespace {

std::string FieldList(const v1::CatalogEntry& entry) {
  std::string list;
  for (const v1::DataItem& item : entry.items()) {
    absl::StrAppend(&list, list.empty() ? "" : ", ", item.field(), Text("（", " ("), item.name(),
                    Text("）", ")"));
  }
  return list;
}

// header -> field
absl::StatusOr<std::map<std::string, std::string>> ParseMapping(
    const std::vector<std::string>& header, const v1::CatalogEntry& entry,
    absl::string_view mapping) {
  std::map<std::string, std::string> field_of;
  for (const absl::string_view pair : absl::StrSplit(mapping, ',', absl::SkipWhitespace())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const std::string field(absl::StripAsciiWhitespace(parts.first));
    const std::string column(absl::StripAsciiWhitespace(parts.second));
    if (field.empty() || column.empty()) {
      return UsageError(absl::StrCat(
          Text("--columns 应为 字段=列名，写的是 ", "--columns should be field=header, it is "),
          pair));
    }
    if (std::none_of(entry.items().begin(), entry.items().end(),
                     [&](const v1::DataItem& item) { return item.field() == field; })) {
      return UsageError(
          absl::StrCat(Text("--columns 里的字段不在条目中：", "--columns: no such field: "), field),
          absl::StrCat(Text("条目的字段：", "fields of the entry: "), FieldList(entry)));
    }
    if (std::find(header.begin(), header.end(), column) == header.end()) {
      return UsageError(absl::StrCat(
          Text("--columns 里的列不在文件中：", "--columns: no such column: "), column));
    }
    if (!field_of.emplace(column, field).second) {
      return UsageError(absl::StrCat(
          Text("--columns 里同一列写了两次：", "--columns: a column stands there twice: "),
          column));
    }
  }
  return field_of;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> MatchColumns(const std::vector<std::string>& header,
                                                      const v1::CatalogEntry& entry,
                                                      absl::string_view mapping,
                                                      absl::string_view file) {
  GT_ASSIGN_OR_RETURN(auto field_of, ParseMapping(header, entry, mapping));
  std::vector<std::string> fields;
  for (const std::string& column : header) {
    std::string field;
    if (const auto mapped = field_of.find(column); mapped != field_of.end()) {
      field = mapped->second;
    } else {
      // A field name goes before another item's Chinese name.
      for (const v1::DataItem& item : entry.items()) {
        if (item.field() == column) field = column;
      }
      for (const v1::DataItem& item : entry.items()) {
        if (field.empty() && item.name() == column) field = item.field();
      }
    }
    if (field.empty()) {
      return FormError(
          "column_unknown", file, 1, "",
          absl::StrCat(Text("条目里没有这一列：", "the entry has no such column: "), column),
          absl::StrCat(Text("去掉这一列，或用 --columns 字段=列名 指明；条目的字段：",
                            "remove it, or say --columns field=header; fields: "),
                       FieldList(entry)));
    }
    if (std::find(fields.begin(), fields.end(), field) != fields.end()) {
      return FormError("column_repeated", file, 1, "",
                       absl::StrCat(Text("两列都对应字段 ", "two columns are the field "), field));
    }
    fields.push_back(field);
  }
  return fields;
}

}  // namespace guantong
