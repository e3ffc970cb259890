// Workbooks as they are read and written: texts, dates, merged cells, and how much of a file is
// taken.
#include "node/sheets/sheet.h"

#include <xlsxwriter.h>
#include <zip.h>

#include <fstream>
#include <string>

#include "catalog/base/status.h"
#include "node/sheets/limits.h"
#include "node/sheets/workbook.h"
#include "tests/catch.h"
#include "tests/unit/scratch_folder.h"

namespace guantong {
namespace {

// An .xlsx of one sheet whose XML is this.
std::string OneSheet(const ScratchFolder& folder, const std::string& xml) {
  const std::string file = folder.path("one.xlsx");
  int error = 0;
  zip_t* zip = zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  REQUIRE(zip != nullptr);
  const std::string workbook =
      "<workbook xmlns:r=\"r\"><sheets><sheet name=\"表\" r:id=\"a\"/></sheets></workbook>";
  const std::string relations =
      "<Relationships><Relationship Id=\"a\" Target=\"worksheets/sheet1.xml\"/></Relationships>";
  const auto add = [&](const char* name, const std::string& text) {
    zip_source_t* source = zip_source_buffer(zip, text.data(), text.size(), 0);
    REQUIRE(zip_file_add(zip, name, source, 0) >= 0);
  };
  add("xl/workbook.xml", workbook);
  add("xl/_rels/workbook.xml.rels", relations);
  add("xl/worksheets/sheet1.xml", xml);
  REQUIRE(zip_close(zip) == 0);
  return file;
}

std::string ReasonOf(const std::string& file) { return DetailOf(ReadSheets(file).status()).reason; }

TEST_CASE("what a workbook was given it gives back") {
  const ScratchFolder folder;
  const std::vector<std::string> texts = {
      "目录", "113700000045046442", "0310", "a\nb", "_x000D_", "行\r尾", "1E+3", "<&\">"};
  Workbook workbook(folder.path("a.xlsx"));
  workbook.AddSheet("目录[1]");
  for (uint32_t i = 0; i < texts.size(); ++i) workbook.Write(2, i, texts[i]);
  workbook.Comment(2, 0, "批注");
  REQUIRE(workbook.Finish().ok());
  const auto sheets = ReadSheets(folder.path("a.xlsx"));
  REQUIRE(sheets.ok());
  REQUIRE(sheets->size() == 1);
  CHECK((*sheets)[0].name == "目录1");
  REQUIRE((*sheets)[0].rows.size() == 3);
  CHECK((*sheets)[0].rows[2] == texts);
  CHECK((*sheets)[0].At(7, 7).empty());
}

TEST_CASE("numbers keep their digits, dates become dates, merged ranges are told") {
  const ScratchFolder folder;
  lxw_workbook* workbook = workbook_new(folder.path("b.xlsx").c_str());
  lxw_worksheet* sheet = workbook_add_worksheet(workbook, nullptr);
  lxw_format* date = workbook_add_format(workbook);
  format_set_num_format(date, "yyyy\"年\"m\"月\"d\"日\"");
  worksheet_write_number(sheet, 0, 0, 630102, nullptr);
  worksheet_write_number(sheet, 0, 1, 46347, date);
  worksheet_write_number(sheet, 0, 2, 0.5, nullptr);
  worksheet_write_boolean(sheet, 0, 3, 1, nullptr);
  worksheet_merge_range(sheet, 1, 0, 3, 0, "合并", nullptr);
  REQUIRE(workbook_close(workbook) == LXW_NO_ERROR);
  const auto sheets = ReadSheets(folder.path("b.xlsx"));
  REQUIRE(sheets.ok());
  const Sheet& read = (*sheets)[0];
  CHECK(read.rows[0] == std::vector<std::string>{"630102", "2026-11-21", "0.5", "是"});
  REQUIRE(read.merged.size() == 1);
  CHECK(read.merged[0].first_row == 1);
  CHECK(read.merged[0].last_row == 3);
}

TEST_CASE("a small file that unpacks to very much is refused, and so are cells far out") {
  const ScratchFolder folder;
  const std::string head = "<worksheet><sheetData>", tail = "</sheetData></worksheet>";
  CHECK(ReasonOf(OneSheet(folder, head + std::string(kSheetPartBytesMax, ' ') + tail)) ==
        "sheet_too_large");
  const std::string cell = "<c t=\"inlineStr\" r=\"";
  const std::string text = "\"><is><t>x</t></is></c></row>";
  CHECK(ReadSheets(OneSheet(folder, head + "<row>" + cell + "B3" + text + tail)).ok());
  CHECK(ReasonOf(OneSheet(folder, head + "<row>" + cell + "A200001" + text + tail)) ==
        "sheet_too_large");
  CHECK(ReasonOf(OneSheet(folder, head + "<row>" + cell + "ZZZ1" + text + tail)) ==
        "sheet_too_large");
  CHECK(ReasonOf(OneSheet(folder, head + "<row>" + cell + "1" + text + tail)) == "sheet_malformed");
  // Each row one cell in the last column: small here, large when filled up.
  std::string wide = head;
  for (int row = 1; row < 6000; ++row) wide += "<row>" + cell + "SR" + std::to_string(row) + text;
  CHECK(ReasonOf(OneSheet(folder, wide + tail)) == "sheet_too_large");
}

TEST_CASE("names of elements may have a prefix") {
  const ScratchFolder folder;
  const auto sheets = ReadSheets(OneSheet(
      folder,
      "<x:worksheet xmlns:x=\"x\"><x:sheetData><x:row r=\"2\"><x:c t=\"str\"><x:v>甲</x:v></x:c>"
      "</x:row></x:sheetData></x:worksheet>"));
  REQUIRE(sheets.ok());
  CHECK((*sheets)[0].At(1, 0) == "甲");
}

TEST_CASE("what is no workbook is refused with its cause") {
  const ScratchFolder folder;
  std::ofstream(folder.path("c.xlsx")) << "PK no zip";
  CHECK(ReasonOf(folder.path("c.xlsx")) == "sheet_malformed");
  CHECK(ReasonOf(OneSheet(folder, "<worksheet><sheetData>")) == "sheet_malformed");
  CHECK(ReasonOf(folder.path("absent.xlsx")) == "file_absent");
  CHECK(ReasonOf(folder.path("old.xls")) == "file_kind_unknown");
}

TEST_CASE("a csv has its rows by line, in GB18030 too") {
  const ScratchFolder folder;
  // 目录,"甲<line end>乙" after a blank line
  std::ofstream(folder.path("d.csv"), std::ios::binary)
      << "\xC4\xBF\xC2\xBC,,\r\n\r\n\"\xBC\xD7\n\xD2\xD2\",x\r\n1,2\r\n";
  const auto sheets = ReadSheets(folder.path("d.csv"));
  REQUIRE(sheets.ok());
  const Sheet& sheet = (*sheets)[0];
  CHECK(sheet.rows[0] == std::vector<std::string>{"目录"});
  CHECK(sheet.rows[1].empty());
  CHECK(sheet.rows[2] == std::vector<std::string>{"甲\n乙", "x"});
  CHECK(sheet.At(4, 1) == "2");
}

TEST_CASE("a csv in UTF-8 has no mark of it in its first cell") {
  const ScratchFolder folder;
  for (const char* mark : {"", "\xEF\xBB\xBF"}) {
    std::ofstream(folder.path("d.csv"), std::ios::binary) << mark << "目录,甲\n1,2\n";
    const auto sheets = ReadSheets(folder.path("d.csv"));
    REQUIRE(sheets.ok());
    CHECK((*sheets)[0].At(0, 0) == "目录");
  }
}

TEST_CASE("a text no cell can hold is told, not cut") {
  const ScratchFolder folder;
  Workbook workbook(folder.path("e.xlsx"));
  workbook.AddSheet("");
  workbook.Write(1, 2, std::string(40000, 'x'));
  CHECK(DetailOf(workbook.Finish()).reason == "text_too_long");
}

}  // namespace
}  // namespace guantong
