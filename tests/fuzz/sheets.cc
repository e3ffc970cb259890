#include <zip.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/status.h"
#include "catalog/code_list.h"
#include "catalog/entry.h"
#include "node/form/utf8.h"
#include "node/sheets/code_files.h"
#include "node/sheets/demand_sheet.h"
#include "node/sheets/entry_sheet.h"
#include "node/sheets/import_plan.h"
#include "node/sheets/sample.h"
#include "tests/fuzz/targets.h"

namespace guantong::fuzz {
namespace {

constexpr char kUscc[] = "116300000150100095";

// An .xlsx whose only sheet is `xml`, not packed, so that the fuzzer reaches what is inside.
std::string Workbook(absl::string_view xml) {
  static constexpr absl::string_view kWorkbook =
      "<workbook><sheets><sheet name=\"s\" r:id=\"a\"/></sheets></workbook>";
  static constexpr absl::string_view kRelations =
      "<Relationships><Relationship Id=\"a\" Target=\"s.xml\"/></Relationships>";
  static constexpr absl::string_view kStrings = "<sst><si><t>信息资源名称</t></si></sst>";
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* out = zip_source_buffer_create(nullptr, 0, 0, &error);
  GT_CHECK(out != nullptr);
  zip_source_keep(out);
  zip_t* zip = zip_open_from_source(out, ZIP_TRUNCATE, &error);
  GT_CHECK(zip != nullptr);
  const auto add = [&](const char* name, absl::string_view text) {
    zip_source_t* source = zip_source_buffer(zip, text.data(), text.size(), 0);
    const zip_int64_t index = zip_file_add(zip, name, source, 0);
    GT_CHECK(index >= 0);
    zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
  };
  add("xl/workbook.xml", kWorkbook);
  add("xl/_rels/workbook.xml.rels", kRelations);
  add("xl/sharedStrings.xml", kStrings);
  add("xl/s.xml", xml);
  GT_CHECK(zip_close(zip) == 0);
  GT_CHECK(zip_source_open(out) == 0);
  zip_source_seek(out, 0, SEEK_END);
  std::string bytes(static_cast<size_t>(zip_source_tell(out)), '\0');
  zip_source_seek(out, 0, SEEK_SET);
  GT_CHECK(zip_source_read(out, bytes.data(), bytes.size()) ==
           static_cast<zip_int64_t>(bytes.size()));
  zip_source_close(out);
  zip_source_free(out);
  zip_error_fini(&error);
  return bytes;
}

// Cells between tabs, rows between line ends; \x01 begins a merged range.
Sheet Cells(absl::string_view text) {
  Sheet sheet{.name = "s"};
  sheet.rows.emplace_back().emplace_back();
  for (const char c : text) {
    if (c == '\n') {
      sheet.rows.emplace_back().emplace_back();
    } else if (c == '\t') {
      sheet.rows.back().emplace_back();
    } else if (c == '\x01') {
      const auto row = static_cast<uint32_t>(sheet.rows.size() - 1);
      const auto column = static_cast<uint32_t>(sheet.rows.back().size() - 1);
      sheet.merged.push_back({row, column, row + 3, column + row % 2});
    } else {
      sheet.rows.back().back().push_back(c);
    }
  }
  return sheet;
}

// What a column writes it reads back as the same.
void CheckColumns(const v1::CatalogEntry& entry) {
  v1::CatalogEntry again;
  for (const EntryColumn& column : EntryColumns()) {
    const std::string text = column.get == nullptr ? "" : column.get(entry);
    if (!text.empty()) GT_CHECK(column.set(text, &again).text.empty());
  }
  for (const v1::DataItem& item : entry.items()) {
    v1::DataItem* read = again.add_items();
    for (const ItemColumn& column : ItemColumns()) {
      const std::string text = column.get == nullptr ? "" : column.get(item);
      if (!text.empty()) GT_CHECK(column.set(text, read).text.empty());
    }
  }
  GT_CHECK(SameEntry(again, entry));
}

// Each thing read of a table of codes has its row, and what is wrong is told at one of them.
template <typename Request>
void CheckRows(const absl::StatusOr<Request>& read, int things, size_t rows) {
  if (!read.ok()) {
    GT_CHECK(!read.status().message().empty());
    return;
  }
  GT_CHECK(read->rows_size() == things);
  for (const uint32_t row : read->rows()) GT_CHECK(row >= 1 && row <= rows);
}

void CheckCodes(const std::vector<Sheet>& sheets) {
  size_t rows = 0;
  for (const Sheet& sheet : sheets) rows = std::max(rows, sheet.rows.size());
  const auto classes = ClassesOf(sheets, "s");
  CheckRows(classes, classes.ok() ? classes->classes_size() : 0, rows);
  const auto map = CodeMapOf(sheets, "s");
  CheckRows(map, map.ok() ? map->map().pairs_size() : 0, rows);
  if (const auto demands = DemandsOf(sheets, "s"); demands.ok()) {
    GT_CHECK(demands->rows.size() == demands->demands.size());
    for (const uint32_t row : demands->rows) GT_CHECK(row >= 1 && row <= rows);
  }
  const auto list = CodeListOf(sheets, "s");
  CheckRows(list, list.ok() ? list->list().items_size() : 0, rows);
  if (!list.ok()) return;
  for (const v1::Problem& problem :
       CheckCodeList(list->list(), {list->rows().begin(), list->rows().end()}))
    GT_CHECK(problem.place().row() <= rows);
}

void CheckEntries(std::vector<Sheet> sheets) {
  CheckCodes(sheets);
  (void)EntryOfSample(sheets, "s");
  absl::StatusOr<EntrySheets> read =
      EntriesOf(std::move(sheets), "fuzz.xlsx", SharingFigures::kFound);
  if (!read.ok()) {
    GT_CHECK(!read.status().message().empty());
    return;
  }
  for (const PlannedEntry& one : PlanImport(&*read, {}, kUscc)) {
    for (const v1::Problem& problem : one.problems) {
      const Sheet& sheet = read->sheets[0];
      GT_CHECK(problem.place().row() >= 1 && problem.place().row() <= sheet.rows.size());
    }
    if (one.action != ImportAction::kRefused) CheckColumns(one.entry);
  }
}

}  // namespace

void Sheets(absl::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]) % 3;
  input.remove_prefix(1);
  if (choice == 2) {
    // Readers let nothing else through.
    if (!FindUtf8Fault(input).found) CheckEntries({Cells(input)});
    return;
  }
  absl::StatusOr<std::vector<Sheet>> sheets =
      choice == 0 ? ParseXlsx(input, "fuzz.xlsx") : ParseXlsx(Workbook(input), "fuzz.xlsx");
  if (sheets.ok() && sheets->size() == 1) CheckEntries(*std::move(sheets));
}

}  // namespace guantong::fuzz
