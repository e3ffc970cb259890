// An .xlsx: xl/workbook.xml names the sheets, xl/_rels says where they are, xl/sharedStrings.xml
// holds most of the text, xl/styles.xml says which numbers are dates.
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "catalog/base/status.h"
#include "node/form/utf8.h"
#include "node/language.h"
#include "node/sheets/limits.h"
#include "node/sheets/sheet.h"
#include "node/sheets/xlsx_archive.h"

namespace guantong {
namespace {

using Presence = XlsxArchive::Presence;

void AppendUtf8(uint32_t code, std::string* text) {
  if (code < 0x80) {
    text->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    text->push_back(static_cast<char>(0xC0 | code >> 6));
    text->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    text->push_back(static_cast<char>(0xE0 | code >> 12));
    text->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    text->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// _x000D_ stands for a character that XML does not carry, _x005F_ for the underscore before such a
// text.
std::string Unescaped(absl::string_view text) {
  constexpr size_t kEscape = 7;
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    uint32_t code = 0;
    if (text[at] == '_' && at + kEscape <= text.size() && text[at + 1] == 'x' &&
        text[at + kEscape - 1] == '_' && absl::SimpleHexAtoi(text.substr(at + 2, 4), &code) &&
        code != 0 && (code < 0xD800 || code > 0xDFFF)) {
      AppendUtf8(code, &plain);
      at += kEscape;
    } else {
      plain.push_back(text[at++]);
    }
  }
  return plain;
}

// All runs of a rich text; phonetic hints (rPh) are none of it.
std::string TextOf(const pugi::xml_node& node) {
  std::string text = node.child("t").text().get();
  for (const pugi::xml_node& run : node.children("r"))
    absl::StrAppend(&text, run.child("t").text().get());
  return Unescaped(text);
}

// "BC12" -> row 11, column 54; false when it is none.
bool ParseReference(absl::string_view reference, uint32_t* row, uint32_t* column) {
  constexpr size_t kLettersMax = 3;
  size_t letters = 0;
  uint32_t number = 0;
  while (letters < reference.size() &&
         absl::ascii_isupper(static_cast<unsigned char>(reference[letters]))) {
    number = number * 26 + static_cast<uint32_t>(reference[letters] - 'A' + 1);
    if (++letters > kLettersMax) return false;
  }
  uint32_t line;
  if (letters == 0 || !absl::SimpleAtoi(reference.substr(letters), &line) || line == 0)
    return false;
  *row = line - 1;
  *column = number - 1;
  return true;
}

bool IsDateFormat(const std::string& code) {
  bool quoted = false, bracketed = false;
  for (const char c : code) {
    if (c == '"') quoted = !quoted;
    if (c == '[' || c == ']') bracketed = c == '[';  // [Red]
    if (!quoted && !bracketed && (c == 'y' || c == 'Y' || c == 'd' || c == 'D')) return true;
  }
  return false;
}

// Indices of cell styles whose numbers are dates.
std::set<unsigned> DateStyles(const pugi::xml_document& styles) {
  constexpr unsigned kBuiltInDates[] = {14, 15, 16, 17, 22, 27, 28, 29, 30,
                                        31, 36, 50, 51, 52, 53, 54, 57, 58};
  std::set<unsigned> formats(std::begin(kBuiltInDates), std::end(kBuiltInDates));
  const pugi::xml_node root = styles.child("styleSheet");
  for (const pugi::xml_node& format : root.child("numFmts").children("numFmt")) {
    if (IsDateFormat(format.attribute("formatCode").value()))
      formats.insert(format.attribute("numFmtId").as_uint());
  }
  std::set<unsigned> dates;
  unsigned index = 0;
  for (const pugi::xml_node& style : root.child("cellXfs").children("xf")) {
    if (formats.count(style.attribute("numFmtId").as_uint()) > 0) dates.insert(index);
    ++index;
  }
  return dates;
}

std::string NumberText(const std::string& value, bool date) {
  double number;
  if (!absl::SimpleAtod(value, &number) || !std::isfinite(number)) return value;
  constexpr double kDaysMax = 200000;
  if (date && number >= 1 && number < kDaysMax) {
    // Counted from here because the format has a 29 February 1900.
    const absl::CivilDay first(1899, 12, 30);
    return absl::FormatCivilTime(first + static_cast<int64_t>(number));
  }
  // 1.0 and 1E+3 are how a sheet writes whole numbers at times.
  constexpr double kWholeMax = 1e15;
  if (number == std::floor(number) && std::fabs(number) < kWholeMax)
    return absl::StrFormat("%d", static_cast<int64_t>(number));
  return value;
}

class SheetReader {
 public:
  SheetReader(const std::vector<std::string>* shared, const std::set<unsigned>* dates,
              absl::string_view source)
      : shared_(*shared), dates_(*dates), source_(source) {}

  absl::Status Read(const pugi::xml_node& worksheet, Sheet* sheet) {
    uint32_t next_row = 0;
    for (const pugi::xml_node& line : worksheet.child("sheetData").children("row")) {
      const unsigned said = line.attribute("r").as_uint();
      uint32_t row = said > 0 ? said - 1 : next_row;
      uint32_t next_column = 0;
      for (const pugi::xml_node& cell : line.children("c")) {
        uint32_t column = next_column;
        const char* reference = cell.attribute("r").value();
        if (*reference != 0 && !ParseReference(reference, &row, &column))
          return SheetMalformed(source_, reference);
        next_column = column + 1;
        GT_RETURN_IF_ERROR(Put(row, column, CellText(cell), sheet));
      }
      next_row = row + 1;
    }
    for (const pugi::xml_node& merged : worksheet.child("mergeCells").children("mergeCell")) {
      const absl::string_view range = merged.attribute("ref").value();
      const size_t colon = range.find(':');
      MergedRange found;
      if (colon != absl::string_view::npos &&
          ParseReference(range.substr(0, colon), &found.first_row, &found.first_column) &&
          ParseReference(range.substr(colon + 1), &found.last_row, &found.last_column) &&
          found.first_row <= found.last_row && found.first_column <= found.last_column &&
          sheet->merged.size() < kSheetCellsMax) {
        sheet->merged.push_back(found);
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Put(uint32_t row, uint32_t column, std::string text, Sheet* sheet) {
    if (text.empty()) return absl::OkStatus();
    if (row >= kSheetRowsMax || column >= kSheetColumnsMax)
      return SheetTooLarge(source_, absl::StrCat(sheet->name, " ", row + 1));
    if (const TextFault fault = FindUtf8Fault(text); fault.found)
      return SheetMalformed(source_, Text("文字不是 UTF-8", "text that is no UTF-8"));
    if (sheet->rows.size() <= row) sheet->rows.resize(row + 1);
    auto& values = sheet->rows[row];
    if (values.size() <= column) {
      cells_ += column + 1 - values.size();
      values.resize(column + 1);
    }
    // One shared text can stand in every cell.
    text_bytes_ += text.size();
    if (cells_ > kSheetCellsMax || text_bytes_ > kSheetTextBytesMax)
      return SheetTooLarge(source_, absl::StrCat(sheet->name, " ", row + 1));
    values[column] = std::move(text);
    return absl::OkStatus();
  }

  std::string CellText(const pugi::xml_node& cell) const {
    const absl::string_view type = cell.attribute("t").value();
    if (type == "inlineStr") return TextOf(cell.child("is"));
    const std::string value = cell.child("v").text().get();
    if (type == "s") {
      size_t index;
      return absl::SimpleAtoi(value, &index) && index < shared_.size() ? shared_[index] : "";
    }
    if (type == "b") return value == "1" ? "是" : "否";
    if (type == "str") return Unescaped(value);
    if (type == "e") return value;
    return NumberText(value, dates_.count(cell.attribute("s").as_uint()) > 0);
  }

  const std::vector<std::string>& shared_;
  const std::set<unsigned>& dates_;
  const std::string source_;
  size_t cells_ = 0;
  size_t text_bytes_ = 0;
};

// Where a relation leads: from the root of the archive, or from xl/.
std::string PartOf(const std::string& target) {
  return absl::StartsWith(target, "/") ? target.substr(1) : absl::StrCat("xl/", target);
}

}  // namespace

absl::StatusOr<std::vector<Sheet>> ParseXlsx(absl::string_view bytes, absl::string_view source) {
  if (bytes.size() > kSheetFileBytesMax)
    return SheetTooLarge(source, absl::StrCat("> ", kSheetFileBytesMax));
  GT_ASSIGN_OR_RETURN(XlsxArchive archive, XlsxArchive::Open(bytes, source));
  pugi::xml_document workbook, relations, strings, styles;
  GT_RETURN_IF_ERROR(archive.Read("xl/workbook.xml", Presence::kRequired, &workbook));
  GT_RETURN_IF_ERROR(archive.Read("xl/_rels/workbook.xml.rels", Presence::kRequired, &relations));
  GT_RETURN_IF_ERROR(archive.Read("xl/sharedStrings.xml", Presence::kOptional, &strings));
  GT_RETURN_IF_ERROR(archive.Read("xl/styles.xml", Presence::kOptional, &styles));
  std::vector<std::string> shared;
  for (const pugi::xml_node& one : strings.child("sst").children("si"))
    shared.push_back(TextOf(one));
  strings.reset();
  const std::set<unsigned> dates = DateStyles(styles);
  std::map<std::string, std::string> targets;
  for (const pugi::xml_node& one : relations.child("Relationships").children("Relationship"))
    targets[one.attribute("Id").value()] = one.attribute("Target").value();
  std::vector<Sheet> sheets;
  SheetReader reader(&shared, &dates, source);
  for (const pugi::xml_node& one : workbook.child("workbook").child("sheets").children("sheet")) {
    if (sheets.size() == kSheetsMax)
      return SheetTooLarge(source, absl::StrCat("> ", kSheetsMax, Text(" 个工作表", " sheets")));
    Sheet& sheet = sheets.emplace_back();
    sheet.name = one.attribute("name").value();
    if (FindUtf8Fault(sheet.name).found) return SheetMalformed(source, "workbook");
    pugi::xml_document part;
    GT_RETURN_IF_ERROR(
        archive.Read(PartOf(targets[one.attribute("r:id").value()]), Presence::kRequired, &part));
    GT_RETURN_IF_ERROR(reader.Read(part.child("worksheet"), &sheet));
  }
  if (sheets.empty()) return SheetMalformed(source, Text("没有工作表", "no sheet"));
  return sheets;
}

}  // namespace guantong
