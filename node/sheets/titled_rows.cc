#include "node/sheets/titled_rows.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "node/language.h"
#include "node/sheets/limits.h"

namespace guantong {
namespace {

using Places = std::vector<std::optional<size_t>>;

Places PlacesIn(const std::vector<std::string>& titles, const std::vector<TitledColumn>& columns) {
  std::map<std::string, size_t> by_title;
  for (size_t i = 0; i < titles.size(); ++i) by_title.emplace(PlainName(titles[i]), i);
  Places places;
  for (const TitledColumn& column : columns) {
    std::optional<size_t>& place = places.emplace_back();
    for (const char* title : column.titles) {
      const auto it = by_title.find(PlainName(title));
      if (it == by_title.end()) continue;
      place = it->second;
      break;
    }
  }
  return places;
}

// The first of the required columns that is not there; null: all are.
const TitledColumn* Missing(const Places& places, const std::vector<TitledColumn>& columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].required && !places[i].has_value()) return &columns[i];
  }
  return nullptr;
}

std::vector<TitledRow> RowsBelow(const Sheet& sheet, size_t header, const Places& places) {
  std::vector<TitledRow> rows;
  for (size_t row = header + 1; row < sheet.rows.size(); ++row) {
    TitledRow read{.row = static_cast<uint32_t>(row + 1), .values = {}};
    bool blank = true;
    for (const std::optional<size_t>& place : places) {
      read.values.push_back(
          place.has_value() ? std::string(absl::StripAsciiWhitespace(sheet.At(row, *place))) : "");
      blank &= read.values.back().empty();
    }
    if (!blank) rows.push_back(std::move(read));
  }
  return rows;
}

}  // namespace

absl::StatusOr<std::vector<TitledRow>> TitledRowsOf(const std::vector<Sheet>& sheets,
                                                    absl::string_view source,
                                                    const std::vector<TitledColumn>& columns) {
  const TitledColumn* missing = &columns[0];
  size_t found_max = 0;
  for (const Sheet& sheet : sheets) {
    for (size_t row = 0; row < std::min(sheet.rows.size(), kSheetHeaderRowsMax); ++row) {
      const Places places = PlacesIn(sheet.rows[row], columns);
      const TitledColumn* lacks = Missing(places, columns);
      if (lacks == nullptr) return RowsBelow(sheet, row, places);
      // Of the row that looks most like a header it is told what it lacks.
      const auto found = static_cast<size_t>(std::count_if(
          places.begin(), places.end(), [](const auto& one) { return one.has_value(); }));
      if (found <= found_max) continue;
      found_max = found;
      missing = lacks;
    }
  }
  std::string wanted;
  for (const TitledColumn& column : columns) {
    if (column.required)
      absl::StrAppend(&wanted, wanted.empty() ? "" : "、", column.titles.front());
  }
  return Error(absl::StatusCode::kInvalidArgument, "columns_missing",
               absl::StrCat(source, Text("：缺少列 ", ": no column "), missing->titles.front()),
               source, absl::StrCat(Text("表头应有 ", "the header has "), wanted));
}

}  // namespace guantong
