// demand import, export: 共享需求清单 as people keep it.
#include "node/cli/demand_files.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/demand.pb.h"
#include "node/cli/connection.h"
#include "node/cli/failure.h"
#include "node/cli/output.h"
#include "node/form/json_form.h"
#include "node/language.h"
#include "node/sheets/demand_sheet.h"

namespace guantong {
namespace {

struct ImportOptions {
  std::string file;
  bool dry_run = false;
};

nlohmann::ordered_json Document(const DemandSheet& sheet,
                                const v1::ImportDemandsResponse& response) {
  nlohmann::ordered_json document = ToJson(response);
  for (size_t i = 0; i < sheet.rows.size() && i < document["demands"].size(); ++i)
    document["demands"][i]["row"] = sheet.rows[i];
  return document;
}

absl::Status RunImport(const Invocation& invocation, const ImportOptions& options) {
  GT_ASSIGN_OR_RETURN(const DemandSheet sheet, ReadDemandFile(options.file));
  v1::ImportDemandsRequest request;
  request.set_dry_run(options.dry_run);
  request.mutable_demands()->Assign(sheet.demands.begin(), sheet.demands.end());
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto response, connection->Call<v1::ImportDemandsResponse>(
                                               "guantong.v1.DemandService.Import", request));
  Table table({{"row", Text("行", "row"), true},
               {"result", Text("结果", "result")},
               {"id", Text("编号", "id")},
               {"what", Text("所需数据", "what")},
               {"problem", Text("问题", "problem")}});
  for (int i = 0; i < response.demands_size(); ++i) {
    const v1::ImportedDemand& one = response.demands(i);
    const auto at = static_cast<size_t>(i);
    std::string problem;
    for (const v1::Problem& said : one.problems())
      absl::StrAppend(&problem, problem.empty() ? "" : "；", said.text());
    table.Add({absl::StrCat(sheet.rows[at]),
               !one.problems().empty() ? Text("有错误", "refused")
               : one.same()            ? Text("已提出过", "said before")
                                       : Text("新增", "new"),
               one.id(), sheet.demands[at].what(), problem});
  }
  Emit(invocation, Document(sheet, response), table);
  Say(absl::StrCat(Text("新增 ", "new "), response.added(), Text("，已提出过 ", ", said before "),
                   response.same(), Text("，有错误 ", ", refused "), response.refused()));
  if (options.dry_run) Say(Text("只作检查，没有登记", "checked only, nothing is stored"));
  if (options.dry_run || response.refused() == 0) return absl::OkStatus();
  std::string first;
  for (size_t i = 0; first.empty() && i < sheet.rows.size(); ++i) {
    const v1::ImportedDemand& one = response.demands(static_cast<int>(i));
    if (!one.problems().empty()) {
      first = absl::StrCat(Text("第 ", "row "), sheet.rows[i], Text(" 行：", ": "),
                           one.problems(0).text());
    }
  }
  return Error(
      absl::StatusCode::kInvalidArgument, "import_refused",
      absl::StrCat(
          options.file, Text("：", ": "), response.refused(),
          Text(" 条需求有错误，什么都没有登记；", " demands have errors, nothing is stored; "),
          first),
      options.file, Text("按表中“问题”一列改正后重新导入", "correct them and import again"));
}

struct ExportOptions {
  v1::ListDemandsRequest list;
  bool closed = false;
  std::string out;
};

absl::StatusOr<std::vector<v1::DemandView>> All(const Connection& connection,
                                                v1::ListDemandsRequest request, std::string* note) {
  std::vector<v1::DemandView> all;
  do {
    GT_ASSIGN_OR_RETURN(const auto page, connection.Call<v1::ListDemandsResponse>(
                                             "guantong.v1.DemandService.List", request));
    all.insert(all.end(), page.demands().begin(), page.demands().end());
    if (!page.note().empty()) *note = page.note();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

absl::Status RunExport(const Invocation& invocation, ExportOptions options) {
  if (!absl::EndsWith(absl::AsciiStrToLower(options.out), ".xlsx"))
    return UsageError(Text("--out 应为 .xlsx 文件", "--out should be a .xlsx file"));
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  std::string note;
  GT_ASSIGN_OR_RETURN(std::vector<v1::DemandView> demands, All(*connection, options.list, &note));
  if (options.closed) {
    options.list.set_state(v1::DEMAND_STATE_CLOSED);
    GT_ASSIGN_OR_RETURN(const auto closed, All(*connection, options.list, &note));
    demands.insert(demands.end(), closed.begin(), closed.end());
  }
  GT_RETURN_IF_ERROR(WriteDemandWorkbook(demands, options.out));
  Table table = Facts();
  table.Add({Text("文件", "file"), options.out});
  table.Add({Text("需求", "demands"), absl::StrCat(demands.size())});
  Emit(invocation, {{"file", options.out}, {"demands", demands.size()}}, table);
  if (!note.empty()) Say(note);
  return absl::OkStatus();
}

}  // namespace

void AddDemandFiles(CLI::App* demand, Invocation* invocation) {
  auto* import =
      demand->add_subcommand("import", Text("导入共享需求清单，一行一条；有一条不对就都不登记",
                                            "a list of demands, one a row; all of them or none"));
  const auto imported = std::make_shared<ImportOptions>();
  import->add_option("FILE", imported->file, ".xlsx, .csv")->required();
  import->add_flag("--dry-run", imported->dry_run, Text("只检查", "check only"));
  import->callback([invocation, imported] {
    invocation->action = [invocation, imported] { return RunImport(*invocation, *imported);
};
}  // namespace guantong
);

auto* out = demand->add_subcommand(
    "export", Text("导出需求清单及答复（.xlsx），可原样导入",
                   "demands and their answers as .xlsx, which import takes again"));
const auto exported = std::make_shared<ExportOptions>();
out->add_option("--out", exported->out, Text("文件（.xlsx）", "file (.xlsx)"))->required();
const auto box = [out, exported](const char* flag, v1::DemandBox which, const char* text) {
  return out->add_flag_callback(
      flag, [exported, which] { exported->list.set_box(which); }, text);
};
auto* mine = box("--mine", v1::DEMAND_BOX_MINE, Text("本部门提出的", "said by this department"));
auto* asked = box("--asked", v1::DEMAND_BOX_ASKED, Text("问本部门的", "asked of this department"));
auto* supervised = box("--supervised", v1::DEMAND_BOX_SUPERVISED,
                       Text("已上报到本级主管部门的", "gone up to this level's authority"));
asked->excludes(mine);
supervised->excludes(mine)->excludes(asked);
out->add_flag("--closed", exported->closed, Text("连同已关闭的", "closed ones as well"));
out->callback([invocation, exported] {
  invocation->action = [invocation, exported] { return RunExport(*invocation, *exported); };
});
}

}  // namespace guantong
