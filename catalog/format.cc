#include "catalog/format.h"

#include "absl/strings/match.h"

namespace guantong {
namespace {

struct Format {
  absl::string_view code;
  absl::string_view name;
};

constexpr Format kFormats[] = {
    {"0101", "doc"},
    {"0102", "docx"},
    {"0103", "html"},
    {"0104", "OFD"},
    {"0105", "pdf"},
    {"0106", "ppt"},
    {"0107", "txt"},
    {"0108", "wps"},
    {"0109", "xml"},
    {"0110", "其他电子文件"},
    {"0201", "et"},
    {"0202", "xls"},
    {"0203", "xlsx"},
    {"0204", "其他电子表格"},
    {"0301", "access"},
    {"0302", "db2"},
    {"0303", "dbase"},
    {"0304", "dbf"},
    {"0305", "Dm"},
    {"0306", "KingbaseES"},
    {"0307", "oracle"},
    {"0308", "sqlServer"},
    {"0309", "sysbase"},
    {"0310", "mysql"},
    {"0311", "其他数据库"},
    {"0401", "bmp"},
    {"0402", "gif"},
    {"0403", "jpg"},
    {"0404", "其他图形图像"},
    {"0501", "mpg"},
    {"0502", "rm"},
    {"0503", "swf"},
    {"0504", "其他流媒体"},
    {"0601", "表格驱动码"},
    {"0602", "其他自描述格式"},
    {"07", "服务接口"},
};

}  // namespace

absl::string_view FormatName(absl::string_view code) {
  for (const Format& format : kFormats) {
    if (format.code == code) return format.name;
  }
  return "";
}

bool FormatFits(absl::string_view code, v1::SharingMode mode) {
  const bool service = absl::StartsWith(code, "07");
  switch (mode) {
    case v1::SHARING_MODE_TABLE:
      return absl::StartsWith(code, "02") || absl::StartsWith(code, "03");
    case v1::SHARING_MODE_SERVICE:
      return service;
    default:
      return !service;
  }
}

}  // namespace guantong
