#include "node/sheets/sheet_header.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/entry.h"
#include "node/sheets/limits.h"

namespace guantong {
namespace {

// Below a group of items the titles are short.
const std::map<std::string, std::string>& ShortItemTitles() {
  static const auto& titles =
      *new std::map<std::string, std::string>{{"名称", "name"},
                                              {"中文名称", "name"},
                                              {"英文名称", "english_name"},
                                              {"类型", "type"},
                                              {"长度", "length"},
                                              {"说明", "description"},
                                              {"描述", "description"},
                                              {"共享类型", "sharing.type"},
                                              {"共享属性", "sharing.type"},
                                              {"共享条件", "sharing.condition"},
                                              {"共享方式", "sharing.modes"},
                                              {"不予共享依据", "sharing.basis"},
                                              {"是否向社会开放", "open.public"},
                                              {"开放属性", "open.public"},
                                              {"开放条件", "open.condition"},
                                              {"分类分级", "classification"}};
  return titles;
}

std::string PlainTitle(const std::string& title) {
  std::string bare;
  int depth = 0;
  for (size_t at = 0; at < title.size();) {
    const absl::string_view rest = absl::string_view(title).substr(at);
    const bool wide_open = absl::StartsWith(rest, "（"), wide_close = absl::StartsWith(rest, "）");
    if (wide_open || rest[0] == '(') ++depth;
    if (depth == 0) bare.push_back(rest[0]);
    if ((wide_close || rest[0] == ')') && depth > 0) --depth;
    at += wide_open || wide_close ? 3 : 1;
  }
  std::string plain = PlainName(bare);
  size_t digits = 0;
  while (digits < plain.size() && absl::ascii_isdigit(static_cast<unsigned char>(plain[digits])))
    ++digits;
  return plain.substr(digits);
}

// By plain title; the first column that has it.
template <typename Column>
std::map<std::string, const Column*> ByTitle(const std::vector<Column>& columns) {
  std::map<std::string, const Column*> titles;
  for (const Column& column : columns) {
    for (const std::string& title : column.titles) titles.emplace(PlainName(title), &column);
  }
  return titles;
}

const EntryColumn* FindEntryColumn(const std::string& plain) {
  static const auto& titles = *new auto(ByTitle(EntryColumns()));
  const auto it = titles.find(plain);
  return it == titles.end() ? nullptr : it->second;
}

const ItemColumn* FindItemColumn(const std::string& plain) {
  static const auto& titles = *new auto(ByTitle(ItemColumns()));
  const auto it = titles.find(plain);
  return it == titles.end() ? nullptr : it->second;
}

const ItemColumn* ShortItem(const std::string& plain) {
  const auto it = ShortItemTitles().find(plain);
  if (it == ShortItemTitles().end()) return nullptr;
  for (const ItemColumn& column : ItemColumns()) {
    if (column.element == it->second) return &column;
  }
  return nullptr;
}

class Reader {
 public:
  Reader(const Sheet& sheet, uint32_t top, uint32_t bottom)
      : sheet_(sheet), top_(top), bottom_(bottom) {}

  SheetHeader Read() {
    SheetHeader header{.row = bottom_, .data_row = bottom_ + 1};
    const size_t width = std::max(Width(top_), Width(bottom_));
    std::string group;
    for (uint32_t column = 0; column < width; ++column) {
      std::string title = sheet_.At(bottom_, column);
      if (bottom_ > top_) {
        const std::string& above = sheet_.At(top_, column);
        if (!above.empty()) group = above;
        if (title.empty()) title = above;
      }
      Add(title, bottom_ > top_ && !sheet_.At(bottom_, column).empty() ? group : "", &header);
    }
    return header;
  }

  size_t known() const { return known_; }
  bool names_entries() const { return names_entries_; }

 private:
  size_t Width(uint32_t row) const {
    return row < sheet_.rows.size() ? sheet_.rows[row].size() : 0;
  }

  void Add(const std::string& title, const std::string& group, SheetHeader* header) {
    HeaderColumn& column = header->columns.emplace_back();
    column.title = title;
    const std::string plain = PlainTitle(title);
    if (plain.empty()) return;
    const std::string plain_group = PlainTitle(group);
    const bool of_items =
        absl::StrContains(plain_group, "信息项") || absl::StrContains(plain_group, "数据项");
    if (of_items) column.item = ShortItem(plain);
    if (column.item == nullptr && !of_items) column.entry = FindEntryColumn(plain);
    if (column.item == nullptr && column.entry == nullptr) column.item = FindItemColumn(plain);
    // Right of the items' names a title that was there already is theirs.
    if (column.entry != nullptr && header->places.count(column.entry->element) > 0 &&
        header->places.count("items[].name") > 0 && ShortItem(plain) != nullptr) {
      column.entry = nullptr;
      column.item = ShortItem(plain);
    }
    if (column.entry == nullptr && column.item == nullptr) return;
    const std::string place = column.entry != nullptr
                                  ? column.entry->element
                                  : absl::StrCat("items[].", column.item->element);
    const auto index = static_cast<uint32_t>(header->columns.size() - 1);
    if (!header->places.emplace(place, index).second) {
      column.entry = nullptr;
      column.item = nullptr;
      column.repeated = true;
      return;
    }
    ++known_;
    names_entries_ |= place == "name";
  }

  const Sheet& sheet_;
  const uint32_t top_, bottom_;
  size_t known_ = 0;
  bool names_entries_ = false;
};

}  // namespace

std::optional<SheetHeader> FindHeader(const Sheet& sheet) {
  constexpr size_t kKnownMin = 3;
  const auto rows = static_cast<uint32_t>(std::min(sheet.rows.size(), kSheetHeaderRowsMax));
  for (uint32_t row = 0; row < rows; ++row) {
    Reader one(sheet, row, row);
    SheetHeader header = one.Read();
    Reader two(sheet, row, row + 1);
    SheetHeader of_two = two.Read();
    // The row below a header is data, unless titles stand in it.
    Reader below(sheet, row + 1, row + 1);
    below.Read();
    constexpr size_t kTitlesBelowMin = 2;
    if (two.names_entries() && two.known() >= kKnownMin && two.known() > one.known() &&
        below.known() >= kTitlesBelowMin && !below.names_entries()) {
      return of_two;
    }
    if (one.names_entries() && one.known() >= kKnownMin) return header;
  }
  return std::nullopt;
}

}  // namespace guantong
