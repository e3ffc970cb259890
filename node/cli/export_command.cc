// catalog export, template, draft: entries to a sheet of people, an empty one, and an entry file
// from a sample of data.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/catalog.pb.h"
#include "node/cli/connection.h"
#include "node/cli/entry_pages.h"
#include "node/cli/failure.h"
#include "node/cli/output.h"
#include "node/cli/sheet_command.h"
#include "node/form/json_form.h"
#include "node/language.h"
#include "node/sheets/entry_workbook.h"
#include "node/sheets/sample.h"

namespace guantong {
namespace {

struct ExportOptions {
  std::vector<std::string> codes;
  std::vector<std::string> classes;
  v1::ListRequest list;
  bool draft = false;
  std::string out;
};

absl::Status WriteText(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  if (out) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "file_unwritable",
               absl::StrCat(file, Text("：写不了", ": cannot be written")), file,
               Text("检查文件夹、权限和空间，或换一个位置",
                    "check folder, rights and space, or choose another place"));
}

absl::StatusOr<std::vector<v1::ShowResponse>> Wanted(const Connection& connection,
                                                     const ExportOptions& options) {
  if (options.codes.empty()) return ListAll(connection, options.list);
  std::vector<v1::ShowResponse> shown;
  for (const std::string& code : options.codes) {
    v1::EntryRequest request;
    request.set_code(code);
    GT_ASSIGN_OR_RETURN(
        auto one, connection.Call<v1::ShowResponse>("guantong.v1.CatalogService.Show", request));
    shown.push_back(std::move(one));
  }
  return shown;
}

bool InClasses(const v1::CatalogEntry& entry, const std::vector<std::string>& classes) {
  return classes.empty() ||
         std::any_of(classes.begin(), classes.end(),
                     [&](const std::string& one) { return absl::StartsWith(entry.class_(), one); });
}

absl::Status RunExport(const Invocation& invocation, const ExportOptions& options) {
  const std::string name = absl::AsciiStrToLower(options.out);
  const bool json = absl::EndsWith(name, ".json");
  if (!json && !absl::EndsWith(name, ".xlsx")) {
    return UsageError(
        Text("--out 应为 .xlsx 或 .json 文件", "--out should be a .xlsx or .json file"));
  }
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto shown, Wanted(*connection, options));
  std::vector<v1::CatalogEntry> entries;
  for (const v1::ShowResponse& one : shown) {
    const v1::CatalogEntry& entry = options.draft ? LatestOf(one) : one.entry();
    // An entry that is withdrawn has no items any more: it is asked for by its code or state.
    const bool asked = !options.codes.empty() || options.list.state() != 0;
    if (entry.state() == v1::ENTRY_STATE_WITHDRAWN && !asked) continue;
    if (InClasses(entry, options.classes)) entries.push_back(entry);
  }
  if (json) {
    nlohmann::ordered_json document = {{"entries", nlohmann::ordered_json::array()}};
    for (const v1::CatalogEntry& entry : entries) document["entries"].push_back(ToJson(entry));
    GT_RETURN_IF_ERROR(WriteText(options.out, PrettyJsonText(document)));
  } else {
    GT_RETURN_IF_ERROR(WriteEntryWorkbook(entries, options.out));
  }
  size_t items = 0;
  for (const v1::CatalogEntry& entry : entries) items += static_cast<size_t>(entry.items_size());
  Table table = Facts();
  table.Add({Text("文件", "file"), options.out});
  table.Add({Text("条目", "entries"), absl::StrCat(entries.size())});
  table.Add({Text("信息项", "items"), absl::StrCat(items)});
  Emit(invocation, {{"file", options.out}, {"entries", entries.size()}, {"items", items}}, table);
  return absl::OkStatus();
}

absl::Status RunTemplate(const Invocation& invocation, const std::string& out) {
  if (!absl::EndsWith(absl::AsciiStrToLower(out), ".xlsx"))
    return UsageError(Text("--out 应为 .xlsx 文件", "--out should be a .xlsx file"));
  GT_RETURN_IF_ERROR(WriteEntryTemplate(out));
  Table table = Facts();
  table.Add({Text("文件", "file"), out});
  Emit(invocation, {{"file", out}}, table);
  return absl::OkStatus();
}

absl::Status RunDraft(const Invocation& invocation, const std::string& file,
                      const std::string& out) {
  GT_ASSIGN_OR_RETURN(const std::vector<Sheet> sheets, ReadSheets(file));
  GT_ASSIGN_OR_RETURN(const v1::CatalogEntry entry,
                      EntryOfSample(sheets, std::filesystem::path(file).stem().string()));
  const std::string yaml = DraftYaml(entry);
  if (!out.empty()) {
    GT_RETURN_IF_ERROR(WriteText(out, yaml));
    Say(absl::StrCat(Text("已写入 ", "written to "), out));
  }
  if (invocation.output == OutputFormat::kJson) {
    Emit(invocation, ToJson(entry), Facts());
  } else if (out.empty()) {
    std::fputs(yaml.c_str(), stdout);
  }
  return absl::OkStatus();
}

}  // namespace

void AddExport(CLI::App* catalog, Invocation* invocation) {
  auto* command = catalog->add_subcommand(
      "export", Text("导出目录表（.xlsx、.json）", "entries to a sheet (.xlsx, .json)"));
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("CODE", options->codes, Text("资源代码；不写则按下列条件", "resource codes"));
  command->add_option("--out", options->out, ".xlsx, .json")->required();
  command->add_flag_callback(
      "--mine", [options] { options->list.set_mine(true); },
      Text("只要本部门的", "of the caller's department"));
  command->add_option_function<std::string>(
      "--state",
      [options](const std::string& name) {
        const auto* state = FindEnum(*v1::EntryState_descriptor(), name);
        if (state == nullptr || state->number() == 0)
          throw CLI::ValidationError("--state", EnumNames(*v1::EntryState_descriptor()));
        options->list.set_state(static_cast<v1::EntryState>(state->number()));
      },
      Text("状态：draft、published 等", "state: draft, published, ..."));
  command->add_option("--class", options->classes,
                      Text("分类代码或其前几位", "class codes, or how they begin"));
  command->add_flag("--draft", options->draft,
                    Text("有在编草稿的取草稿", "the draft where there is one"));
  command->callback([invocation, options] {
    invocation->action = [invocation, options] { return RunExport(*invocation, *options); };
  });

  auto* empty = catalog->add_subcommand(
      "template", Text("导入模板，带下拉选项", "an empty sheet with drop-downs"));
  const auto out = std::make_shared<std::string>();
  empty->add_option("--out", *out, ".xlsx")->required();
  empty->callback([invocation, out] {
    invocation->action = [invocation, out] { return RunTemplate(*invocation, *out); };
  });

  auto* draft = catalog->add_subcommand(
      "draft", Text("由样例数据生成条目文件", "an entry file from a sample of data"));
  const auto sample = std::make_shared<std::string>();
  const auto yaml = std::make_shared<std::string>();
  draft->add_option("SAMPLE", *sample, ".csv, .xlsx")->required();
  draft->add_option("--out", *yaml,
                    Text("条目文件（.yaml），默认输出到屏幕", "entry file (.yaml)"));
  draft->callback([invocation, sample, yaml] {
    invocation->action = [invocation, sample, yaml] {
      return RunDraft(*invocation, *sample, *yaml);
    };
  });
}

}  // namespace guantong
