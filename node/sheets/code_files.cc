#include "node/sheets/code_files.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "node/language.h"
#include "node/sheets/limits.h"

namespace guantong {
namespace {

struct CodeColumn {
  std::vector<const char*> titles;  // the first names it in errors
  bool required = true;
};

struct CodeRow {
  uint32_t row = 0;                 // from 1
  std::vector<std::string> values;  // by column
};

using Places = std::vector<std::optional<size_t>>;

Places PlacesIn(const std::vector<std::string>& titles, const std::vector<CodeColumn>& columns) {
  std::map<std::string, size_t> by_title;
  for (size_t i = 0; i < titles.size(); ++i) by_title.emplace(PlainName(titles[i]), i);
  Places places;
  for (const CodeColumn& column : columns) {
    std::optional<size_t>& place = places.emplace_back();
    for (const char* title : column.titles) {
      const auto it = by_title.find(PlainName(title));
      if (it == by_title.end()) continue;
      place = it->second;
      break;
    }
  }
  return places;
}

// The first of the required columns that is not there; null: all are.
const CodeColumn* Missing(const Places& places, const std::vector<CodeColumn>& columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].required && !places[i].has_value()) return &columns[i];
  }
  return nullptr;
}

std::vector<CodeRow> RowsBelow(const Sheet& sheet, size_t header, const Places& places) {
  std::vector<CodeRow> rows;
  for (size_t row = header + 1; row < sheet.rows.size(); ++row) {
    CodeRow read{.row = static_cast<uint32_t>(row + 1), .values = {}};
    bool blank = true;
    for (const std::optional<size_t>& place : places) {
      read.values.push_back(
          place.has_value() ? std::string(absl::StripAsciiWhitespace(sheet.At(row, *place))) : "");
      blank &= read.values.back().empty();
    }
    if (!blank) rows.push_back(std::move(read));
  }
  return rows;
}

absl::StatusOr<std::vector<CodeRow>> CodeRowsOf(const std::vector<Sheet>& sheets,
                                                absl::string_view source,
                                                const std::vector<CodeColumn>& columns) {
  const CodeColumn* missing = &columns[0];
  size_t found_max = 0;
  for (const Sheet& sheet : sheets) {
    for (size_t row = 0; row < std::min(sheet.rows.size(), kSheetHeaderRowsMax); ++row) {
      const Places places = PlacesIn(sheet.rows[row], columns);
      const CodeColumn* lacks = Missing(places, columns);
      if (lacks == nullptr) return RowsBelow(sheet, row, places);
      // Of the row that looks most like a header it is told what it lacks.
      const auto found = static_cast<size_t>(std::count_if(
          places.begin(), places.end(), [](const auto& one) { return one.has_value(); }));
      if (found <= found_max) continue;
      found_max = found;
      missing = lacks;
    }
  }
  std::string wanted;
  for (const CodeColumn& column : columns) {
    if (column.required)
      absl::StrAppend(&wanted, wanted.empty() ? "" : "、", column.titles.front());
  }
  return Error(absl::StatusCode::kInvalidArgument, "columns_missing",
               absl::StrCat(source, Text("：缺少列 ", ": no column "), missing->titles.front()),
               source, absl::StrCat(Text("表头应有 ", "the header has "), wanted));
}

}  // namespace

absl::StatusOr<v1::ImportClassesRequest> ClassesOf(const std::vector<Sheet>& sheets,
                                                   absl::string_view source) {
  GT_ASSIGN_OR_RETURN(const std::vector<CodeRow> rows,
                      CodeRowsOf(sheets, source,
                                 {{.titles = {"分类代码", "classify_code", "code"}},
                                  {.titles = {"分类名称", "classify_name", "name"}},
                                  {.titles = {"上级代码", "parent_code", "parent"}}}));
  v1::ImportClassesRequest request;
  for (const CodeRow& row : rows) {
    v1::ClassNode* node = request.add_classes();
    node->set_code(row.values[0]);
    node->set_name(row.values[1]);
    if (row.values[2] != "root") node->set_parent(row.values[2]);
    request.add_rows(row.row);
  }
  return request;
}

absl::StatusOr<v1::ImportCodeListRequest> CodeListOf(const std::vector<Sheet>& sheets,
                                                     absl::string_view source) {
  GT_ASSIGN_OR_RETURN(
      const std::vector<CodeRow> rows,
      CodeRowsOf(sheets, source,
                 {{.titles = {"代码", "code"}},
                  {.titles = {"名称", "name"}},
                  {.titles = {"上级代码", "parent_code", "parent"}, .required = false},
                  {.titles = {"说明", "备注", "note"}, .required = false}}));
  v1::ImportCodeListRequest request;
  for (const CodeRow& row : rows) {
    v1::CodeListItem* item = request.mutable_list()->add_items();
    item->set_code(row.values[0]);
    item->set_name(row.values[1]);
    item->set_parent(row.values[2]);
    item->set_note(row.values[3]);
    request.add_rows(row.row);
  }
  return request;
}

absl::StatusOr<v1::ImportCodeMapRequest> CodeMapOf(const std::vector<Sheet>& sheets,
                                                   absl::string_view source) {
  GT_ASSIGN_OR_RETURN(const std::vector<CodeRow> rows,
                      CodeRowsOf(sheets, source,
                                 {{.titles = {"原代码", "旧代码", "from"}},
                                  {.titles = {"新代码", "目标代码", "to"}},
                                  {.titles = {"说明", "备注", "note"}, .required = false}}));
  v1::ImportCodeMapRequest request;
  for (const CodeRow& row : rows) {
    v1::CodePair* pair = request.mutable_map()->add_pairs();
    pair->set_from(row.values[0]);
    pair->set_to(row.values[1]);
    pair->set_note(row.values[2]);
    request.add_rows(row.row);
  }
  return request;
}

absl::StatusOr<v1::ImportClassesRequest> ReadClassFile(const std::string& file) {
  GT_ASSIGN_OR_RETURN(const std::vector<Sheet> sheets, ReadSheets(file));
  return ClassesOf(sheets, file);
}

absl::StatusOr<v1::ImportCodeListRequest> ReadCodeListFile(const std::string& file) {
  GT_ASSIGN_OR_RETURN(const std::vector<Sheet> sheets, ReadSheets(file));
  return CodeListOf(sheets, file);
}

absl::StatusOr<v1::ImportCodeMapRequest> ReadCodeMapFile(const std::string& file) {
  GT_ASSIGN_OR_RETURN(const std::vector<Sheet> sheets, ReadSheets(file));
  return CodeMapOf(sheets, file);
}

}  // namespace guantong
