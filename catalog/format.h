// Codes of resource formats (信息资源格式), 编制指南 2017: two digits of class, two of type.
#ifndef GUANTONG_CATALOG_FORMAT_H_
#define GUANTONG_CATALOG_FORMAT_H_

#include "absl/strings/string_view.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {

// "0310" -> "mysql", "07" -> "服务接口"; empty for a code the guide does not have.
absl::string_view FormatName(absl::string_view code);

// Spreadsheets and databases are shared as tables, services as services, everything but services as
// files.
bool FormatFits(absl::string_view code, v1::SharingMode mode);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_FORMAT_H_
