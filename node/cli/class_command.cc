// catalog classes: the class tree, walked, imported, delegated, closed.
#include <CLI/CLI.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/class.pb.h"
#include "node/cli/connection.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/form/json_form.h"
#include "node/language.h"
#include "node/sheets/code_files.h"

namespace guantong {
namespace {

Table ClassTable(const std::vector<v1::ClassNode>& nodes) {
  Table table({{"code", Text("代码", "code")},
               {"name", Text("名称", "name")},
               {"state", Text("状态", "state")},
               {"delegate", Text("授权给", "delegated to")},
               {"note", Text("说明", "note")}});
  for (const v1::ClassNode& node : nodes) {
    table.Add({node.code(), node.name(),
               node.closed()
                   ? (node.successor().empty()
                          ? std::string(Text("已关闭", "closed"))
                          : absl::StrCat(Text("已关闭，改用 ", "closed, use "), node.successor()))
               : node.suspicious() ? std::string(Text("可疑", "suspicious"))
                                   : "",
               absl::StrCat(node.delegate_path(), node.delegate_division().empty() ? "" : " ",
                            node.delegate_division()),
               node.note()});
  }
  return table;
}

absl::Status RunClasses(const Invocation& invocation, const v1::ClassesRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto classes, connection->Call<v1::ClassesResponse>(
                                              "guantong.v1.ClassService.Classes", request));
  if (classes.has_class_() && invocation.output == OutputFormat::kTable) {
    std::string way;
    for (const v1::ClassNode& above : classes.ancestors())
      absl::StrAppend(&way, above.name(), " > ");
    Say(absl::StrCat(way, classes.class_().name(), " (", classes.class_().code(), ")"));
  }
  Emit(invocation, ToJson(classes),
       ClassTable({classes.children().begin(), classes.children().end()}));
  if (classes.known() == 0)
    Say(Text("还没有分类树；管理节点用 classes import 导入", "no tree yet: classes import"));
  if (!classes.next_page_token().empty() && invocation.output == OutputFormat::kTable) {
    Say(absl::StrCat(Text("还有更多：加 --page-token ", "there is more: --page-token "),
                     classes.next_page_token()));
  }
  return absl::OkStatus();
}

absl::Status RunImport(const Invocation& invocation, const std::string& file, bool dry_run) {
  GT_ASSIGN_OR_RETURN(v1::ImportClassesRequest request, ReadClassFile(file));
  request.set_dry_run(dry_run);
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  absl::StatusOr<v1::ImportClassesResponse> answer =
      connection->Call<v1::ImportClassesResponse>("guantong.v1.ClassService.Import", request);
  if (!answer.ok()) {
    return absl::IsInvalidArgument(answer.status()) ? Annotate(answer.status(), file)
                                                    : answer.status();
  }
  for (v1::Problem& problem : *answer->mutable_problems()) problem.mutable_place()->set_file(file);
  Table table = Facts();
  table.Add({Text("新增", "added"), Count(answer->added())});
  table.Add({Text("修改", "changed"), Count(answer->changed())});
  table.Add({Text("相同", "same"), Count(answer->same())});
  table.Add({Text("可疑", "suspicious"), Count(answer->suspicious())});
  Emit(invocation, ToJson(*answer), table);
  constexpr int kSaidMax = 10;
  for (int i = 0; i < answer->problems_size() && i < kSaidMax; ++i) {
    Say(absl::StrCat(Text("第 ", "row "), answer->problems(i).place().row(), Text(" 行：", ": "),
                     answer->problems(i).text()));
  }
  if (answer->problems_size() > kSaidMax) Say(Text("其余见 -o json", "the others are in -o json"));
  return absl::OkStatus();
}

template <typename Request>
absl::Status RunChange(const Invocation& invocation, const char* method, const Request& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto node, connection->Call<v1::ClassNode>(method, request));
  Emit(invocation, ToJson(node), ClassTable({node}));
  return absl::OkStatus();
}

}  // namespace

void AddClasses(CLI::App* catalog, Invocation* invocation) {
  auto* classes = catalog->add_subcommand("classes", Text("分类树", "the class tree"));
  classes->require_subcommand(0, 1);
  const auto shown = std::make_shared<v1::ClassesRequest>();
  classes->add_option("CODE", *shown->mutable_code(), Text("分类代码", "class code"));
  classes->add_option(
      "--name", *shown->mutable_name(),
      Text("按名称找，或按一路名称：部门/民政", "by name, or by a way of names: A/B"));
  classes->add_option_function<uint32_t>(
      "--limit", [shown](uint32_t limit) { shown->set_limit(limit); }, Text("最多几条", "at most"));
  classes->add_option("--page-token", *shown->mutable_page_token(),
                      Text("接着上一页", "where the last page ended"));
  classes->callback([invocation, shown, classes] {
    if (!classes->get_subcommands().empty()) return;
    invocation->action = [invocation, shown] { return RunClasses(*invocation, *shown); };
  });

  auto* load = classes->add_subcommand(
      "import", Text("导入分类（代码、名称、上级代码）", "import code, name, parent code"));
  const auto file = std::make_shared<std::string>();
  const auto dry_run = std::make_shared<bool>(false);
  load->add_option("FILE", *file, Text("分类文件（.xlsx、.csv）", "file of classes (.xlsx, .csv)"))
      ->required();
  load->add_flag("--dry-run", *dry_run, Text("只检查", "check only"));
  load->callback([invocation, file, dry_run] {
    invocation->action = [invocation, file, dry_run] {
      return RunImport(*invocation, *file, *dry_run);
    };
  });

  auto* delegate = classes->add_subcommand(
      "delegate", Text("把分类以下授权给下级节点", "let a node below govern what is under it"));
  const auto delegated = std::make_shared<v1::DelegateClassRequest>();
  delegate->add_option("CODE", *delegated->mutable_code(), Text("分类代码", "class code"))
      ->required();
  delegate->add_option("--to", *delegated->mutable_to(),
                       Text("节点路径；不写也不写区划则收回",
                            "path of the node; none, and no division, takes it back"));
  delegate->add_option("--division", *delegated->mutable_division(),
                       Text("该节点（不写 --to 则本节点）托管的区划：分类只归这个区划的部门",
                            "hosted on that node, without --to on this one: the class is its "
                            "departments' alone"));
  delegate->callback([invocation, delegated] {
    invocation->action = [invocation, delegated] {
      return RunChange(*invocation, "guantong.v1.ClassService.Delegate", *delegated);
    };
  });

  auto* close = classes->add_subcommand(
      "close", Text("关闭分类，指明接替者", "close a class, with a successor"));
  const auto closed = std::make_shared<v1::CloseClassRequest>();
  close->add_option("CODE", *closed->mutable_code(), Text("分类代码", "class code"))->required();
  close->add_option("--successor", *closed->mutable_successor(),
                    Text("接替的分类", "the class to use in its place"));
  close->add_option("--reason", *closed->mutable_reason(), Text("原因", "reason"));
  close->callback([invocation, closed] {
    invocation->action = [invocation, closed] {
      return RunChange(*invocation, "guantong.v1.ClassService.Close", *closed);
    };
  });
}

}  // namespace guantong
