// catalog import: a sheet of entries, each filed as `register` or `edit` would file it, all at once
// (sheet_filing).
#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/catalog.pb.h"
#include "node/cli/connection.h"
#include "node/cli/entry_pages.h"
#include "node/cli/failure.h"
#include "node/cli/output.h"
#include "node/cli/sheet_classes.h"
#include "node/cli/sheet_command.h"
#include "node/cli/sheet_filing.h"
#include "node/form/json_form.h"
#include "node/language.h"
#include "node/sheets/import_plan.h"
#include "node/sheets/report_workbook.h"

namespace guantong {
namespace {

struct ImportOptions {
  std::string file;
  std::string report;
  std::string figures = "auto";
  bool dry_run = false;
  bool accept_valid = false;
};

struct Figures {
  size_t added = 0, changed = 0, unchanged = 0, refused = 0;
};

Figures Count(const std::vector<PlannedEntry>& plan) {
  Figures figures;
  for (const PlannedEntry& one : plan) {
    switch (one.action) {
      case ImportAction::kNew:
        ++figures.added;
        break;
      case ImportAction::kChange:
        ++figures.changed;
        break;
      case ImportAction::kUnchanged:
        ++figures.unchanged;
        break;
      default:
        ++figures.refused;
    }
  }
  return figures;
}

std::string ActionText(ImportAction action) {
  switch (action) {
    case ImportAction::kNew:
      return Text("新增", "new");
    case ImportAction::kChange:
      return Text("修改", "change");
    case ImportAction::kUnchanged:
      return Text("未变", "unchanged");
    default:
      return Text("不导入", "refused");
  }
}

absl::StatusOr<std::vector<v1::CatalogEntry>> OwnEntries(const Connection& connection) {
  v1::ListRequest request;
  request.set_mine(true);
  GT_ASSIGN_OR_RETURN(const auto listed, ListAll(connection, request));
  std::vector<v1::CatalogEntry> own;
  for (const v1::ShowResponse& shown : listed) {
    if (LatestOf(shown).state() != v1::ENTRY_STATE_WITHDRAWN) own.push_back(LatestOf(shown));
  }
  return own;
}

std::vector<v1::Problem> AllProblems(const EntrySheets& sheets,
                                     const std::vector<PlannedEntry>& plan) {
  std::vector<v1::Problem> all = sheets.problems;
  for (const PlannedEntry& one : plan)
    all.insert(all.end(), one.problems.begin(), one.problems.end());
  return all;
}

absl::Status Report(const ImportOptions& options, const EntrySheets& sheets,
                    const std::vector<PlannedEntry>& plan) {
  if (options.report.empty()) return absl::OkStatus();
  std::vector<RowOutcome> outcomes;
  for (size_t i = 0; i < plan.size(); ++i) {
    const SheetEntry& from = sheets.entries[i];
    outcomes.push_back(
        {.sheet = from.sheet,
         .row = from.row,
         .text = absl::StrCat(ActionText(plan[i].action), " ", plan[i].entry.code())});
  }
  GT_RETURN_IF_ERROR(WriteReport(sheets, AllProblems(sheets, plan), outcomes, options.report));
  Say(absl::StrCat(Text("逐行报告：", "row by row: "), options.report));
  return absl::OkStatus();
}

std::string CellName(const v1::Place& place) {
  std::string letters;
  for (uint32_t column = place.column(); column > 0; column = (column - 1) / 26)
    letters.insert(0, 1, static_cast<char>('A' + (column - 1) % 26));
  return absl::StrCat(place.sheet(), place.sheet().empty() ? "" : " ", letters,
                      place.row() == 0 ? "" : absl::StrCat(place.row()));
}

void SayProblems(const EntrySheets& sheets, const std::vector<PlannedEntry>& plan) {
  constexpr size_t kShownMax = 30;
  std::vector<v1::Problem> all = AllProblems(sheets, plan);
  // Errors first, else warnings could hide them.
  std::stable_sort(all.begin(), all.end(), [](const v1::Problem& a, const v1::Problem& b) {
    return a.warning() < b.warning();
  });
  for (size_t i = 0; i < all.size() && i < kShownMax; ++i) {
    Say(absl::StrCat(CellName(all[i].place()), " ",
                     all[i].warning() ? Text("提醒：", "warning: ") : Text("错误：", "error: "),
                     all[i].text()));
  }
  if (all.size() > kShownMax) {
    Say(absl::StrCat(Text("共 ", "all in all "), all.size(),
                     Text(" 条，全部见 --report 报告.xlsx 或 -o json",
                          " of them, all are in --report FILE.xlsx and -o json")));
  }
}

nlohmann::ordered_json Document(const EntrySheets& sheets, const std::vector<PlannedEntry>& plan,
                                bool stored) {
  const Figures figures = Count(plan);
  nlohmann::ordered_json document = {{"file", sheets.file},
                                     {"stored", stored},
                                     {"new", figures.added},
                                     {"changed", figures.changed},
                                     {"unchanged", figures.unchanged},
                                     {"refused", figures.refused},
                                     {"entries", nlohmann::ordered_json::array()},
                                     {"problems", nlohmann::ordered_json::array()}};
  for (size_t i = 0; i < plan.size(); ++i) {
    const SheetEntry& from = sheets.entries[i];
    nlohmann::ordered_json one = {{"sheet", sheets.sheets[from.sheet].name},
                                  {"row", from.row + 1},
                                  {"name", plan[i].entry.name()},
                                  {"code", plan[i].entry.code()},
                                  {"action", ImportActionName(plan[i].action)},
                                  {"problems", nlohmann::ordered_json::array()}};
    for (const v1::Problem& problem : plan[i].problems) one["problems"].push_back(ToJson(problem));
    document["entries"].push_back(std::move(one));
  }
  for (const v1::Problem& problem : sheets.problems)
    document["problems"].push_back(ToJson(problem));
  return document;
}

Table ImportTable(const EntrySheets& sheets, const std::vector<PlannedEntry>& plan) {
  Table table({{"sheet", Text("工作表", "sheet")},
               {"row", Text("行", "row"), true},
               {"action", Text("结果", "result")},
               {"code", Text("代码", "code")},
               {"name", Text("名称", "name")},
               {"items", Text("信息项", "items"), true},
               {"problems", Text("问题", "problems"), true}});
  for (size_t i = 0; i < plan.size(); ++i) {
    const SheetEntry& from = sheets.entries[i];
    table.Add({sheets.sheets[from.sheet].name,
               absl::StrCat(from.row + 1),
               {ActionText(plan[i].action), ImportActionName(plan[i].action)},
               plan[i].entry.code(),
               plan[i].entry.name(),
               absl::StrCat(plan[i].entry.items_size()),
               absl::StrCat(plan[i].problems.size())});
  }
  return table;
}

absl::Status Verdict(const ImportOptions& options, const Figures& figures, bool stored) {
  Say(absl::StrCat(Text("新增 ", "new "), figures.added, Text("，修改 ", ", changed "),
                   figures.changed, Text("，未变 ", ", unchanged "), figures.unchanged,
                   Text("，不导入 ", ", refused "), figures.refused));
  if (options.dry_run) {
    Say(Text("只作检查，没有登记", "checked only, nothing is stored"));
    return absl::OkStatus();
  }
  if (figures.refused == 0 || options.accept_valid) {
    if (stored) Say(Text("新增和修改的已存为草稿", "what is new or changed is a draft now"));
    return absl::OkStatus();
  }
  return Error(
      absl::StatusCode::kInvalidArgument, "import_refused",
      absl::StrCat(figures.refused, Text(" 个条目有错误，什么都没有登记",
                                         " entries have errors, nothing is stored")),
      options.file,
      Text("按 --report 报告改正后重新导入；先导入没有错误的加 --accept-valid",
           "correct them by the --report and import again; --accept-valid takes the others now"));
}

absl::Status RunImport(const Invocation& invocation, const ImportOptions& options) {
  std::error_code ignored;
  if (std::filesystem::equivalent(options.file, options.report, ignored))
    return UsageError(Text("报告会覆盖导入文件", "the report would overwrite the file"));
  GT_ASSIGN_OR_RETURN(
      EntrySheets sheets,
      ReadEntrySheets(options.file, options.figures == "012"   ? SharingFigures::kFromZero
                                    : options.figures == "123" ? SharingFigures::kFromOne
                                                               : SharingFigures::kFound));
  if (sheets.entries.empty()) {
    return Error(
        absl::StatusCode::kInvalidArgument, "entries_missing",
        absl::StrCat(options.file, Text("：表头下面没有条目", ": no entries below the header")),
        options.file,
        Text("在表头下面填写条目，每个信息项一行", "write entries below it, a row for each item"));
  }
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const std::vector<v1::CatalogEntry> held, OwnEntries(*connection));
  GT_RETURN_IF_ERROR(FindClasses(*connection, &sheets));
  std::vector<PlannedEntry> plan = PlanImport(&sheets, held, connection->profile().uscc);
  const bool file = !options.dry_run && (Count(plan).refused == 0 || options.accept_valid);
  const absl::StatusOr<bool> filed = FileAtNode(
      *connection, sheets, {.dry_run = !file, .accept_valid = options.accept_valid}, &plan);
  GT_RETURN_IF_ERROR(Report(options, sheets, plan));
  if (!filed.ok()) {
    Say(Text("没有得到节点的答复：要么全部登记了，要么一条都没有。重新导入即可，已登记的不会重复",
             "no answer of the node: all is stored or nothing. Import again, nothing is stored "
             "twice"));
    return filed.status();
  }
  const bool stored = *filed;
  const Figures figures = Count(plan);
  Emit(invocation, Document(sheets, plan, stored), ImportTable(sheets, plan));
  SayProblems(sheets, plan);
  return Verdict(options, figures, stored);
}

}  // namespace

void AddImport(CLI::App* catalog, Invocation* invocation) {
  auto* import = catalog->add_subcommand(
      "import",
      Text("导入目录表（一个工作簿多个条目），存为草稿", "a sheet of entries, filed as drafts"));
  const auto options = std::make_shared<ImportOptions>();
  import->add_option("FILE", options->file, ".xlsx, .csv")->required();
  import->add_flag("--dry-run", options->dry_run, Text("只检查", "check only"));
  import->add_flag("--accept-valid", options->accept_valid,
                   Text("登记没有错误的条目，其余见报告", "file the entries without errors"));
  import->add_option(
      "--report", options->report,
      Text("逐行报告（.xlsx），有问题的单元格标出", "row by row as .xlsx, offending cells marked"));
  import
      ->add_option("--sharing-figures", options->figures,
                   Text("共享类型的数字：123（国家标准）、012、auto",
                        "figures of sharing types: 123 (the guide's), 012, auto"))
      ->check(CLI::IsMember({"auto", "123", "012"}));
  import->callback([invocation, options] {
    invocation->action = [invocation, options] { return RunImport(*invocation, *options);
};
}  // namespace guantong
);
}

}  // namespace guantong
