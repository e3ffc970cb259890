// Files of codes as people keep them, .xlsx or .csv: classes, code lists, mappings. The header
// stands in one of the first rows and is found by the titles of its columns; other columns are
// passed over.
//
// ERRORS  those of sheet.h, and INVALID_ARGUMENT columns_missing.
#ifndef GUANTONG_NODE_SHEETS_CODE_FILES_H_
#define GUANTONG_NODE_SHEETS_CODE_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/class.pb.h"
#include "guantong/v1/code_list.pb.h"
#include "node/sheets/sheet.h"

namespace guantong {

// classify_code, 分类代码 or code; classify_name, 分类名称 or name; parent_code, 上级代码 or
// parent. "root" and nothing are the top.
absl::StatusOr<v1::ImportClassesRequest> ReadClassFile(const std::string& file);
absl::StatusOr<v1::ImportClassesRequest> ClassesOf(const std::vector<Sheet>& sheets,
                                                   absl::string_view source);

// 代码 or code; 名称 or name; 上级代码 or parent and 说明 or note where they are there. Items and
// rows alone: what list it is, its caller knows.
absl::StatusOr<v1::ImportCodeListRequest> ReadCodeListFile(const std::string& file);
absl::StatusOr<v1::ImportCodeListRequest> CodeListOf(const std::vector<Sheet>& sheets,
                                                     absl::string_view source);

// 原代码 or from; 新代码 or to; 说明 or note where it is there.
absl::StatusOr<v1::ImportCodeMapRequest> ReadCodeMapFile(const std::string& file);
absl::StatusOr<v1::ImportCodeMapRequest> CodeMapOf(const std::vector<Sheet>& sheets,
                                                   absl::string_view source);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_CODE_FILES_H_
