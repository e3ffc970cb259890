#include "node/sheets/code_files.h"

#include "catalog/base/status.h"
#include "node/sheets/titled_rows.h"

namespace guantong {

absl::StatusOr<v1::ImportClassesRequest> ClassesOf(const std::vector<Sheet>& sheets,
                                                   absl::string_view source) {
  GT_ASSIGN_OR_RETURN(const std::vector<TitledRow> rows,
                      TitledRowsOf(sheets, source,
                                   {{.titles = {"分类代码", "classify_code", "code"}},
                                    {.titles = {"分类名称", "classify_name", "name"}},
                                    {.titles = {"上级代码", "parent_code", "parent"}}}));
  v1::ImportClassesRequest request;
  for (const TitledRow& row : rows) {
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
      const std::vector<TitledRow> rows,
      TitledRowsOf(sheets, source,
                   {{.titles = {"代码", "code"}},
                    {.titles = {"名称", "name"}},
                    {.titles = {"上级代码", "parent_code", "parent"}, .required = false},
                    {.titles = {"说明", "备注", "note"}, .required = false}}));
  v1::ImportCodeListRequest request;
  for (const TitledRow& row : rows) {
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
  GT_ASSIGN_OR_RETURN(const std::vector<TitledRow> rows,
                      TitledRowsOf(sheets, source,
                                   {{.titles = {"原代码", "旧代码", "from"}},
                                    {.titles = {"新代码", "目标代码", "to"}},
                                    {.titles = {"说明", "备注", "note"}, .required = false}}));
  v1::ImportCodeMapRequest request;
  for (const TitledRow& row : rows) {
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
