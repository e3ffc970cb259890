// The catalogue of a department as it comes from people: a workbook imported at a county, found at
// the other end of the country; imported again it changes nothing; what is wrong in it is told cell
// by cell and not stored.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "node/sheets/sheet.h"
#include "node/sheets/workbook.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

// A district's civil affairs bureau: 37 entries of base, theme and department classes.
constexpr char kCivilAffairs[] = "tests/process/catalogue/civil_affairs.csv";

Sheet CivilAffairs(const Client& department) {
  auto sheets = ReadSheets(absl::StrCat(GUANTONG_SOURCE_DIR, "/", kCivilAffairs));
  REQUIRE(sheets.ok());
  Sheet sheet = (*sheets)[0];
  for (auto& row : sheet.rows) {
    for (std::string& cell : row) {
      cell = absl::StrReplaceAll(
          cell, {{"@PROVIDER@", department.department()}, {"@CODE@", department.uscc()}});
    }
  }
  return sheet;
}

std::string AsXlsx(const Sheet& sheet, const std::string& file) {
  Workbook workbook(file);
  workbook.AddSheet("目录");
  for (uint32_t row = 0; row < sheet.rows.size(); ++row) {
    for (uint32_t column = 0; column < sheet.rows[row].size(); ++column)
      workbook.Write(row, column, sheet.At(row, column));
  }
  REQUIRE(workbook.Finish().ok());
  return file;
}

// Row and column of the cell with this text.
std::pair<size_t, size_t> CellOf(const Sheet& sheet, const std::string& text) {
  for (size_t row = 0; row < sheet.rows.size(); ++row) {
    for (size_t column = 0; column < sheet.rows[row].size(); ++column) {
      if (sheet.rows[row][column] == text) return {row, column};
    }
  }
  FAIL("no cell " + text);
  return {};
}

TEST_CASE("import: the catalogue of a department, in at a county and found at the other end") {
  Network network(NineNodes());
  const Client county = network["630102"].Editor();
  const Client far = network["441900"].Editor();
  const std::string& folder = network.folder().path();
  const Sheet sheet = CivilAffairs(county);
  const std::string file = AsXlsx(sheet, folder + "/catalogue.xlsx");

  const auto dry = county.Do({"catalog", "import", file, "--dry-run"});
  CHECK(dry.at("new") == 37);
  CHECK(dry.at("refused") == 0);
  CHECK(county.Do({"catalog", "list", "--mine"}).at("entries").empty());

  const auto first = county.Do({"catalog", "import", file});
  CHECK(first.at("stored") == true);
  REQUIRE(first.at("entries").size() == 37);
  std::map<std::string, std::string> codes;
  for (const auto& one : first.at("entries")) codes[one.at("name")] = one.at("code");

  // Again: nothing. From the CSV it was made from: nothing either.
  CHECK(county.Do({"catalog", "import", file}).at("unchanged") == 37);

  for (const auto& [name, code] : codes) {
    INFO(name);
    county.Do({"catalog", "publish", code});
  }
  CHECK(county.Do({"catalog", "import", file}).at("unchanged") == 37);

  const std::string marriage = codes.at("结婚登记");
  network.Until("the entry is found in another province", [&] {
    const auto found = far.Do({"catalog", "search", "结婚登记", "--scope", "country"});
    return !found.at("entries").empty() && found.at("entries")[0].at("code") == marriage;
  });
  const auto shown = far.Do({"catalog", "show", marriage});
  CHECK(shown.at("items").size() == 7);
  CHECK(shown.at("sharing").at("type") == "conditional");
  CHECK(shown.at("provider_code") == county.uscc());
  // What is not shared has its name there, and its items at home.
  const std::string adoption = codes.at("收养登记");
  network.Until("the not-shared entry is known in another province", [&] {
    const Outcome outcome = far.Try({"catalog", "show", adoption});
    return outcome.ok();
  });
  CHECK(far.Do({"catalog", "show", adoption}).at("items").empty());
  CHECK(county.Do({"catalog", "show", adoption}).at("items").size() == 5);

  // Export and import: no difference.
  const std::string exported = folder + "/exported.xlsx";
  CHECK(county.Do({"catalog", "export", "--mine", "--out", exported}).at("entries") == 37);
  CHECK(county.Do({"catalog", "import", exported}).at("unchanged") == 37);

  // As JSON, too: each of its entries is an entry file that says nothing new.
  const std::string document = folder + "/exported.json";
  CHECK(county.Do({"catalog", "export", "--mine", "--out", document}).at("items") == 205);
  std::ifstream in(document);
  const auto entries = nlohmann::json::parse(in).at("entries");
  REQUIRE(entries.size() == 37);
  const auto same = county.Do(
      {"catalog", "edit", network.folder().File("same.json", entries[5].dump()), "--dry-run"});
  CHECK(same.at("code") == entries[5].at("code"));
  CHECK(same.at("items") == entries[5].at("items"));
  // What people begin with: an empty sheet, and an entry file from a sample.
  county.Do({"catalog", "template", "--out", folder + "/template.xlsx"});
  CHECK(ReasonOf(county.Try({"catalog", "import", folder + "/template.xlsx"})) ==
        "entries_missing");
  const Outcome drafted =
      county.Try({"catalog", "draft",
                  network.folder().File("救助人员.csv", "\xEF\xBB\xBF代码,姓名\n1,甲\n2,乙\n"),
                  "--out", folder + "/drafted.yaml"});
  CHECK(drafted.ok());
  std::ifstream draft(folder + "/drafted.yaml");
  const std::string yaml((std::istreambuf_iterator<char>(draft)), {});
  CHECK(absl::StrContains(yaml, "救助人员"));
  CHECK(absl::StrContains(yaml, "姓名"));

  // One cell changed: one entry changed, under its code.
  Sheet changed = sheet;
  const auto [row, column] = CellOf(changed, "婚姻登记处办理的结婚登记");
  changed.rows[row][column] = "婚姻登记处办理的结婚登记和涉外登记";
  const auto again = county.Do({"catalog", "import", AsXlsx(changed, folder + "/changed.xlsx")});
  CHECK(again.at("changed") == 1);
  CHECK(again.at("unchanged") == 36);
  CHECK(county.Do({"catalog", "show", marriage, "--draft"}).at("abstract") ==
        "婚姻登记处办理的结婚登记和涉外登记");
}

TEST_CASE("import: a department's catalogue, approved twice at a county, found at the other end") {
  Network network(NineNodes(), nullptr, 2);
  Node& county = network["630102"];
  const Client editor = county.AddDepartment("630102", "城东区民政局");
  const Client approver = editor.Approver();
  const Client supervisor = county.AddSupervisor("630102", "城东区数据局").Approver();
  const std::string& folder = network.folder().path();
  const auto imported =
      editor.Do({"catalog", "import", AsXlsx(CivilAffairs(editor), folder + "/catalogue.xlsx")});
  REQUIRE(imported.at("entries").size() == 37);
  for (const auto& one : imported.at("entries")) {
    const std::string code = one.at("code");
    INFO(one.at("name"));
    editor.Do({"catalog", "submit", code});
    approver.Do({"catalog", "approve", code});
    CHECK(supervisor.Do({"catalog", "publish", code}).at("state") == "published");
  }
  CHECK(approver.Do({"todo"}).at("items").empty());
  CHECK(supervisor.Do({"todo"}).at("items").empty());
  const Client far = network["441900"].Editor();
  network.Until("all are found in another province", [&] {
    const auto found = far.Do({"catalog", "search", "民政", "--scope", "country", "--limit", "50"});
    return found.at("total") == "37";
  });
}

TEST_CASE("import: what is wrong is told at its cell, and nothing of it is stored") {
  Network network(OneNode());
  const Client editor = network["000000"].Editor();
  const std::string& folder = network.folder().path();
  Sheet sheet = CivilAffairs(editor);
  const auto [row, column] = CellOf(sheet, "标准地名");
  sheet.rows[row][column + 2] = "91350100M000100Y4Z";  // a check character that is wrong
  const auto [sharing_row, sharing_column] = CellOf(sheet, "收养登记");
  sheet.rows[sharing_row][9].clear();  // not shared without a basis
  sheet.rows[row + 1][16] = "80字";
  const std::string file = AsXlsx(sheet, folder + "/faulty.xlsx");
  const std::string report = folder + "/report.xlsx";

  const Outcome refused = editor.Try({"catalog", "import", file, "--report", report});
  CHECK(refused.exit_status == 1);
  CHECK(ReasonOf(refused) == "import_refused");
  CHECK(editor.Do({"catalog", "list", "--mine"}).at("entries").empty());
  const auto document = nlohmann::json::parse(refused.out);
  CHECK(document.at("refused") == 2);
  std::vector<std::string> places;
  for (const auto& entry : document.at("entries")) {
    for (const auto& problem : entry.at("problems")) {
      places.push_back(absl::StrCat(std::string(problem.at("element")), " ",
                                    problem.at("place").at("row").get<int>(), " ",
                                    problem.at("place").at("column").get<int>(),
                                    problem.at("warning") == true ? " warning" : ""));
    }
  }
  const std::vector<std::string> expected = {
      absl::StrCat("items[1].length ", row + 2, " 17 warning"),
      absl::StrCat("provider_code ", row + 1, " 5"),
      absl::StrCat("sharing.basis ", sharing_row + 1, " 10")};
  for (const std::string& place : expected) {
    INFO(place);
    CHECK(std::count(places.begin(), places.end(), place) == 1);
  }
  const auto read = ReadSheets(report);
  REQUIRE(read.ok());
  CHECK(absl::StrContains((*read)[0].At(row, 17), "91350100M000100Y4Z"));

  // A code that is free is kept.
  const auto foreign =
      editor.Do({"catalog", "import",
                 network.folder().File(
                     "foreign.csv",
                     "信息资源分类,信息资源名称,信息资源代码,信息资源摘要,信息资源格式,共享类型,"
                     "更新周期,信息项名称,数据类型\n"
                     "307,外来目录,307/999999000001,摘要,0105 pdf,无条件,每年,名称,C\n")});
  const auto& taken = foreign.at("entries").at(0);
  CHECK(taken.at("code") == "307/999999000001");
  editor.Do({"catalog", "withdraw", taken.at("code")});

  // The others, on request; the faulty ones when they are mended.
  const auto valid = editor.Do({"catalog", "import", file, "--accept-valid"});
  CHECK(valid.at("new") == 35);
  CHECK(editor.Do({"catalog", "list", "--mine", "--limit", "100"}).at("entries").size() == 35);
  const auto rest =
      editor.Do({"catalog", "import", AsXlsx(CivilAffairs(editor), folder + "/mended.xlsx")});
  CHECK(rest.at("new") == 2);
}

TEST_CASE("import: what only the node knows is told with the rest, before anything is stored") {
  Network network(OneNode());
  Node& node = network["000000"];
  const Client editor = node.Editor();
  node.Operator().Do({"catalog", "classes", "import",
                      network.folder().File("classes.csv",
                                            "分类代码,分类名称,上级代码\n3,部门,root\n"
                                            "307,民政部,3\n309,司法部,3\n")});
  const std::string head =
      "信息资源分类,信息资源名称,信息资源摘要,信息资源格式,共享类型,更新周期,信息项名称,数据类型,"
      "数据长度\n";
  const auto row = [](const std::string& class_code, const std::string& name,
                      const std::string& type) {
    return absl::StrCat(class_code, ",", name, ",摘要,0105 pdf,", type, ",每年,名称,C,20\n");
  };
  // The second is of a class nobody has, the third contradicts itself, the fourth is good.
  const std::string file = network.folder().File(
      "mixed.csv", head + row("307", "街道名录", "无条件") + row("308", "村名录", "无条件") +
                       row("309", "社区名录", "不予共享") + row("309", "律师名录", "无条件"));
  const Outcome refused = editor.Try({"catalog", "import", file});
  CHECK(ReasonOf(refused) == "import_refused");
  const auto document = nlohmann::json::parse(refused.out);
  CHECK(document.at("stored") == false);
  REQUIRE(document.at("refused") == 2);
  const auto& unknown = document.at("entries")[1].at("problems").back();
  CHECK(unknown.at("element") == "class");
  CHECK(unknown.at("place").at("row") == 3);
  CHECK(unknown.at("place").at("column") == 1);
  CHECK(document.at("entries")[2].at("action") == "refused");
  CHECK(editor.Do({"catalog", "list", "--mine"}).at("entries").empty());
  CHECK(editor.Do({"catalog", "import", file, "--dry-run"}).at("refused") == 2);
  const auto valid = editor.Do({"catalog", "import", file, "--accept-valid"});
  CHECK(valid.at("new") == 2);
  CHECK(editor.Do({"catalog", "list", "--mine"}).at("entries").size() == 2);
}

TEST_CASE("import: a class may be said by its name, where that says which") {
  Network network(OneNode());
  Node& node = network["000000"];
  const Client editor = node.Editor();
  const std::string head =
      "信息资源分类,信息资源名称,信息资源摘要,信息资源格式,共享类型,更新周期,信息项名称,数据类型,"
      "数据长度\n";
  const auto row = [](const std::string& class_name, const std::string& name) {
    return absl::StrCat(class_name, ",", name, ",摘要,0105 pdf,无条件,每年,名称,C,20\n");
  };
  const std::string file = network.folder().File("named.csv", head + row("司法", "律师名录") +
                                                                  row("青海省/民政", "街道名录") +
                                                                  row("307、司法", "乡镇名录"));
  // No tree, no names.
  CHECK(ReasonOf(editor.Try({"catalog", "import", file})) == "import_refused");
  node.Operator().Do({"catalog", "classes", "import",
                      network.folder().File("classes.csv",
                                            "分类代码,分类名称,上级代码\n3,部门,root\n"
                                            "307,青海省,3\n30701,民政,307\n308,广东省,3\n"
                                            "30801,民政,308\n309,司法,3\n")});
  CHECK(editor.Do({"catalog", "classes", "--name", "民政"}).at("children").size() == 2);
  const std::string unclear =
      network.folder().File("unclear.csv", head + row("民政", "村名录") + row("水利", "河流名录"));
  const Outcome refused = editor.Try({"catalog", "import", unclear});
  REQUIRE(ReasonOf(refused) == "import_refused");
  const auto document = nlohmann::json::parse(refused.out);
  for (const int at : {0, 1}) {
    const auto& problems = document.at("entries")[at].at("problems");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].at("element") == "class");
    CHECK(problems[0].at("place").at("row") == at + 2);
    CHECK(absl::StrContains(problems[0].at("text").get<std::string>(), at == 0 ? "30801" : "水利"));
  }
  const auto stored = editor.Do({"catalog", "import", file});
  CHECK(stored.at("stored") == true);
  const auto entry = [&](size_t at) {
    return editor.Do({"catalog", "show", stored.at("entries")[at].at("code")});
  };
  CHECK(entry(0).at("class") == "309");
  CHECK(entry(1).at("class") == "30701");
  CHECK(entry(2).at("class") == "307");
  CHECK(entry(2).at("other_classes")[0] == "309");
  CHECK(editor.Do({"catalog", "import", file}).at("unchanged") == 3);
}

// Drafts of the caller's department.
int Drafts(const Client& client) {
  const auto mine = client.Do({"mine"});
  for (const auto& count : mine.at("states")) {
    if (count.at("state") == "draft") return std::stoi(count.at("entries").get<std::string>());
  }
  return 0;
}

TEST_CASE("import: kill -9 of the node or of the import leaves all of it or nothing") {
  constexpr int kEntries = 1500;
  constexpr int kRounds = 8;
  Network network(OneNode());
  Node& node = network["000000"];
  const Client editor = node.Editor();
  int before = 0, whole = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string rows =
        "信息资源分类,信息资源名称,信息资源摘要,信息资源格式,共享类型,更新周期,信息项名称,"
        "数据类型,数据长度\n";
    for (int i = 0; i < kEntries; ++i) {
      absl::StrAppend(&rows, "307,第", round, "批名录", i,
                      "号,摘要,0105 pdf,无条件,每年,名称,C,20\n");
    }
    const std::string file = network.folder().File(absl::StrCat("import", round, ".csv"), rows);
    const auto import = editor.Start({"catalog", "import", file});
    // Each round a little later.
    for (int i = 0; i < round; ++i) editor.Try({"mine"});
    if (round % 2 == 0) {
      import->Kill();
    } else {
      node.Kill();
      const Outcome cut = import->Wait(absl::Seconds(60));
      node.Start();
      // Who was told that it is stored has it.
      if (cut.ok()) CHECK(Drafts(editor) == before + kEntries);
    }
    // A node whose client went may still be taking it in.
    network.Until("all of it is there, or nothing", [&] {
      const int drafts = Drafts(editor);
      if (drafts != before && drafts != before + kEntries)
        FAIL("round " << round << ": " << drafts - before << " of " << kEntries);
      return true;
    });
    const auto again = editor.Do({"catalog", "import", file});
    const int unchanged = again.at("unchanged");
    CHECK((unchanged == 0 || unchanged == kEntries));
    CHECK(again.at("new").get<int>() + unchanged == kEntries);
    whole += unchanged == kEntries ? 1 : 0;
    before += kEntries;
    CHECK(Drafts(editor) == before);
  }
  std::cout << "imports cut off: " << kRounds << ", of which whole " << whole << "\n";
}

}  // namespace
}  // namespace guantong::test
