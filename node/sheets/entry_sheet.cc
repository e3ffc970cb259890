#include "node/sheets/entry_sheet.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/language.h"
#include "node/sheets/limits.h"
#include "node/sheets/merged_cells.h"

namespace guantong {
namespace {

// What a sheet program leaves where a value should be; "" for a good text.
std::string Spoilt(const std::string& text) {
  static const auto& kFormulaErrors = *new std::set<std::string>{
      "#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!"};
  if (kFormulaErrors.count(text) > 0)
    return absl::StrCat(Text("公式出错：", "a formula that failed: "), text);
  constexpr size_t kShortest = 7;  // 1.1E+17
  const size_t exponent = text.find("E+");
  double number;
  if (text.size() >= kShortest && exponent != std::string::npos && text.find('.') == 1 &&
      absl::SimpleAtod(text, &number)) {
    return absl::StrCat(
        Text("长数字变成了科学计数，位数已丢失：", "a long number that lost its digits: "), text,
        Text("；把单元格设为文本后重填", "; make the cell a text and write it again"));
  }
  return "";
}

class SheetScan {
 public:
  SheetScan(EntrySheets* all, size_t sheet, MergedCells cells)
      : all_(*all),
        index_(sheet),
        sheet_(all->sheets[sheet]),
        header_(*all->headers[sheet]),
        cells_(std::move(cells)) {}

  absl::Status Run(SharingFigures figures) {
    LookAtTitles();
    from_zero_ = FromZero(figures);
    for (uint32_t row = header_.data_row; row < sheet_.rows.size(); ++row)
      GT_RETURN_IF_ERROR(TakeRow(row, figures));
    LookAtMerges();
    return absl::OkStatus();
  }

 private:
  v1::Problem ProblemAt(uint32_t row, int column, std::string element, std::string text,
                        bool warning) const {
    v1::Problem problem;
    problem.set_element(std::move(element));
    problem.set_text(std::move(text));
    problem.set_warning(warning);
    v1::Place* place = problem.mutable_place();
    place->set_file(all_.file);
    place->set_sheet(sheet_.name);
    place->set_row(row + 1);
    if (column >= 0) place->set_column(static_cast<uint32_t>(column) + 1);
    return problem;
  }

  void Warn(uint32_t row, int column, std::string text) {
    if (all_.problems.size() < kSheetProblemsMax)
      all_.problems.push_back(ProblemAt(row, column, "", std::move(text), true));
  }

  void LookAtTitles() {
    for (uint32_t column = 0; column < header_.columns.size(); ++column) {
      const HeaderColumn& one = header_.columns[column];
      if (one.repeated) {
        Warn(header_.row, static_cast<int>(column),
             absl::StrCat(Text("列“", "column \""), one.title,
                          Text("”前面已有，未读取", "\" stands further left already, not read")));
      } else if (!one.title.empty() && one.entry == nullptr && one.item == nullptr &&
                 !absl::StrContains(one.title, "序号")) {
        Warn(header_.row, static_cast<int>(column),
             absl::StrCat(Text("不认识列“", "column \""), one.title,
                          Text("”，未读取", "\" is not known, not read")));
      }
    }
  }

  bool FromZero(SharingFigures figures) {
    if (figures != SharingFigures::kFound) return figures == SharingFigures::kFromZero;
    for (const char* place : {"sharing.type", "items[].sharing.type"}) {
      const auto it = header_.places.find(place);
      if (it == header_.places.end()) continue;
      for (uint32_t row = header_.data_row; row < sheet_.rows.size(); ++row) {
        if (absl::StripAsciiWhitespace(sheet_.At(row, it->second)) != "0") continue;
        Warn(row, static_cast<int>(it->second),
             Text("共享类型用 0、1、2：按 0 无条件、1 有条件、2 不予 读取",
                  "sharing types 0, 1, 2: read as 0 unconditional, 1 conditional, 2 not shared"));
        return true;
      }
    }
    return false;
  }

  // In the figures of the guide.
  CellProblem Standard(uint32_t row, const std::string& element, std::string* text,
                       SharingFigures figures) const {
    if (!absl::EndsWith(element, "sharing.type") || text->size() != 1) return {};
    const char figure = (*text)[0];
    if (from_zero_) {
      if (figure == '3')
        return {Text("同一表中共享类型既有 0 又有 3", "sharing types 0 and 3 in one sheet")};
      if (figure >= '0' && figure <= '2') (*text)[0] = static_cast<char>(figure + 1);
      return {};
    }
    const auto condition = header_.places.find("sharing.condition");
    if (figures == SharingFigures::kFound && figure == '1' && element == "sharing.type" &&
        condition != header_.places.end()) {
      const std::string said(absl::StripAsciiWhitespace(cells_.At(row, condition->second)));
      if (!said.empty() && said != "无" && said != "工作参考") {
        return {
            Text("共享类型 1（无条件）却写有共享条件：看不出是 1/2/3 还是 0/1/2，请改写为文字，"
                 "或用 --sharing-figures 说明",
                 "sharing type 1 (unconditional) with a condition: 1/2/3 or 0/1/2? Write the "
                 "word, or say which with --sharing-figures")};
      }
    }
    return {};
  }

  template <typename Column, typename Message>
  void Set(uint32_t row, uint32_t at, const Column& column, const std::string& prefix,
           SharingFigures figures, Message* message) {
    std::string text(absl::StripAsciiWhitespace(cells_.At(row, at)));
    if (text.empty()) return;
    CellProblem problem{Spoilt(text)};
    if (problem.text.empty()) problem = Standard(row, column.element, &text, figures);
    if (problem.text.empty()) problem = column.set(text, message);
    if (problem.text.empty()) return;
    current_->problems.push_back(ProblemAt(row, static_cast<int>(at), prefix + column.element,
                                           std::move(problem.text), problem.warning));
  }

  absl::Status TakeRow(uint32_t row, SharingFigures figures) {
    bool any = false, any_item = false;
    size_t own = 0;  // cells that say something of an entry, and something else than its first row
    for (uint32_t column = 0; column < header_.columns.size(); ++column) {
      const std::string& text = sheet_.At(row, column);
      if (absl::StripAsciiWhitespace(text).empty()) continue;
      any = true;
      any_item |= header_.columns[column].item != nullptr;
      if (header_.columns[column].entry != nullptr &&
          (current_ == nullptr || text != cells_.At(current_->row, column)))
        ++own;
    }
    if (!any) return absl::OkStatus();
    if (BeginsEntry(row, any_item, own)) {
      if (all_.entries.size() == kSheetEntriesMax)
        return SheetTooLarge(all_.file,
                             absl::StrCat("> ", kSheetEntriesMax, Text(" 个条目", " entries")));
      Begin(row, figures);
    } else if (current_ == nullptr || (!any_item && own > 0)) {
      Warn(row, -1,
           Text("这一行没有信息资源名称，也没有信息项，已跳过",
                "this row has neither the name of a resource nor an item, passed over"));
      return absl::OkStatus();
    } else {
      Compare(row);
    }
    if (any_item) AddItem(row, figures);
    return absl::OkStatus();
  }

  bool BeginsEntry(uint32_t row, bool any_item, size_t own) const {
    constexpr size_t kTellingMin = 3;
    const uint32_t name_column = header_.places.at("name");
    const absl::string_view name = absl::StripAsciiWhitespace(cells_.At(row, name_column));
    if (name.empty()) return own >= kTellingMin;
    if (current_ == nullptr) return true;
    if (name != absl::StripAsciiWhitespace(cells_.At(current_->row, name_column))) return true;
    // Twice the same name and no item: a row that was copied, not an item.
    if (!any_item) return !sheet_.At(row, name_column).empty();
    const auto code = header_.places.find("code");
    if (code == header_.places.end()) return false;
    const std::string& said = cells_.At(row, code->second);
    return !said.empty() && said != cells_.At(current_->row, code->second);
  }

  void Begin(uint32_t row, SharingFigures figures) {
    current_ = &all_.entries.emplace_back();
    current_->sheet = index_;
    current_->row = row;
    for (uint32_t column = 0; column < header_.columns.size(); ++column) {
      if (header_.columns[column].entry != nullptr)
        Set(row, column, *header_.columns[column].entry, "", figures, &current_->entry);
    }
  }

  void Compare(uint32_t row) {
    for (uint32_t column = 0; column < header_.columns.size(); ++column) {
      const EntryColumn* one = header_.columns[column].entry;
      if (one == nullptr) continue;
      const std::string& text = sheet_.At(row, column);
      if (text.empty() || text == cells_.At(current_->row, column)) continue;
      current_->problems.push_back(
          ProblemAt(row, static_cast<int>(column), one->element,
                    absl::StrCat(Text("与本条目第 ", "not what row "), current_->row + 1,
                                 Text(" 行所写不同；新条目请写明信息资源名称",
                                      " says of this entry; another entry needs its name")),
                    false));
    }
  }

  void AddItem(uint32_t row, SharingFigures figures) {
    const std::string prefix = absl::StrCat("items[", current_->entry.items_size(), "].");
    current_->item_rows.push_back(row);
    v1::DataItem* item = current_->entry.add_items();
    for (uint32_t column = 0; column < header_.columns.size(); ++column) {
      if (header_.columns[column].item != nullptr)
        Set(row, column, *header_.columns[column].item, prefix, figures, item);
    }
  }

  // Rows of the entries of this sheet, ascending; the last one at or above `row`.
  size_t EntryAt(uint32_t row) const {
    const auto after =
        std::upper_bound(all_.entries.begin(), all_.entries.end(), std::make_pair(index_, row),
                         [](const std::pair<size_t, uint32_t>& place, const SheetEntry& entry) {
                           return place < std::make_pair(entry.sheet, entry.row);
                         });
    return static_cast<size_t>(after - all_.entries.begin());
  }

  void LookAtMerges() {
    for (const MergedRange& range : sheet_.merged) {
      if (range.first_row < header_.data_row || range.first_row >= sheet_.rows.size() ||
          range.first_column >= header_.columns.size() ||
          sheet_.At(range.first_row, range.first_column).empty())
        continue;
      const auto column = static_cast<int>(range.first_column);
      if (range.last_column > range.first_column) {
        Warn(range.first_row, column,
             Text("合并单元格跨列：只有第一列有值",
                  "merged over columns: only the first has the text"));
      } else if (EntryAt(range.first_row) != EntryAt(range.last_row)) {
        Warn(range.first_row, column,
             Text("合并单元格跨多个条目：各条目都取它的值",
                  "merged over several entries: each has its text"));
      }
    }
  }

  EntrySheets& all_;
  const size_t index_;
  const Sheet& sheet_;
  const SheetHeader& header_;
  const MergedCells cells_;
  bool from_zero_ = false;
  SheetEntry* current_ = nullptr;
};

// "items[2].sharing.type" -> 2 and "items[].sharing.type"; -1 for other elements.
int SplitItem(absl::string_view element, std::string* place) {
  *place = std::string(element);
  int index;
  const size_t end = element.find(']');
  constexpr size_t kBegin = 6;  // items[
  if (!absl::StartsWith(element, "items[") || end == absl::string_view::npos ||
      !absl::SimpleAtoi(element.substr(kBegin, end - kBegin), &index))
    return -1;
  *place = absl::StrCat("items[", element.substr(end));
  return index;
}

}  // namespace

absl::StatusOr<EntrySheets> ReadEntrySheets(const std::string& file, SharingFigures figures) {
  GT_ASSIGN_OR_RETURN(std::vector<Sheet> sheets, ReadSheets(file));
  return EntriesOf(std::move(sheets), file, figures);
}

absl::StatusOr<EntrySheets> EntriesOf(std::vector<Sheet> sheets, const std::string& file,
                                      SharingFigures figures) {
  EntrySheets all;
  all.file = file;
  all.sheets = std::move(sheets);
  bool found = false;
  for (size_t i = 0; i < all.sheets.size(); ++i) {
    all.headers.push_back(FindHeader(all.sheets[i]));
    found |= all.headers[i].has_value();
  }
  if (!found) {
    return Error(
        absl::StatusCode::kInvalidArgument, "header_missing",
        absl::StrCat(file, Text("：没有找到目录表的表头（信息资源名称等列）",
                                ": no header of a catalogue sheet (信息资源名称 and others)")),
        file,
        Text("按模板整理：guantong catalog template --out 模板.xlsx",
             "use the template: guantong catalog template --out FILE.xlsx"));
  }
  for (size_t i = 0; i < all.sheets.size(); ++i) {
    if (!all.headers[i].has_value()) continue;
    GT_ASSIGN_OR_RETURN(MergedCells cells, MergedCells::Of(all.sheets[i], file));
    GT_RETURN_IF_ERROR(SheetScan(&all, i, std::move(cells)).Run(figures));
  }
  return all;
}

v1::Place PlaceOf(const EntrySheets& sheets, const SheetEntry& entry, absl::string_view element) {
  v1::Place place;
  place.set_file(sheets.file);
  place.set_sheet(sheets.sheets[entry.sheet].name);
  place.set_row(entry.row + 1);
  std::string wanted;
  const int item = SplitItem(element, &wanted);
  if (item >= 0 && static_cast<size_t>(item) < entry.item_rows.size())
    place.set_row(entry.item_rows[static_cast<size_t>(item)] + 1);
  const auto& places = sheets.headers[entry.sheet]->places;
  if (absl::StartsWith(wanted, "other_classes")) wanted = "class";
  if (wanted == "items") wanted = "items[].name";
  while (!wanted.empty()) {
    const auto it = places.find(wanted);
    if (it != places.end()) {
      place.set_column(it->second + 1);
      break;
    }
    // "resources[0].format" -> "resources[0]" -> "resources"
    const size_t end = wanted.find_last_of(".[");
    if (end == std::string::npos) break;
    wanted.resize(end);
  }
  return place;
}

void KeepUnsaid(const EntrySheets& sheets, const v1::CatalogEntry& held, SheetEntry* entry) {
  const auto& places = sheets.headers[entry->sheet]->places;
  v1::CatalogEntry& taken = entry->entry;
  for (const EntryColumn& column : EntryColumns()) {
    if (column.get == nullptr || places.count(column.element) > 0) continue;
    const std::string text = column.get(held);
    if (!text.empty()) column.set(text, &taken);
  }
  if (taken.provider().empty()) taken.set_provider(held.provider());
  if (taken.provider_code().empty()) taken.set_provider_code(held.provider_code());
  for (v1::DataItem& item : *taken.mutable_items()) {
    const auto same =
        std::find_if(held.items().begin(), held.items().end(),
                     [&](const v1::DataItem& one) { return one.name() == item.name(); });
    if (same == held.items().end()) continue;
    item.set_inherited(same->inherited());
    for (const ItemColumn& column : ItemColumns()) {
      if (column.get == nullptr || places.count("items[]." + column.element) > 0) continue;
      const std::string text = column.get(*same);
      if (!text.empty()) column.set(text, &item);
    }
  }
}

}  // namespace guantong
