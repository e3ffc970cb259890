#include "node/sheets/sheet.h"

#include <cerrno>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/language.h"
#include "node/sheets/csv_sheet.h"
#include "node/sheets/limits.h"

namespace guantong {

const std::string& Sheet::At(size_t row, size_t column) const {
  static const auto& none = *new std::string;
  return row < rows.size() && column < rows[row].size() ? rows[row][column] : none;
}

absl::Status SheetTooLarge(absl::string_view source, absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "sheet_too_large",
               absl::StrCat(source, Text("：太大：", ": too large: "), what), source,
               Text("分成几个文件", "split it into several files"));
}

absl::StatusOr<std::vector<Sheet>> ReadSheets(const std::string& file) {
  const std::string name = absl::AsciiStrToLower(file);
  if (absl::EndsWith(name, ".csv")) {
    GT_ASSIGN_OR_RETURN(Sheet sheet, ReadCsvSheet(file));
    std::vector<Sheet> sheets;
    sheets.push_back(std::move(sheet));
    return sheets;
  }
  if (!absl::EndsWith(name, ".xlsx")) {
    return Error(absl::StatusCode::kInvalidArgument, "file_kind_unknown",
                 absl::StrCat(file, Text("：应为 .xlsx 或 .csv", ": should be .xlsx or .csv")),
                 file, Text("用表格软件另存为 .xlsx", "save it as .xlsx"));
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return FileUnreadable(file, errno);
  std::string bytes(kSheetFileBytesMax + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(in.gcount()));
  return ParseXlsx(bytes, file);
}

}  // namespace guantong
