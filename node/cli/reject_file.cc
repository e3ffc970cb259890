#include "node/cli/reject_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/form/csv_field.h"
#include "node/language.h"

namespace guantong {

absl::Status WriteRejects(const std::string& file, const std::vector<std::string>& header,
                          const std::vector<v1::RejectedRow>& rejects) {
  std::vector<std::string> record = {Text("行号", "line"), Text("字段", "field"),
                                     Text("原因", "reason")};
  record.insert(record.end(), header.begin(), header.end());
  std::string text = absl::StrCat("\xEF\xBB\xBF", CsvRecord(record));
  for (const v1::RejectedRow& row : rejects) {
    record = {absl::StrCat(row.line()), row.field(), row.reason()};
    record.insert(record.end(), row.values().begin(), row.values().end());
    text += CsvRecord(record);
  }
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(file.c_str(), "wb"), std::fclose);
  if (out == nullptr || std::fwrite(text.data(), 1, text.size(), out.get()) != text.size() ||
      std::fflush(out.get()) != 0) {
    return Error(
        absl::StatusCode::kUnavailable, "file_unwritable",
        absl::StrCat(file, Text("：写不了被拒的行：", ": cannot write the rejected rows: "),
                     std::strerror(errno)),
        file, Text("用 --rejects 指定别的位置", "choose another place with --rejects"));
  }
  return absl::OkStatus();
}

}  // namespace guantong
