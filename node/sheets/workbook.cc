#include "node/sheets/workbook.h"

#include <unicode/utf8.h>
#include <xlsxwriter.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/language.h"

namespace guantong {
namespace {

constexpr lxw_color_t kPaleRed = 0xFFC7CE, kPaleYellow = 0xFFEB9C, kPaleBlue = 0xDDEBF7,
                      kPaleGreen = 0xE2EFDA;

// At most 31 characters, none of []:*?/\ , no apostrophe at an end, no name twice.
std::string SheetName(absl::string_view wanted, const std::vector<std::string>& taken) {
  constexpr size_t kCharactersMax = 28;  // leaves room for a number
  std::string name;
  size_t characters = 0;
  const auto size = static_cast<int32_t>(wanted.size());
  for (int32_t at = 0; at < size && characters < kCharactersMax;) {
    const int32_t begin = at;
    UChar32 character;
    U8_NEXT(wanted.data(), at, size, character);
    if (character < 0x20 || std::strchr("[]:*?/\\'", static_cast<char>(character)) != nullptr)
      if (character < 0x80) continue;
    if (character < 0) continue;
    name.append(wanted.data() + begin, static_cast<size_t>(at - begin));
    characters += U16_LENGTH(character);
  }
  if (name.empty()) name = "Sheet";
  std::string tried = name;
  for (size_t number = 2; std::find(taken.begin(), taken.end(), tried) != taken.end(); ++number)
    tried = absl::StrCat(name, number);
  return tried;
}

// A text that reads like the escape of a character: _x000D_. Its underscore is escaped.
std::string Escaped(absl::string_view text) {
  constexpr size_t kEscape = 7;
  std::string escaped;
  for (size_t at = 0; at < text.size(); ++at) {
    const absl::string_view rest = text.substr(at, kEscape);
    uint32_t code;
    const bool reads_so = rest.size() == kEscape && rest[0] == '_' && rest[1] == 'x' &&
                          rest.back() == '_' && absl::SimpleHexAtoi(rest.substr(2, 4), &code);
    absl::StrAppend(&escaped, reads_so ? "_x005F_" : text.substr(at, 1));
  }
  return escaped;
}

}  // namespace

void Workbook::Freed::operator()(lxw_workbook* workbook) const { lxw_workbook_free(workbook); }

Workbook::Workbook(std::string file)
    : file_(std::move(file)), workbook_(workbook_new(file_.c_str())) {
  GT_CHECK(workbook_ != nullptr);
  for (const Look look :
       {Look::kPlain, Look::kTitle, Look::kRequiredTitle, Look::kError, Look::kWarning}) {
    lxw_format* format = workbook_add_format(workbook_.get());
    format_set_num_format(format, "@");
    format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
    if (look == Look::kTitle || look == Look::kRequiredTitle) {
      format_set_bold(format);
      format_set_text_wrap(format);
      format_set_bg_color(format, look == Look::kTitle ? kPaleGreen : kPaleBlue);
    } else if (look != Look::kPlain) {
      format_set_bg_color(format, look == Look::kError ? kPaleRed : kPaleYellow);
    }
    formats_.push_back(format);
  }
}

Workbook::~Workbook() = default;

void Workbook::Note(int error, uint32_t row, uint32_t column) {
  if (error == LXW_NO_ERROR || !first_error_.ok()) return;
  const std::string cell = absl::StrCat(file_, ":", row + 1, ":", column + 1);
  first_error_ =
      error == LXW_ERROR_MAX_STRING_LENGTH_EXCEEDED
          ? Error(absl::StatusCode::kInvalidArgument, "text_too_long",
                  absl::StrCat(cell, Text("：文字超过表格单元格的 32767 个字符",
                                          ": longer than the 32,767 characters of a cell")),
                  cell, Text("导出为 .json", "export it as .json"))
          : Error(absl::StatusCode::kInternal, "sheet_unwritable",
                  absl::StrCat(cell, ": ", lxw_strerror(static_cast<lxw_error>(error))), cell);
}

void Workbook::AddSheet(absl::string_view name) {
  names_.push_back(SheetName(name, names_));
  sheet_ = workbook_add_worksheet(workbook_.get(), names_.back().c_str());
  GT_CHECK(sheet_ != nullptr);
}

void Workbook::Write(uint32_t row, uint32_t column, absl::string_view text, Look look) {
  Note(worksheet_write_string(sheet_, row, static_cast<lxw_col_t>(column), Escaped(text).c_str(),
                              formats_[static_cast<size_t>(look)]),
       row, column);
}

void Workbook::Comment(uint32_t row, uint32_t column, const std::string& text) {
  // Beyond what a comment shows; all of it stands in the last column as well.
  constexpr size_t kBytesMax = 3000;
  size_t end = std::min(text.size(), kBytesMax);
  while (end > 0 && end < text.size() && U8_IS_TRAIL(text[end])) --end;
  Note(worksheet_write_comment(sheet_, row, static_cast<lxw_col_t>(column),
                               text.substr(0, end).c_str()),
       row, column);
}

void Workbook::SetWidth(uint32_t column, double characters) {
  worksheet_set_column(sheet_, static_cast<lxw_col_t>(column), static_cast<lxw_col_t>(column),
                       characters, formats_[0]);
}

void Workbook::FreezeAbove(uint32_t row) { worksheet_freeze_panes(sheet_, row, 0); }

void Workbook::HideSheet() { worksheet_hide(sheet_); }

void Workbook::OfferChoices(uint32_t first, uint32_t last, uint32_t column,
                            const std::string& from) {
  std::string formula = from;
  lxw_data_validation choices = {};
  choices.validate = LXW_VALIDATION_TYPE_LIST_FORMULA;
  choices.value_formula = formula.data();
  // Several values of one cell are legal, so a drop-down offers and does not refuse.
  choices.error_type = LXW_VALIDATION_ERROR_TYPE_INFORMATION;
  Note(worksheet_data_validation_range(sheet_, first, static_cast<lxw_col_t>(column), last,
                                       static_cast<lxw_col_t>(column), &choices),
       first, column);
}

absl::Status Workbook::Finish() {
  GT_RETURN_IF_ERROR(first_error_);
  const lxw_error error = workbook_close(workbook_.release());
  if (error == LXW_NO_ERROR) return absl::OkStatus();
  return Error(
      absl::StatusCode::kUnavailable, "file_unwritable",
      absl::StrCat(file_, Text("：写不了：", ": cannot be written: "), lxw_strerror(error)), file_,
      Text("检查文件夹、权限和空间，或换一个位置",
           "check folder, rights and space, or choose another place"));
}

}  // namespace guantong
