// tree, status, links: where a node stands.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "guantong/v1/node.pb.h"
#include "node/cli/connection.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/upkeep_facts.h"
#include "node/cli/words.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

absl::Status RunTree(const Invocation& invocation) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto tree, connection->Call<v1::TreeResponse>(
                                           "guantong.v1.NodeService.Tree", v1::TreeRequest()));
  Table table({{"path", Text("节点", "node")},
               {"division", Text("区划", "division")},
               {"name", Text("名称", "name")},
               {"level", Text("级别", "level")},
               {"link", Text("链路", "link")},
               {"node_id", Text("标识", "id")}});
  for (const v1::TreeNode& node : tree.nodes()) {
    size_t depth = node.path().empty() ? 0 : 1;
    for (const char c : node.path()) depth += c == '/';
    const absl::string_view path(node.path());
    const size_t slash = path.rfind('/');
    const absl::string_view label =
        slash == absl::string_view::npos ? path : path.substr(slash + 1);
    table.Add({{absl::StrCat(std::string(2 * depth, ' '), path.empty() ? "/" : label,
                             node.self() ? " *" : ""),
                ShownPath(path)},
               node.division(),
               node.name(),
               LevelCell(node.level()),
               LinkCell(node.link()),
               {HexOf(node.node_id()).substr(0, 8), HexOf(node.node_id())}});
  }
  Emit(invocation, ToJson(tree), table);
  return absl::OkStatus();
}

std::string LinkSummary(const v1::LinkInfo& link) {
  return absl::StrCat(link.name(), " ", ShownPath(link.path()), " ", link.address(), "  ",
                      LinkCell(link.state()).shown, " ", Age(link.has_since(), link.since()).shown,
                      link.text().empty() ? "" : Text("；", "; "), link.text());
}

Table StatusTable(const v1::StatusResponse& status) {
  Table table = Facts();
  table.Add({Text("节点", "node"), absl::StrCat(status.name(), "  ", ShownPath(status.path()))});
  table.Add({Text("标识", "id"), HexOf(status.node_id())});
  table.Add({Text("网络", "network"), HexOf(status.network())});
  table.Add({Text("区划与级别", "division, level"),
             absl::StrCat(status.division(), "  ", LevelCell(status.level()).shown)});
  table.Add({Text("监听", "listens at"), status.listen()});
  table.Add({Text("版本", "version"), status.version()});
  table.Add({Text("启动", "started"), Age(status.has_started_at(), status.started_at())});
  table.Add({Text("上级", "parent"), status.has_parent() ? LinkSummary(status.parent())
                                                         : Text("无（根节点）", "none: the root")});
  table.Add({Text("下级", "children"), absl::StrCat(status.children_up(), "/", status.children())});
  table.Add({Text("目录条目", "entries"),
             absl::StrCat(status.entries(), Text("（本级 ", " (own "), status.entries_own(),
                          Text("，草稿 ", ", drafts "), status.drafts(), Text("）", ")"))});
  table.Add({Text("数据流", "feeds"), Count(status.feeds())});
  table.Add({Text("订阅", "subscriptions"), Count(status.subscriptions())});
  table.Add({Text("内存", "memory"), ByteCount(status.memory_bytes())});
  table.Add({Text("磁盘", "disk"), ByteCount(status.disk_bytes())});
  table.Add({Text("证书到期", "certificate ends"),
             Date(status.has_certificate_ends(), status.certificate_ends())});
  table.Add({Text("拒收帧", "frames rejected"), Count(status.frames_rejected())});
  AddUpkeepFacts(status, &table);
  for (const v1::Department& department : status.departments()) {
    table.Add({Text("部门", "department"),
               absl::StrCat(department.name(), "  ", department.uscc(), "  ", department.division(),
                            department.supervising() ? Text("  主管部门", "  supervising") : "")});
  }
  for (const v1::Refusal& refusal : status.refusals()) {
    table.Add({refusal.by_us() ? Text("拒绝", "refused") : Text("被拒绝", "refused by"),
               absl::StrCat(Age(refusal.has_at(), refusal.at()).shown, "  ", refusal.peer(), "  ",
                            refusal.text(), " [", refusal.check(), "]  ", refusal.remedy())});
  }
  return table;
}

absl::Status RunStatus(const Invocation& invocation) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(
      const auto status,
      connection->Call<v1::StatusResponse>("guantong.v1.NodeService.Status", v1::StatusRequest()));
  Emit(invocation, ToJson(status), StatusTable(status));
  return absl::OkStatus();
}

absl::Status RunLinks(const Invocation& invocation) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto links, connection->Call<v1::LinksResponse>(
                                            "guantong.v1.NodeService.Links", v1::LinksRequest()));
  Table table({{"path", Text("对端", "peer")},
               {"name", Text("名称", "name")},
               {"role", Text("关系", "role")},
               {"state", Text("状态", "state")},
               {"since", Text("自", "since")},
               {"last_byte_at", Text("最近收到", "heard")},
               {"bytes_sent", Text("发出", "sent"), true},
               {"bytes_received", Text("收到", "received"), true},
               {"lag_records", Text("落后条数", "lag"), true},
               {"lag_bytes", Text("落后字节", "lag bytes"), true},
               {"lag_since", Text("落后", "behind")},
               {"ladder", Text("方式", "by")},
               {"disk_bytes", Text("占用/上限", "kept/budget"), true},
               {"address", Text("地址", "address")},
               {"text", Text("说明", "note")}});
  for (const v1::LinkInfo& link : links.links()) {
    table.Add({ShownPath(link.path()),
               link.name(),
               {link.parent() ? Text("上级", "parent") : Text("下级", "child"),
                link.parent() ? "parent" : "child"},
               LinkCell(link.state()),
               Age(link.has_since(), link.since()),
               Age(link.has_last_byte_at(), link.last_byte_at()),
               ByteCount(link.bytes_sent()),
               ByteCount(link.bytes_received()),
               Count(link.lag_records()),
               ByteCount(link.lag_bytes()),
               Age(link.has_lag_since(), link.lag_since()),
               LadderCell(link.ladder()),
               link.disk_budget_bytes() == 0
                   ? TableCell("")
                   : TableCell(absl::StrCat(ByteCount(link.disk_bytes()).shown, "/",
                                            ByteCount(link.disk_budget_bytes()).shown)),
               link.address(),
               link.text()});
  }
  Emit(invocation, ToJson(links), table);
  return absl::OkStatus();
}

}  // namespace

void AddNetwork(CLI::App* app, Invocation* invocation) {
  app->add_subcommand("tree", Text("全网节点树", "the tree of nodes"))->callback([invocation] {
    invocation->action = [invocation] { return RunTree(*invocation); };
  });
  app->add_subcommand("status", Text("本节点状态", "this node at a glance"))
      ->callback(
          [invocation] { invocation->action = [invocation] { return RunStatus(*invocation); }; });
  app->add_subcommand("links", Text("与上下级的链路", "links to parent and children"))
      ->callback(
          [invocation] { invocation->action = [invocation] { return RunLinks(*invocation); }; });
}

}  // namespace guantong
