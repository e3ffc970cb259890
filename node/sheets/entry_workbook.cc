#include "node/sheets/entry_workbook.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "node/language.h"
#include "node/sheets/entry_columns.h"
#include "node/sheets/workbook.h"

namespace guantong {
namespace {

using Look = Workbook::Look;

constexpr char kSheet[] = "信息资源目录";
constexpr char kChoices[] = "可选值";
constexpr char kNotes[] = "填写说明";

// What the two kinds of columns have in common, in the order of the sheet.
struct Written {
  std::string title;
  bool required;
  std::string note;
  std::vector<std::string> choices;
};

std::vector<Written> AllColumns() {
  std::vector<Written> all;
  for (const EntryColumn& one : EntryColumns()) {
    if (one.get != nullptr) all.push_back({one.titles[0], one.required, one.note, one.choices});
  }
  for (const ItemColumn& one : ItemColumns()) {
    if (one.get != nullptr) all.push_back({one.titles[0], one.required, one.note, one.choices});
  }
  return all;
}

void WriteTitles(const std::vector<Written>& columns, Workbook* workbook) {
  constexpr double kWidthMin = 10, kWidthOfCharacter = 2.2;
  constexpr size_t kBytesOfCharacter = 3;
  for (uint32_t i = 0; i < columns.size(); ++i) {
    const Written& column = columns[i];
    workbook->Write(0, i, column.title, column.required ? Look::kRequiredTitle : Look::kTitle);
    workbook->SetWidth(
        i, std::max(kWidthMin, static_cast<double>(column.title.size() / kBytesOfCharacter) *
                                   kWidthOfCharacter));
  }
  workbook->FreezeAbove(1);
}

template <typename Column, typename Message>
uint32_t WriteCells(uint32_t row, uint32_t at, const std::vector<Column>& columns,
                    const Message* message, Workbook* workbook) {
  for (const Column& column : columns) {
    if (column.get == nullptr) continue;
    const std::string text = message == nullptr ? "" : column.get(*message);
    if (!text.empty()) workbook->Write(row, at, text);
    ++at;
  }
  return at;
}

// Where the choices of the list `at` stand.
std::string ChoiceRange(uint32_t at, size_t choices) {
  constexpr uint32_t kLetters = 26;
  std::string letters(1, static_cast<char>('A' + at % kLetters));
  if (at >= kLetters) letters.insert(0, 1, static_cast<char>('A' + at / kLetters - 1));
  return absl::StrCat("='", kChoices, "'!$", letters, "$1:$", letters, "$", choices);
}

// One list in each column. No titles: the sheet must not look like one of entries.
void WriteChoices(const std::vector<Written>& columns, Workbook* workbook) {
  workbook->AddSheet(kChoices);
  uint32_t at = 0;
  for (const Written& column : columns) {
    if (column.choices.empty()) continue;
    for (uint32_t i = 0; i < column.choices.size(); ++i) workbook->Write(i, at, column.choices[i]);
    ++at;
  }
  workbook->HideSheet();
}

void WriteNotes(const std::vector<Written>& columns, Workbook* workbook) {
  constexpr double kTitleWidth = 24, kNoteWidth = 60;
  workbook->AddSheet(kNotes);
  workbook->SetWidth(0, kTitleWidth);
  workbook->SetWidth(2, kNoteWidth);
  const char* general[] = {
      "一行一个信息项：条目的各列只在它的第一行填写，其余信息项接着往下写，条目各列留空。",
      "表头颜色深的列为必填。整列不需要的可以删去，列的次序可以调整，表头上方可以加标题行。",
      "导入：guantong catalog import 本文件 --dry-run --report 报告.xlsx，改正后去掉 --dry-run。"};
  uint32_t row = 0;
  for (const char* line : general) workbook->Write(row++, 0, line);
  ++row;
  for (const Written& column : columns) {
    workbook->Write(row, 0, column.title, column.required ? Look::kRequiredTitle : Look::kTitle);
    workbook->Write(row, 1, column.required ? "必填" : "");
    workbook->Write(row++, 2, column.note);
  }
}

}  // namespace

absl::Status WriteEntryWorkbook(const std::vector<v1::CatalogEntry>& entries,
                                const std::string& file) {
  Workbook workbook(file);
  workbook.AddSheet(kSheet);
  WriteTitles(AllColumns(), &workbook);
  uint32_t row = 1;
  for (const v1::CatalogEntry& entry : entries) {
    const uint32_t items_at = WriteCells(row, 0, EntryColumns(), &entry, &workbook);
    for (int i = 0; i < entry.items_size(); ++i)
      WriteCells(row + static_cast<uint32_t>(i), items_at, ItemColumns(), &entry.items(i),
                 &workbook);
    row += static_cast<uint32_t>(std::max(entry.items_size(), 1));
  }
  return workbook.Finish();
}

absl::Status WriteEntryTemplate(const std::string& file) {
  constexpr uint32_t kRowsOffered = 5000;
  const std::vector<Written> columns = AllColumns();
  Workbook workbook(file);
  // The sheet people fill in comes first; a drop-down may name cells of a sheet that follows, and
  // the order in which sheets are begun is theirs.
  workbook.AddSheet(kSheet);
  WriteTitles(columns, &workbook);
  for (uint32_t i = 0; i < columns.size(); ++i) {
    if (!columns[i].note.empty()) workbook.Comment(0, i, columns[i].note);
  }
  uint32_t at = 0;
  for (uint32_t i = 0; i < columns.size(); ++i) {
    if (columns[i].choices.empty()) continue;
    workbook.OfferChoices(1, kRowsOffered, i, ChoiceRange(at++, columns[i].choices.size()));
  }
  WriteNotes(columns, &workbook);
  WriteChoices(columns, &workbook);
  return workbook.Finish();
}

}  // namespace guantong
