// codelist import, list, show, map, close: code lists in versions, and mappings between them.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/status.h"
#include "guantong/v1/code_list.pb.h"
#include "node/cli/connection.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/words.h"
#include "node/form/json_form.h"
#include "node/language.h"
#include "node/sheets/code_files.h"

namespace guantong {
namespace {

Table ListTable(const v1::ListCodeListsResponse& lists) {
  Table table({{"key", Text("字典", "code list")},
               {"name", Text("名称", "name")},
               {"standard", Text("标准", "standard")},
               {"items", Text("代码数", "codes"), true},
               {"node", Text("发布", "published by")},
               {"published_at", Text("时间", "at")},
               {"state", Text("状态", "state")}});
  for (const v1::HeldCodeList& held : lists.lists()) {
    const v1::CodeList& list = held.list();
    table.Add({list.key(), list.name(), list.standard(), Count(held.items()), held.node_name(),
               Date(list.has_published_at(), list.published_at()),
               !list.closed() ? std::string(held.above() ? "" : Text("下级的", "of below"))
               : list.successor().empty()
                   ? std::string(Text("已停用", "closed"))
                   : absl::StrCat(Text("已停用，改用 ", "closed, use "), list.successor())});
  }
  for (const v1::HeldCodeMap& map : lists.maps()) {
    table.Add({absl::StrCat(map.from(), " > ", map.to()), Text("映射", "mapping"), "",
               Count(map.pairs()), map.node_name(), "", ""});
  }
  return table;
}

absl::Status RunList(const Invocation& invocation, v1::ListCodeListsRequest request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  v1::ListCodeListsResponse all;
  do {
    GT_ASSIGN_OR_RETURN(const auto page, connection->Call<v1::ListCodeListsResponse>(
                                             "guantong.v1.CodeListService.List", request));
    all.MergeFrom(page);
    request.set_page_token(page.next_page_token());
    all.set_next_page_token("");
  } while (!request.page_token().empty());
  Emit(invocation, ToJson(all), ListTable(all));
  if (all.lists().empty()) Say(Text("还没有字典：codelist import", "none yet: codelist import"));
  return absl::OkStatus();
}

absl::Status RunShow(const Invocation& invocation, v1::ShowCodeListRequest request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  v1::ShowCodeListResponse all;
  do {
    GT_ASSIGN_OR_RETURN(auto page, connection->Call<v1::ShowCodeListResponse>(
                                       "guantong.v1.CodeListService.Show", request));
    request.set_page_token(page.next_page_token());
    // The version that was found, though a newer one may come meanwhile.
    request.set_key(page.list().list().key());
    if (!all.has_list()) {
      all = std::move(page);
    } else {
      all.mutable_list()->mutable_list()->mutable_items()->MergeFrom(page.list().list().items());
    }
    all.set_next_page_token("");
  } while (!request.page_token().empty());
  const v1::CodeList& list = all.list().list();
  Table table({{"code", Text("代码", "code")},
               {"name", Text("名称", "name")},
               {"parent", Text("上级", "parent")},
               {"note", Text("说明", "note")}});
  for (const v1::CodeListItem& item : list.items())
    table.Add({item.code(), item.name(), item.parent(), item.note()});
  if (invocation.output == OutputFormat::kTable) {
    Say(absl::StrCat(list.key(), "  ", list.name(), "  ", list.standard(), "  ", all.list().items(),
                     Text(" 个代码，发布：", " codes, published by "), all.list().node_name(),
                     Text("；版本：", "; versions: "), absl::StrJoin(all.versions(), " ")));
    if (list.closed()) {
      Say(absl::StrCat(Text("已停用 ", "closed "), list.successor().empty() ? "" : "→ ",
                       list.successor(), " ", list.note()));
    }
  }
  Emit(invocation, ToJson(all), table);
  return absl::OkStatus();
}

void SayProblems(const google::protobuf::RepeatedPtrField<v1::Problem>& problems) {
  constexpr int kSaidMax = 10;
  for (int i = 0; i < problems.size() && i < kSaidMax; ++i) {
    Say(absl::StrCat(Text("第 ", "row "), problems[i].place().row(), Text(" 行：", ": "),
                     problems[i].text()));
  }
  if (problems.size() > kSaidMax) Say(Text("其余见 -o json", "the others are in -o json"));
}

absl::Status InFile(const absl::Status& status, const std::string& file) {
  return absl::IsInvalidArgument(status) ? Annotate(status, file) : status;
}

absl::Status RunImport(const Invocation& invocation, const std::string& file,
                       const v1::ImportCodeListRequest& asked) {
  GT_ASSIGN_OR_RETURN(v1::ImportCodeListRequest request, ReadCodeListFile(file));
  request.mutable_list()->MergeFrom(asked.list());
  request.set_dry_run(asked.dry_run());
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  auto answer =
      connection->Call<v1::ImportCodeListResponse>("guantong.v1.CodeListService.Import", request);
  if (!answer.ok()) return InFile(answer.status(), file);
  for (v1::Problem& problem : *answer->mutable_problems()) problem.mutable_place()->set_file(file);
  Table table = Facts();
  table.Add({Text("字典", "code list"), answer->list().list().key()});
  table.Add({Text("代码数", "codes"), Count(answer->list().items())});
  table.Add({Text("结果", "result"), answer->same() ? Text("已有，内容相同", "there already")
                                     : asked.dry_run() ? Text("可以导入", "may be imported")
                                                       : Text("已发布", "published")});
  if (!answer->previous().empty()) table.Add({Text("对比", "against"), answer->previous()});
  table.Add({Text("新增", "added"), Count(answer->added())});
  table.Add({Text("去掉", "removed"), Count(answer->removed())});
  table.Add({Text("改名", "renamed"), Count(answer->renamed())});
  Emit(invocation, ToJson(*answer), table);
  SayProblems(answer->problems());
  return absl::OkStatus();
}

absl::Status RunImportMap(const Invocation& invocation, const std::string& file,
                          const v1::MapCodesRequest& asked, bool dry_run) {
  GT_ASSIGN_OR_RETURN(v1::ImportCodeMapRequest request, ReadCodeMapFile(file));
  request.mutable_map()->set_from(asked.from());
  request.mutable_map()->set_to(asked.to());
  request.set_dry_run(dry_run);
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  const auto answer =
      connection->Call<v1::ImportCodeMapResponse>("guantong.v1.CodeListService.ImportMap", request);
  if (!answer.ok()) return InFile(answer.status(), file);
  Table table = Facts();
  table.Add({Text("映射", "mapping"), answer->key()});
  table.Add({Text("行数", "rows"), Count(answer->pairs())});
  table.Add({Text("没有去向的代码", "codes that lead nowhere"), Count(answer->unmapped())});
  Emit(invocation, ToJson(*answer), table);
  if (answer->unmapped() > 0) {
    constexpr int kSaidMax = 20;
    std::vector<std::string> said(answer->unmapped_codes().begin(), answer->unmapped_codes().end());
    const bool cut = said.size() > kSaidMax;
    if (cut) said.resize(kSaidMax);
    Say(absl::StrCat(Text("没有去向：", "lead nowhere: "), absl::StrJoin(said, " "),
                     cut ? " …" : ""));
  }
  return absl::OkStatus();
}

std::string HowText(const v1::MappedCode& code) {
  switch (code.by()) {
    case v1::MAPPED_BY_MAP:
      return "";
    case v1::MAPPED_BY_SAME_CODE:
      return Text("未变", "unchanged");
    case v1::MAPPED_BY_ENDED:
      return Text("已废止", "ended");
    case v1::MAPPED_BY_NO_CODE:
      return Text("原版本没有这个代码", "no such code");
    default:
      return Text("没有去向", "leads nowhere");
  }
}

absl::Status RunMap(const Invocation& invocation, v1::MapCodesRequest request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  v1::MapCodesResponse all;
  do {
    GT_ASSIGN_OR_RETURN(const auto page, connection->Call<v1::MapCodesResponse>(
                                             "guantong.v1.CodeListService.Map", request));
    all.MergeFrom(page);
    request.set_page_token(page.next_page_token());
    all.set_next_page_token("");
  } while (!request.page_token().empty());
  Table table({{"from", Text("原代码", "from")},
               {"from_name", Text("名称", "name")},
               {"to", Text("新代码", "to")},
               {"to_name", Text("名称", "name")},
               {"by", Text("情况", "how")},
               {"note", Text("说明", "note")}});
  for (const v1::MappedCode& code : all.codes()) {
    for (const v1::CodeListItem& to : code.to()) {
      table.Add({code.from(), code.from_name(), to.code(), to.name(), HowText(code), to.note()});
    }
    if (code.to().empty())
      table.Add({code.from(), code.from_name(), "", "", HowText(code), code.note()});
  }
  Emit(invocation, ToJson(all), table);
  if (!all.via().empty()) {
    Say(absl::StrCat(Text("两个版本之间没有直接的映射，经过 ", "no mapping between the two, over "),
                     absl::StrJoin(all.via(), Text("、", ", "))));
  }
  return absl::OkStatus();
}

absl::Status RunClose(const Invocation& invocation, const v1::CloseCodeListRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto closed, connection->Call<v1::HeldCodeList>(
                                             "guantong.v1.CodeListService.Close", request));
  v1::ListCodeListsResponse one;
  *one.add_lists() = closed;
  Emit(invocation, ToJson(closed), ListTable(one));
  return absl::OkStatus();
}

void AddImport(CLI::App* codelist, Invocation* invocation) {
  auto* load = codelist->add_subcommand(
      "import", Text("发布一个版本（列：代码、名称，可有上级代码、说明）",
                     "publish a version (columns code, name, and maybe parent, note)"));
  const auto file = std::make_shared<std::string>();
  const auto request = std::make_shared<v1::ImportCodeListRequest>();
  v1::CodeList* list = request->mutable_list();
  load->add_option("FILE", *file, Text("代码文件（.xlsx、.csv）", "file of codes (.xlsx, .csv)"))
      ->required();
  load->add_option("--id", *list->mutable_id(),
                   Text("字典编号，如 GBT2261.1", "id, like GBT2261.1"))
      ->required();
  load->add_option("--version", *list->mutable_version(),
                   Text("版本，如 2003；发布后不改", "version, like 2003; never changed"))
      ->required();
  load->add_option("--name", *list->mutable_name(), Text("名称", "name"))->required();
  load->add_option("--standard", *list->mutable_standard(),
                   Text("标准号，如 GB/T 2261.1", "standard, like GB/T 2261.1"));
  load->add_flag_callback(
      "--dry-run", [request] { request->set_dry_run(true); }, Text("只检查", "check only"));
  load->callback([invocation, file, request] {
    invocation->action = [invocation, file, request] {
      return RunImport(*invocation, *file, *request);
    };
  });
}

void AddMap(CLI::App* codelist, Invocation* invocation) {
  auto* map = codelist->add_subcommand(
      "map", Text("代码在另一版本（或另一字典）中是什么；--import 登记映射",
                  "what codes are in another version or list; --import registers a mapping"));
  const auto request = std::make_shared<v1::MapCodesRequest>();
  const auto codes = std::make_shared<std::vector<std::string>>();
  const auto file = std::make_shared<std::string>();
  const auto dry_run = std::make_shared<bool>(false);
  map->add_option("FROM", *request->mutable_from(), Text("原字典 ID@版本", "ID@version"))
      ->required();
  map->add_option("TO", *request->mutable_to(), Text("目标字典 ID@版本", "ID@version"))->required();
  map->add_option("CODE", *codes,
                  Text("原字典的代码；不写则全部。没有写进映射、两版都有的代码不变",
                       "codes of FROM; none: all. One that no mapping names and both versions "
                       "have stands for itself"));
  auto* load = map->add_option(
      "--import", *file,
      Text("映射文件（列：原代码、新代码，可有说明；已废止的新代码留空）",
           "file of the mapping (columns from, to, maybe note; no `to` where a code has ended)"));
  map->add_flag("--dry-run", *dry_run, Text("只检查", "check only"))->needs(load);
  map->callback([invocation, request, codes, file, dry_run] {
    invocation->action = [invocation, request, codes, file, dry_run] {
      if (!file->empty()) return RunImportMap(*invocation, *file, *request, *dry_run);
      for (const std::string& code : *codes) request->add_codes(code);
      return RunMap(*invocation, *request);
    };
  });
}

}  // namespace

void AddCodeLists(CLI::App* app, Invocation* invocation) {
  auto* codelist =
      app->add_subcommand("codelist", Text("字典：代码表及其版本", "code lists in versions"));
  codelist->require_subcommand(1);
  AddImport(codelist, invocation);
  AddMap(codelist, invocation);

  auto* list = codelist->add_subcommand("list", Text("已知的字典和映射", "what is known here"));
  const auto listed = std::make_shared<v1::ListCodeListsRequest>();
  list->add_option("ID", *listed->mutable_id(), Text("只看这个字典的版本", "versions of this one"));
  list->add_flag_callback(
      "--all", [listed] { listed->set_all(true); },
      Text("也列下级节点发布的", "those of nodes below as well"));
  list->callback([invocation, listed] {
    invocation->action = [invocation, listed] { return RunList(*invocation, *listed); };
  });

  auto* show = codelist->add_subcommand(
      "show", Text("一个版本的代码；不写版本为最新的现行版本",
                   "codes of a version; without one the newest that is not closed"));
  const auto shown = std::make_shared<v1::ShowCodeListRequest>();
  show->add_option("KEY", *shown->mutable_key(), "ID[@VERSION]")->required();
  show->add_option("--code", *shown->mutable_code(),
                   Text("只看这个代码及其上级", "this code and what it stands below"));
  show->add_option("--at", *shown->mutable_at(),
                   Text("按该路径的节点所知", "as the node at this path knows it"));
  show->callback([invocation, shown] {
    invocation->action = [invocation, shown] { return RunShow(*invocation, *shown); };
  });

  auto* close = codelist->add_subcommand(
      "close", Text("停用一个版本，指明接替者", "close a version, with a successor"));
  const auto closed = std::make_shared<v1::CloseCodeListRequest>();
  close->add_option("KEY", *closed->mutable_key(), "ID@VERSION")->required();
  close->add_option("--successor", *closed->mutable_successor(),
                    Text("改用的 ID@版本", "ID@version to use in its place"));
  close->add_option("--reason", *closed->mutable_reason(), Text("原因", "reason"));
  close->callback([invocation, closed] {
    invocation->action = [invocation, closed] { return RunClose(*invocation, *closed); };
  });
}

}  // namespace guantong
