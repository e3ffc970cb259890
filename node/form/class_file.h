// A file of classes: code, name, code of the parent.
#ifndef GUANTONG_NODE_FORM_CLASS_FILE_H_
#define GUANTONG_NODE_FORM_CLASS_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "guantong/v1/class.pb.h"

namespace guantong {

// Columns by name: classify_code, 分类代码 or code; classify_name, 分类名称 or name; parent_code,
// 上级代码 or parent. "root" and nothing are the top. Errors: those of row_file.h, and
// INVALID_ARGUMENT columns_missing.
absl::StatusOr<v1::ImportClassesRequest> ReadClassFile(const std::string& file);

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_CLASS_FILE_H_
