// catalog submit, recall, approve, return, refuse, publish, suspend, withdraw, bind, unbind,
// history, diff; todo, mine, why.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/catalog.pb.h"
#include "guantong/v1/review.pb.h"
#include "node/cli/connection.h"
#include "node/cli/entry_table.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/words.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

template <typename Request>
absl::Status RunChange(const Invocation& invocation, const char* method, const Request& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto entry, connection->Call<v1::CatalogEntry>(method, request));
  for (const v1::Problem& warning : entry.warnings()) Say(ProblemText(warning));
  EmitEntry(invocation, entry);
  return absl::OkStatus();
}

// A command of CODE and --reason, one rpc.
template <typename Request>
void AddChange(CLI::App* catalog, Invocation* invocation, const char* name, const char* description,
               const char* method) {
  auto* command = catalog->add_subcommand(name, description);
  const auto request = std::make_shared<Request>();
  command->add_option("CODE", *request->mutable_code(), Text("资源代码", "resource code"))
      ->required();
  command->add_option("--reason", *request->mutable_reason(), Text("原因", "reason"));
  command->callback([invocation, request, method] {
    invocation->action = [invocation, request, method] {
      return RunChange(*invocation, method, *request);
    };
  });
}

TableCell DaysLeft(bool has_term, int days, const std::string& due) {
  if (!has_term) return "";
  const std::string number = absl::StrCat(days);
  if (days < 0) return {absl::StrCat(Text("超期 ", "overdue "), -days), number};
  return {absl::StrCat(days, Text(" 个工作日，至 ", " working days, until "), due), number};
}

Table ActTable(const v1::HistoryResponse& history) {
  Table table({{"number", Text("序号", "no"), true},
               {"at", Text("时间", "at")},
               {"kind", Text("动作", "act")},
               {"version", Text("版本", "version"), true},
               {"department", Text("部门", "department")},
               {"person", Text("人员", "person")},
               {"to", Text("状态", "state")},
               {"reason", Text("原因", "reason")}});
  for (const v1::Act& act : history.acts()) {
    table.Add({absl::StrCat(act.number()), Date(act.has_at(), act.at()), ActCell(act.kind()),
               absl::StrCat(act.version()), act.by().department(),
               act.by().person_name().empty() ? act.by().role() : act.by().person_name(),
               StateCell(act.to()), act.reason()});
  }
  return table;
}

absl::Status RunHistory(const Invocation& invocation, const v1::HistoryRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto history, connection->Call<v1::HistoryResponse>(
                                              "guantong.v1.ReviewService.History", request));
  Emit(invocation, ToJson(history), ActTable(history));
  return absl::OkStatus();
}

absl::Status RunDiff(const Invocation& invocation, const v1::DiffRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto diff, connection->Call<v1::DiffResponse>(
                                           "guantong.v1.ReviewService.Diff", request));
  Table table({{"label", Text("元数据项", "element")},
               {"before", absl::StrCat(Text("第 ", "version "), diff.from(), Text(" 版", ""))},
               {"after", diff.draft()
                             ? std::string(Text("草稿", "draft"))
                             : absl::StrCat(Text("第 ", "version "), diff.to(), Text(" 版", ""))}});
  for (const v1::Change& change : diff.changes())
    table.Add({{change.label(), change.element()}, change.before(), change.after()});
  Emit(invocation, ToJson(diff), table);
  if (diff.changes().empty()) Say(Text("没有差别", "no difference"));
  return absl::OkStatus();
}

Table TodoTable(const google::protobuf::RepeatedPtrField<v1::TodoItem>& items) {
  Table table({{"code", Text("代码", "code")},
               {"name", Text("名称", "name")},
               {"provider", Text("提供方", "provider")},
               {"what", Text("待办", "to do")},
               {"days_left", Text("剩余", "left")},
               {"reason", Text("退回意见", "returned because")},
               {"next", Text("下一步", "next")}});
  for (const v1::TodoItem& item : items) {
    table.Add({item.code(), item.name(), item.provider(), item.what(),
               DaysLeft(item.has_term(), item.days_left(), item.due()), item.reason(),
               item.next()});
  }
  return table;
}

absl::Status RunTodo(const Invocation& invocation) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto todo, connection->Call<v1::TodoResponse>(
                                           "guantong.v1.ReviewService.Todo", v1::TodoRequest()));
  Emit(invocation, ToJson(todo), TodoTable(todo.items()));
  if (todo.items().empty()) Say(Text("没有待办", "nothing to do"));
  if (!todo.note().empty()) Say(todo.note());
  return absl::OkStatus();
}

absl::Status RunMine(const Invocation& invocation) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto mine, connection->Call<v1::MineResponse>(
                                           "guantong.v1.ReviewService.Mine", v1::MineRequest()));
  Table table = Facts();
  table.Add({Text("部门", "department"), mine.department()});
  table.Add({Text("区划", "division"), mine.division()});
  for (const v1::StateCount& count : mine.states())
    table.Add({StateCell(count.state()), Count(count.entries())});
  table.Add({Text("已发布未挂接", "published, unbound"), Count(mine.unbound())});
  table.Add({Text("有新版本在编", "with a draft beside"), Count(mine.changing())});
  table.Add({Text("待办", "to do"), Count(mine.todo())});
  Emit(invocation, ToJson(mine), table);
  return absl::OkStatus();
}

absl::Status RunWhy(const Invocation& invocation, const v1::WhyRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto why,
                      connection->Call<v1::WhyResponse>("guantong.v1.ReviewService.Why", request));
  Table table = Facts();
  table.Add({Text("条目", "entry"), absl::StrCat(why.code(), "  ", why.name())});
  table.Add({Text("状态", "state"), StateCell(why.state())});
  if (why.in_force() != v1::ENTRY_STATE_UNSPECIFIED && why.in_force() != why.state())
    table.Add({Text("现行版本", "in force"), StateCell(why.in_force())});
  table.Add({Text("情况", "where"), why.text()});
  table.Add({Text("在谁手上", "with"), why.with()});
  table.Add({Text("自", "since"), Date(why.has_since(), why.since())});
  if (why.has_term()) table.Add({Text("剩余", "left"), DaysLeft(true, why.days_left(), why.due())});
  if (!why.reason().empty()) table.Add({Text("原因", "reason"), why.reason()});
  if (!why.next().empty()) table.Add({Text("下一步", "next"), why.next()});
  Emit(invocation, ToJson(why), table);
  return absl::OkStatus();
}

void AddBindings(CLI::App* catalog, Invocation* invocation) {
  auto* bind = catalog->add_subcommand(
      "bind", Text("挂接资源，立即生效", "bind a resource, in force at once"));
  const auto bound = std::make_shared<v1::BindRequest>();
  v1::Resource* resource = bound->mutable_resource();
  bind->add_option("CODE", *bound->mutable_code(), Text("资源代码", "resource code"))->required();
  bind->add_option_function<std::string>(
          "--mode",
          [resource](const std::string& name) {
            const auto* mode = FindEnum(*v1::SharingMode_descriptor(), name);
            if (mode == nullptr || mode->number() == 0)
              throw CLI::ValidationError("--mode", EnumNames(*v1::SharingMode_descriptor()));
            resource->set_mode(static_cast<v1::SharingMode>(mode->number()));
          },
          Text("方式：table、file、service", "table, file, service"))
      ->required();
  bind->add_option("--format", *resource->mutable_format(),
                   Text("信息资源格式代码，如 0310", "format code, e.g. 0310"))
      ->required();
  bind->add_option("--id", *resource->mutable_id(), Text("资源编号", "id within the entry"));
  bind->add_option("--name", *resource->mutable_name(), Text("名称", "name"));
  bind->callback([invocation, bound] {
    invocation->action = [invocation, bound] {
      return RunChange(*invocation, "guantong.v1.CatalogService.Bind", *bound);
    };
  });
  AddChange<v1::UnbindRequest>(catalog, invocation, "unbind",
                               Text("解除挂接（CODE:id），数据随之关闭", "unbind CODE:id"),
                               "guantong.v1.CatalogService.Unbind");
}

}  // namespace

void AddLifecycle(CLI::App* catalog, Invocation* invocation) {
  const auto review = [&](const char* name, const char* text, const char* method) {
    AddChange<v1::ReviewRequest>(catalog, invocation, name, text, method);
  };
  review("submit", Text("提交审核", "submit the draft"), "guantong.v1.ReviewService.Submit");
  review("recall", Text("撤回提交", "take it back"), "guantong.v1.ReviewService.Recall");
  review("approve", Text("审核通过", "approve"), "guantong.v1.ReviewService.Approve");
  review("return", Text("退回修改，须说明原因", "back to draft, with a reason"),
         "guantong.v1.ReviewService.Return");
  review("refuse", Text("拒绝，草稿结束，须说明原因", "end the draft, with a reason"),
         "guantong.v1.ReviewService.Refuse");
  const auto change = [&](const char* name, const char* text, const char* method) {
    AddChange<v1::EntryRequest>(catalog, invocation, name, text, method);
  };
  change("publish", Text("发布；已下架的恢复", "publish; what is suspended comes back"),
         "guantong.v1.CatalogService.Publish");
  change("suspend", Text("下架，可恢复", "out of use until published again"),
         "guantong.v1.CatalogService.Suspend");
  change("withdraw", Text("注销，数据随之关闭", "end the entry; its datasets close"),
         "guantong.v1.CatalogService.Withdraw");
  AddBindings(catalog, invocation);

  auto* history = catalog->add_subcommand("history", Text("谁、何时、为何", "who, when, why"));
  const auto code = std::make_shared<v1::HistoryRequest>();
  history->add_option("CODE", *code->mutable_code(), Text("资源代码", "resource code"))->required();
  history->callback([invocation, code] {
    invocation->action = [invocation, code] { return RunHistory(*invocation, *code); };
  });
  auto* diff = catalog->add_subcommand("diff", Text("两个版本的差别", "how two versions differ"));
  const auto versions = std::make_shared<v1::DiffRequest>();
  diff->add_option("CODE", *versions->mutable_code(), Text("资源代码", "resource code"))
      ->required();
  diff->add_option_function<uint64_t>(
      "--from", [versions](uint64_t from) { versions->set_from(from); },
      Text("旧版本号", "the older version"));
  diff->add_option_function<uint64_t>(
      "--to", [versions](uint64_t to) { versions->set_to(to); },
      Text("新版本号，默认草稿或现行版本", "the newer, default the draft or the one in force"));
  diff->callback([invocation, versions] {
    invocation->action = [invocation, versions] { return RunDiff(*invocation, *versions); };
  });
}

void AddWork(CLI::App* app, Invocation* invocation) {
  auto* todo = app->add_subcommand("todo", Text("我的待办，含剩余工作日", "what waits for me"));
  todo->callback(
      [invocation] { invocation->action = [invocation] { return RunTodo(*invocation); }; });
  auto* mine = app->add_subcommand("mine", Text("本部门目录概况", "my department at a glance"));
  mine->callback(
      [invocation] { invocation->action = [invocation] { return RunMine(*invocation); }; });
  auto* why = app->add_subcommand(
      "why", Text("卡在哪里、在谁手上、下一步", "where it is stuck, with whom, what next"));
  const auto code = std::make_shared<v1::WhyRequest>();
  why->add_option("CODE", *code->mutable_code(), Text("资源代码", "resource code"))->required();
  why->callback([invocation, code] {
    invocation->action = [invocation, code] { return RunWhy(*invocation, *code); };
  });
}

}  // namespace guantong
