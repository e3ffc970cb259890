#include "node/cli/table.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "node/form/csv_field.h"

namespace guantong {
namespace {

constexpr char kBold[] = "\x1b[1m";
constexpr char kPlain[] = "\x1b[0m";

size_t WidthOf(UChar32 c) {
  switch (u_charType(c)) {
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_FORMAT_CHAR:
      return 0;
    default:
      break;
  }
  const int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

void Write(const std::string& text, std::FILE* out) {
  std::fwrite(text.data(), 1, text.size(), out);
}

}  // namespace

size_t DisplayWidth(absl::string_view utf8) {
  const auto* text = reinterpret_cast<const uint8_t*>(utf8.data());
  const auto length = static_cast<int32_t>(utf8.size());
  size_t width = 0;
  for (int32_t i = 0; i < length;) {
    UChar32 c;
    U8_NEXT_OR_FFFD(text, i, length, c);
    width += WidthOf(c);
  }
  return width;
}

std::string Printable(absl::string_view text, KeepLines keep_lines) {
  std::string out;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto length = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < length;) {
    const int32_t begin = i;
    UChar32 c;
    U8_NEXT_OR_FFFD(bytes, i, length, c);
    const bool line_end = c == '\n' && keep_lines == KeepLines::kYes;
    // Direction overrides let text pose as other text.
    const bool obeyed = u_charType(c) == U_CONTROL_CHAR || (c >= 0x202A && c <= 0x202E) ||
                        (c >= 0x2066 && c <= 0x2069);
    if (obeyed && !line_end) {
      out.push_back(c == '\t' || c == '\n' || c == '\r' ? ' ' : '?');
    } else if (c == 0xFFFD) {
      out += "\xEF\xBF\xBD";
    } else {
      out.append(text.data() + begin, static_cast<size_t>(i - begin));
    }
  }
  return out;
}

void Table::Add(std::vector<TableCell> cells) {
  cells.resize(columns_.size(), TableCell(""));
  rows_.push_back(std::move(cells));
}

void Table::Print(std::FILE* out) const {
  std::vector<std::vector<std::string>> lines(1);
  for (const TableColumn& column : columns_) lines[0].push_back(column.title);
  for (const auto& row : rows_) {
    auto& line = lines.emplace_back();
    for (const TableCell& cell : row) line.push_back(Printable(cell.shown, KeepLines::kNo));
  }
  std::vector<size_t> widths(columns_.size(), 0);
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(line[i]));
    }
  }
  const bool untitled = std::all_of(columns_.begin(), columns_.end(),
                                    [](const TableColumn& column) { return column.title.empty(); });
  const bool colour = UseColour(out);
  for (size_t n = untitled ? 1 : 0; n < lines.size(); ++n) {
    std::string text;
    for (size_t i = 0; i < lines[n].size(); ++i) {
      const std::string padding(widths[i] - DisplayWidth(lines[n][i]), ' ');
      const bool last = i + 1 == lines[n].size();
      absl::StrAppend(&text, columns_[i].right ? padding : "", lines[n][i],
                      columns_[i].right || last ? "" : padding, last ? "" : "  ");
    }
    text.erase(text.find_last_not_of(' ') + 1);
    Write(n == 0 && colour ? absl::StrCat(kBold, text, kPlain, "\n") : text + "\n", out);
  }
}

void Table::PrintCsv(std::FILE* out) const {
  std::vector<std::string> record;
  for (const TableColumn& column : columns_) record.push_back(column.key);
  Write(CsvRecord(record), out);
  for (const auto& row : rows_) {
    record.clear();
    for (const TableCell& cell : row) record.push_back(cell.plain);
    Write(CsvRecord(record), out);
  }
}

bool IsTerminal(std::FILE* stream) { return ::isatty(::fileno(stream)) == 1; }

bool UseColour(std::FILE* stream) {
  const char* no_color = std::getenv("NO_COLOR");
  return IsTerminal(stream) && (no_color == nullptr || *no_color == '\0');
}

}  // namespace guantong
