// The national sheet as people send it, and what an import would do with it.
#include "node/sheets/entry_sheet.h"

#include <xlsxwriter.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "node/form/entry_form.h"
#include "node/sheets/entry_workbook.h"
#include "node/sheets/import_plan.h"
#include "node/sheets/report_workbook.h"
#include "node/sheets/sample.h"
#include "node/sheets/xlsx_archive.h"
#include "tests/catch.h"
#include "tests/unit/scratch_folder.h"

namespace guantong {
namespace {

constexpr char kUscc[] = "116300000150100095";

Sheet SheetOf(const std::vector<std::string>& lines) {
  Sheet sheet{.name = "表"};
  for (const std::string& line : lines) {
    auto& row = sheet.rows.emplace_back();
    std::string cell;
    for (const char c : line + "|") {
      if (c == '|') {
        row.push_back(cell);
        cell.clear();
      } else {
        cell.push_back(c);
      }
    }
  }
  return sheet;
}

EntrySheets Entries(Sheet sheet, SharingFigures figures = SharingFigures::kFound) {
  std::vector<Sheet> sheets;
  sheets.push_back(std::move(sheet));
  auto all = EntriesOf(std::move(sheets), "a.xlsx", figures);
  REQUIRE(all.ok());
  return *std::move(all);
}

constexpr char kHead[] =
    "信息资源分类|信息资源名称|信息资源代码|信息资源提供方代码|信息资源摘要|信息资源格式|共享类型|"
    "共享条件|不予共享依据|共享方式|是否向社会开放|开放条件|更新周期|信息项名称|数据类型|数据长度";

std::string Row(const std::string& name, const std::string& items,
                const std::string& type = "无条件共享", const std::string& condition = "") {
  return absl::StrCat("3070120101|", name, "||", kUscc, "|摘要|0310 mysql|", type, "|", condition,
                      "||库表|否||每年|", items);
}

std::string More(const std::string& items) { return absl::StrCat("|||||||||||||", items); }

const v1::Problem* Find(const std::vector<v1::Problem>& problems, const std::string& element) {
  const auto it = std::find_if(problems.begin(), problems.end(),
                               [&](const v1::Problem& one) { return one.element() == element; });
  return it == problems.end() ? nullptr : &*it;
}

TEST_CASE("title lines, a header of two rows, further items below") {
  const EntrySheets sheets = Entries(
      SheetOf({"某某县民政局政务信息资源目录", "填报单位：||填报日期：",
               "序号|1.信息资源分类*|2.信息资源 名称（必填）|"
               "信息资源摘要|信息资源格式|共享属性||| 信息项信息|||更新周期",
               "|||||共享类型|共享条件|共享方式|信息项名称|数据类型|数据长度|",
               "1|3070120101、101|低保对象名册|说明|数据库-mysql|有条件|办理救助时|库表、接口|"
               "身份证号|字符型 C|18|每月",
               "||||||||姓名|C（变长）|50|", "||||||||发放金额|货币型|12，2|",
               "2|3070120101|养老机构名录|说明|xlsx|无条件共享||文件|机构名称|字符型|100|每年"}));
  REQUIRE(sheets.entries.size() == 2);
  const v1::CatalogEntry& first = sheets.entries[0].entry;
  CHECK(first.name() == "低保对象名册");
  CHECK(first.class_() == "3070120101");
  REQUIRE(first.other_classes_size() == 1);
  CHECK(first.format() == "0310");
  CHECK(first.sharing().type() == v1::SHARING_TYPE_CONDITIONAL);
  CHECK(first.sharing().condition() == "办理救助时");
  CHECK(first.sharing().modes_size() == 2);
  CHECK(first.update_cycle() == v1::UPDATE_CYCLE_MONTHLY);
  REQUIRE(first.items_size() == 3);
  CHECK(first.items(1).name() == "姓名");
  CHECK(first.items(1).type() == v1::ITEM_TYPE_C);
  CHECK(first.items(2).length() == 12);
  CHECK(first.items(2).scale() == 2);
  CHECK(sheets.entries[0].problems.empty());
  CHECK(sheets.problems.empty());
  CHECK(sheets.entries[1].entry.items_size() == 1);
  // Where an element stands, from 1.
  CHECK(PlaceOf(sheets, sheets.entries[0], "items[2].length").row() == 7);
  CHECK(PlaceOf(sheets, sheets.entries[0], "items[2].length").column() == 11);
  CHECK(PlaceOf(sheets, sheets.entries[1], "sharing.type").row() == 8);
  CHECK(PlaceOf(sheets, sheets.entries[0], "other_classes[0]").column() == 2);
  CHECK(PlaceOf(sheets, sheets.entries[0], "provider").column() == 0);
}

TEST_CASE("sharing types 0, 1, 2 of a sheet that counts from zero") {
  const auto types = [](const std::vector<std::string>& texts, SharingFigures figures) {
    std::vector<std::string> lines = {kHead};
    for (size_t i = 0; i < texts.size(); ++i)
      lines.push_back(Row(absl::StrCat("目录之", i, "表"), "名称|C|10", texts[i]));
    std::vector<int> read;
    for (const SheetEntry& one : Entries(SheetOf(lines), figures).entries)
      read.push_back(one.problems.empty() ? one.entry.sharing().type() : -1);
    return read;
  };
  using Types = std::vector<int>;
  CHECK(types({"0", "1", "2"}, SharingFigures::kFound) == Types{1, 2, 3});
  CHECK(types({"1", "2", "3"}, SharingFigures::kFound) == Types{1, 2, 3});
  CHECK(types({"1", "2"}, SharingFigures::kFromZero) == Types{2, 3});
  CHECK(types({"0", "3"}, SharingFigures::kFound) == Types{1, -1});
  CHECK(types({"1-无条件", "2.有条件共享", "乱写"}, SharingFigures::kFound) == Types{1, 2, -1});
  // Not to be guessed: read as the guide has it, this would open the entry to everybody.
  const auto doubtful = [](SharingFigures figures) {
    return Entries(SheetOf({kHead, Row("目录", "名称|C|10", "1", "限救助部门")}), figures)
        .entries[0]
        .problems.size();
  };
  CHECK(doubtful(SharingFigures::kFound) == 1);
  CHECK(doubtful(SharingFigures::kFromOne) == 0);
}

TEST_CASE("units, formulas that failed and long numbers are found in their cells") {
  EntrySheets sheets = Entries(
      SheetOf({kHead, Row("低保名册", "身份证号|C|18位"), More("#REF!|C|10"), More("编号|C|长"),
               absl::StrCat("3070120101|甲|1.1370000004504644E+17|", kUscc,
                            "|摘要|0310|无条件||||否||每年|名称|C|8")}));
  REQUIRE(sheets.entries.size() == 2);
  const auto& problems = sheets.entries[0].problems;
  REQUIRE(Find(problems, "items[0].length") != nullptr);
  CHECK(Find(problems, "items[0].length")->warning());
  CHECK(Find(problems, "items[0].length")->place().row() == 2);
  CHECK(sheets.entries[0].entry.items(0).length() == 18);
  REQUIRE(Find(problems, "items[1].name") != nullptr);
  CHECK(!Find(problems, "items[1].name")->warning());
  REQUIRE(Find(problems, "items[2].length") != nullptr);
  CHECK(!Find(problems, "items[2].length")->warning());
  CHECK(Find(sheets.entries[1].problems, "code") != nullptr);
  // A cell that could not be read is not also missing.
  const auto plan = PlanImport(&sheets, {}, kUscc);
  CHECK(std::count_if(plan[0].problems.begin(), plan[0].problems.end(),
                      [](const auto& one) { return one.element() == "items[1].name"; }) == 1);
  CHECK(plan[0].action == ImportAction::kRefused);
}

TEST_CASE(
    "what dragging leaves behind, and names that differ by blanks, are warnings at their cells") {
  EntrySheets sheets =
      Entries(SheetOf({kHead, Row("目录1", "名称|C|10"), Row("目录2", "名称|C|10"),
                       Row("婚姻登记信息", "名称|C|10"), Row("婚姻 登记信息。", "名称|C|10")}));
  const auto plan = PlanImport(&sheets, {}, kUscc);
  REQUIRE(plan.size() == 4);
  for (const size_t dragged : {0, 1}) {
    REQUIRE(Find(plan[dragged].problems, "name") != nullptr);
    CHECK(absl::StrContains(Find(plan[dragged].problems, "name")->text(), "下拉填充"));
    CHECK(Find(plan[dragged].problems, "name")->place().column() == 2);
  }
  CHECK(Find(plan[2].problems, "name") == nullptr);
  REQUIRE(Find(plan[3].problems, "name") != nullptr);
  CHECK(absl::StrContains(Find(plan[3].problems, "name")->text(), "只差空格或标点"));
  CHECK(Find(plan[3].problems, "name")->place().row() == 5);
  CHECK(plan[3].action == ImportAction::kNew);
}

TEST_CASE("merged cells: down an entry they are its cells, over several they are told") {
  const ScratchFolder folder;
  lxw_workbook* workbook = workbook_new(folder.path("m.xlsx").c_str());
  lxw_worksheet* sheet = workbook_add_worksheet(workbook, "目录");
  const char* titles[] = {"信息资源分类", "信息资源名称", "信息资源摘要", "信息项名称", "数据类型"};
  for (uint16_t i = 0; i < 5; ++i) worksheet_write_string(sheet, 0, i, titles[i], nullptr);
  worksheet_merge_range(sheet, 1, 0, 4, 0, "3070120101", nullptr);  // both entries
  worksheet_merge_range(sheet, 1, 1, 2, 1, "低保名册", nullptr);
  worksheet_merge_range(sheet, 3, 1, 4, 1, "养老机构", nullptr);
  worksheet_merge_range(sheet, 1, 2, 2, 2, "摘要", nullptr);
  for (const uint32_t row : {1, 2, 3, 4}) {
    worksheet_write_string(sheet, row, 3, absl::StrCat("项", row, "名").c_str(), nullptr);
    worksheet_write_string(sheet, row, 4, "C", nullptr);
  }
  REQUIRE(workbook_close(workbook) == LXW_NO_ERROR);
  const auto sheets = ReadEntrySheets(folder.path("m.xlsx"), SharingFigures::kFound);
  REQUIRE(sheets.ok());
  REQUIRE(sheets->entries.size() == 2);
  CHECK(sheets->entries[0].entry.items_size() == 2);
  CHECK(sheets->entries[1].entry.class_() == "3070120101");
  CHECK(sheets->entries[1].entry.items(1).name() == "项4名");
  CHECK(sheets->entries[1].entry.abstract().empty());
  REQUIRE(sheets->problems.size() == 1);
  CHECK(sheets->problems[0].place().row() == 2);
  CHECK(sheets->problems[0].place().column() == 1);
}

TEST_CASE("rows that contradict their entry, that name nothing, and columns nobody knows") {
  const EntrySheets sheets =
      Entries(SheetOf({absl::StrCat(kHead, "|我局自编栏"), Row("低保名册", "姓名|C|10"),
                       absl::StrCat("||||||有条件共享|||||||金额|N|10"), "填表人：张三"}));
  REQUIRE(sheets.entries.size() == 1);
  CHECK(sheets.entries[0].entry.items_size() == 2);
  CHECK(sheets.entries[0].problems.size() == 1);
  CHECK(sheets.problems.size() == 2);
  // One that says enough is an entry without a name.
  const EntrySheets nameless = Entries(
      SheetOf({kHead, Row("低保名册", "姓名|C|10"), Row("", "金额|N|10", "有条件共享", "见章程")}));
  CHECK(nameless.entries.size() == 1);  // the same cells as its entry: an item
  std::string other = Row("", "金额|N|10", "有条件共享", "见章程");
  other.replace(other.find("摘要"), 6, "另外");
  CHECK(Entries(SheetOf({kHead, Row("低保名册", "姓名|C|10"), other})).entries.size() == 2);
}

v1::CatalogEntry Full() {
  auto entry = ParseEntry(R"(name: "街道名录"
code: 3070120337/630000000001
class: "3070120337"
other_classes: ["101", "2030101"]
provider: 青海省民政厅
provider_code: 116300000150100095
abstract: "全省乡镇街道\n第二行"
format: "0310"
items:
  - {name: 代码, field: code, english_name: Code, type: C, length: 9, key: true, required: true, dictionary: "GBT2260@2007", description: 说明, default_value: "0", classification: 二级}
  - {name: 面积, field: area, type: N, length: 18, scale: 2, unit: 平方公里, sharing: {type: conditional, condition: 限规划, modes: [table, file]}, open: {public: true, condition: 无}}
sharing: {type: conditional, condition: "办理、审批时", basis: 某条例, modes: [table, service]}
open: {public: true, condition: 无}
update_cycle: quarterly
related: ["3070120337/630000000002"]
resources:
  - {id: t, mode: table, format: "0310", name: "街道、镇表"}
  - {id: "2", mode: service, format: "07"}
themes: ["基层治理、服务", 民政]
key_areas: [社会救助]
aggregated: true
contact: {name: 李四, phone: "0971-1", email: a@b.c, person: p1}
responsible: {name: 王五, phone: "2"}
secrecy: 非涉密
classification: 一般数据
record_count: "123456789012"
total_size: 2 GB
template: 301/1
is_template: true
system: 地名系统
)",
                          EntrySyntax::kYaml, "full.yaml");
  REQUIRE(entry.ok());
  return *std::move(entry);
}

TEST_CASE("round trip: what was exported comes back the same") {
  const ScratchFolder folder;
  std::vector<v1::CatalogEntry> entries = {Full(), Full(), Full()};
  entries[1].set_code("3070120337/630000000002");
  entries[1].set_name("没有信息项的文件");
  entries[1].clear_items();
  entries[1].clear_resources();
  entries[1].set_format("0105");
  entries[2].set_code("3070120337/630000000003");  // the same name and another code
  entries[2].mutable_sharing()->set_type(v1::SHARING_TYPE_NOT_SHARED);
  REQUIRE(WriteEntryWorkbook(entries, folder.path("e.xlsx")).ok());
  auto sheets = ReadEntrySheets(folder.path("e.xlsx"), SharingFigures::kFound);
  REQUIRE(sheets.ok());
  CHECK(sheets->problems.empty());
  REQUIRE(sheets->entries.size() == entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    CHECK(sheets->entries[i].problems.empty());
    CHECK(sheets->entries[i].entry.ShortDebugString() == entries[i].ShortDebugString());
  }
  const auto plan = PlanImport(&*sheets, entries, kUscc);
  for (const PlannedEntry& one : plan) CHECK(one.action == ImportAction::kUnchanged);
}

TEST_CASE("an import changes what differs, and leaves alone what its sheet does not say") {
  std::vector<v1::CatalogEntry> held = {Full()};
  held[0].set_version(3);
  held[0].set_division("630000");
  const auto plan_of = [&](const std::string& cycle, const std::string& name) {
    EntrySheets sheets = Entries(
        SheetOf({"信息资源分类|信息资源名称|信息资源摘要|更新周期|信息项名称|数据类型",
                 "3070120337、101、2030101|" + name + "|全省乡镇街道\n第二行|" + cycle + "|代码|C",
                 "||||面积|N"}));
    return PlanImport(&sheets, held, kUscc)[0];
  };
  CHECK(plan_of("每季度", "街道名录").action == ImportAction::kUnchanged);
  CHECK(plan_of("每季度", "街道 名录").action == ImportAction::kChange);
  const PlannedEntry changed = plan_of("每年", "街道名录");
  CHECK(changed.action == ImportAction::kChange);
  CHECK(changed.entry.code() == held[0].code());
  CHECK(changed.entry.items(1).scale() == 2);
  CHECK(changed.entry.sharing().condition() == "办理、审批时");
  CHECK(plan_of("每年", "另一个名录").entry.code().empty());
  // Another department's entry is not this one's to write.
  EntrySheets sheets = Entries(SheetOf({kHead, Row("低保名册", "姓名|C|10")}));
  CHECK(PlanImport(&sheets, {}, kUscc)[0].action == ImportAction::kNew);
  CHECK(PlanImport(&sheets, {}, "11370800MB28559184")[0].action == ImportAction::kRefused);
}

TEST_CASE("the report has the sheet again, the cells marked and what became of each row") {
  const ScratchFolder folder;
  EntrySheets sheets =
      Entries(SheetOf({kHead, Row("低保名册", "姓名|C|10位"), More("金额|乱|10")}));
  const auto plan = PlanImport(&sheets, {}, kUscc);
  REQUIRE(WriteReport(sheets, plan[0].problems, {{.sheet = 0, .row = 1, .text = "不导入"}},
                      folder.path("r.xlsx"))
              .ok());
  const auto report = ReadSheets(folder.path("r.xlsx"));
  REQUIRE(report.ok());
  const Sheet& read = (*report)[0];
  constexpr size_t kLast = 16;
  CHECK(read.At(0, kLast) == "检查结果");
  CHECK(read.At(1, 1) == "低保名册");
  CHECK(absl::StartsWith(read.At(1, kLast), "不导入\n提醒："));
  CHECK(absl::StartsWith(read.At(2, kLast), "错误："));
  CHECK(read.At(2, 14) == "乱");
  // The marks are in the file: a style with a red ground, and comments.
  std::ifstream in(folder.path("r.xlsx"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  CHECK(absl::StrContains(bytes, "xl/comments1.xml"));
  // What was marked is read as an import again.
  CHECK(ReadEntrySheets(folder.path("r.xlsx"), SharingFigures::kFound)->entries.size() == 1);
}

TEST_CASE("the template has the columns, and no entries") {
  const ScratchFolder folder;
  REQUIRE(WriteEntryTemplate(folder.path("t.xlsx")).ok());
  const auto sheets = ReadEntrySheets(folder.path("t.xlsx"), SharingFigures::kFound);
  REQUIRE(sheets.ok());
  CHECK(sheets->entries.empty());
  CHECK(sheets->problems.empty());
  for (const EntryColumn& column : EntryColumns())
    CHECK(sheets->headers[0]->places.count(column.element) == 1);
  for (const ItemColumn& column : ItemColumns())
    CHECK(sheets->headers[0]->places.count("items[]." + column.element) == 1);
  CHECK(!sheets->headers[1].has_value());
  CHECK(sheets->sheets[2].At(0, 1) == "无条件共享");
}

// The number of a column from 0: "AB12" is 27.
size_t ColumnOf(const std::string& cell) {
  size_t column = 0;
  for (const char c : cell) {
    if (c < 'A' || c > 'Z') break;
    column = column * 26 + static_cast<size_t>(c - 'A') + 1;
  }
  return column - 1;
}

TEST_CASE("the drop-downs of the template: where values are fixed, and what they offer is read") {
  const ScratchFolder folder;
  const std::string file = folder.path("t.xlsx");
  REQUIRE(WriteEntryTemplate(file).ok());
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  auto archive = XlsxArchive::Open(bytes, file);
  REQUIRE(archive.ok());
  pugi::xml_document document;
  REQUIRE(
      archive->Read("xl/worksheets/sheet1.xml", XlsxArchive::Presence::kRequired, &document).ok());
  const auto sheets = ReadSheets(file);
  REQUIRE(sheets.ok());
  std::map<std::string, std::vector<std::string>> offered;  // by title
  for (const pugi::xml_node& one :
       document.child("worksheet").child("dataValidations").children("dataValidation")) {
    CHECK(one.attribute("type").value() == std::string("list"));
    // Several values of one cell are legal.
    CHECK(one.attribute("errorStyle").value() == std::string("information"));
    const std::string cells = one.attribute("sqref").value();
    const std::string from = one.child("formula1").text().get();
    INFO(cells << " " << from);
    CHECK(absl::StrContains(cells, "2:"));  // from the row below the titles
    const std::string range = from.substr(from.find('!') + 2);
    const size_t column = ColumnOf(range);
    const int last = std::stoi(from.substr(from.rfind('$') + 1));
    REQUIRE(absl::StartsWith(from, "'可选值'!$"));
    auto& words = offered[(*sheets)[0].At(0, ColumnOf(cells))];
    for (int row = 0; row < last; ++row) words.push_back((*sheets)[2].At(row, column));
    CHECK((*sheets)[2].At(last, column).empty());
  }
  size_t fixed = 0;
  const auto check = [&](const auto& columns, auto message) {
    for (const auto& column : columns) {
      if (column.get == nullptr) continue;
      INFO(column.titles[0]);
      CHECK(offered.count(column.titles[0]) == (column.choices.empty() ? 0 : 1));
      if (column.choices.empty()) continue;
      ++fixed;
      CHECK(offered[column.titles[0]] == column.choices);
      for (const std::string& word : column.choices) {
        auto read = message;
        INFO(word);
        CHECK(column.set(word, &read).text.empty());
        // What is so without being said is not written.
        const std::string written = column.get(read);
        CHECK((written == word || (written.empty() && word == "否")));
      }
    }
  };
  check(EntryColumns(), v1::CatalogEntry());
  check(ItemColumns(), v1::DataItem());
  CHECK(fixed == offered.size());
  CHECK(fixed >= 6);
}

TEST_CASE("a sheet without the columns says so") {
  const auto status =
      EntriesOf({SheetOf({"甲|乙", "1|2"})}, "a.xlsx", SharingFigures::kFound).status();
  CHECK(DetailOf(status).reason == "header_missing");
  CHECK(absl::StrContains(DetailOf(status).remedy, "catalog template"));
}

TEST_CASE("a draft entry from a sample") {
  const auto entry =
      EntryOfSample({SheetOf({"街道样例||||||", "街道代码|名称|面积|成立日期|人口|在用|Area Code",
                              "630102001|东关大街|12.5|1990-01-01|30210|是|0971",
                              "630102002|清真巷|3.25|1991年2月3日|12000|否|"})},
                    "街道名录");
  REQUIRE(entry.ok());
  CHECK(entry->name() == "街道名录");
  REQUIRE(entry->items_size() == 7);
  const auto item = [&](int i) { return entry->items(i); };
  CHECK(item(0).field() == "jie_dao_dai_ma");
  CHECK(item(0).type() == v1::ITEM_TYPE_C);
  CHECK(item(0).length() == 9);
  CHECK(item(0).key());
  CHECK(item(1).type() == v1::ITEM_TYPE_C);
  CHECK(!item(1).key());
  CHECK(item(2).type() == v1::ITEM_TYPE_N);
  CHECK(item(2).scale() == 2);
  CHECK(item(3).type() == v1::ITEM_TYPE_D);
  CHECK(item(4).type() == v1::ITEM_TYPE_I);
  CHECK(item(5).type() == v1::ITEM_TYPE_L);
  CHECK(item(6).field() == "area_code");
  CHECK(item(6).type() == v1::ITEM_TYPE_C);
  CHECK(!item(6).required());
  // What it writes is an entry file with the same items; what is to be filled in is missing.
  const auto read = ParseEntry(DraftYaml(*entry), EntrySyntax::kYaml, "draft.yaml");
  REQUIRE(read.ok());
  CHECK(read->items_size() == 7);
  CHECK(read->items(2).ShortDebugString() == item(2).ShortDebugString());
  CHECK(!ValidateEntry(*read).ok());
  CHECK(DetailOf(EntryOfSample({SheetOf({"只有表头"})}, "x").status()).reason == "sample_empty");
}

}  // namespace
}  // namespace guantong
