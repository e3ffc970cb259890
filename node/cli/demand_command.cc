// demand register, list, show, answer, match, refuse, assign, close, count: what departments need
// from others.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/demand.pb.h"
#include "node/cli/connection.h"
#include "node/cli/demand_files.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/words.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

TableCell LeftCell(const v1::DemandView& view) {
  if (!view.has_term()) return "";
  const std::string number = absl::StrCat(view.days_left());
  if (view.days_left() < 0)
    return {absl::StrCat(Text("超期 ", "overdue "), -view.days_left()), number};
  return {absl::StrCat(number, Text(" 个工作日", " working days")), number};
}

std::string AskedText(const v1::Demand& demand) {
  if (demand.from().empty()) return Text("（不明）", "(unknown)");
  return demand.from_division().empty()
             ? demand.from()
             : absl::StrCat(demand.from(), " (", demand.from_division(), ")");
}

std::string AuthorityText(const v1::DemandView& view) {
  if (!view.escalated()) return "";
  return absl::StrCat(ShownPath(view.authority()), view.authority_division().empty() ? "" : " ",
                      view.authority_division());
}

Table ListTable(const google::protobuf::RepeatedPtrField<v1::DemandView>& demands) {
  Table table({{"id", Text("编号", "id")},
               {"what", Text("所需数据", "what")},
               {"department", Text("需求方", "needed by")},
               {"from", Text("问谁", "asked")},
               {"state", Text("状态", "state")},
               {"days_left", Text("剩余", "left")},
               {"authority", Text("已上报至", "gone up to")}});
  for (const v1::DemandView& view : demands) {
    table.Add({view.demand().id(), view.demand().what(), view.demand().department(),
               AskedText(view.demand()), DemandStateCell(view.state()), LeftCell(view),
               AuthorityText(view)});
  }
  return table;
}

std::string AnswerText(const v1::DemandAnswer& answer) {
  std::string text = absl::StrCat(answer.department(),
                                  answer.supervising() ? Text("（主管）", " (authority)") : "",
                                  "  ", DemandAnswerCell(answer.kind()).shown);
  for (const std::string& part :
       {answer.code(), answer.to(), answer.to_division(), answer.text()}) {
    if (!part.empty()) absl::StrAppend(&text, "  ", part);
  }
  return text;
}

void EmitView(const Invocation& invocation, const v1::DemandView& view) {
  const v1::Demand& demand = view.demand();
  Table table = Facts();
  table.Add({Text("编号", "id"), demand.id()});
  table.Add({Text("所需数据", "what"), demand.what()});
  table.Add(
      {Text("需求方", "needed by"), absl::StrCat(demand.department(), "  ", view.node_name())});
  table.Add({Text("问谁", "asked"), AskedText(demand)});
  table.Add({Text("依据", "basis"), demand.basis()});
  table.Add({Text("应用场景", "scenario"), demand.scenario()});
  table.Add({Text("更新频率", "frequency"), demand.frequency()});
  table.Add({Text("提出", "said"), Date(demand.has_at(), demand.at())});
  table.Add({Text("状态", "state"), DemandStateCell(view.state())});
  if (view.has_term()) table.Add({Text("剩余", "left"), LeftCell(view)});
  if (view.escalated()) table.Add({Text("已上报至", "gone up to"), AuthorityText(view)});
  for (const v1::HeldAnswer& held : view.answers())
    table.Add({Date(held.answer().has_at(), held.answer().at()), AnswerText(held.answer())});
  if (demand.closed()) {
    table.Add({Text("关闭", "closed"),
               absl::StrCat(Date(true, demand.closed_at()).shown, "  ", demand.closed_because())});
  }
  Emit(invocation, ToJson(view), table);
  if (!view.note().empty()) Say(view.note());
}

template <typename Request>
absl::Status RunOne(const Invocation& invocation, const char* method, const Request& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto view, connection->Call<v1::DemandView>(method, request));
  EmitView(invocation, view);
  return absl::OkStatus();
}

absl::Status RunList(const Invocation& invocation, const v1::ListDemandsRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto list, connection->Call<v1::ListDemandsResponse>(
                                           "guantong.v1.DemandService.List", request));
  Emit(invocation, ToJson(list), ListTable(list.demands()));
  if (list.demands().empty()) Say(Text("没有需求", "no demands"));
  if (!list.note().empty()) Say(list.note());
  if (!list.next_page_token().empty() && invocation.output == OutputFormat::kTable) {
    Say(absl::StrCat(Text("还有更多：加 --page-token ", "there is more: --page-token "),
                     list.next_page_token()));
  }
  return absl::OkStatus();
}

absl::Status RunCount(const Invocation& invocation) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto counts,
                      connection->Call<v1::CountDemandsResponse>("guantong.v1.DemandService.Count",
                                                                 v1::CountDemandsRequest()));
  Table table({{"path", Text("路径", "path")},
               {"node", Text("节点", "node")},
               {"level", Text("层级", "level")},
               {"unanswered", Text("待答复", "unanswered"), true},
               {"overdue", Text("其中超期", "overdue"), true},
               {"answered", Text("已答复", "answered"), true},
               {"matched", Text("已匹配", "matched"), true},
               {"refused", Text("不能提供", "refused"), true},
               {"closed", Text("已关闭", "closed"), true}});
  const auto add = [&](const std::string& path, const v1::DemandCount& count) {
    table.Add({path, count.node_name(), LevelCell(count.level()), Count(count.unanswered()),
               Count(count.overdue()), Count(count.answered()), Count(count.matched()),
               Count(count.refused()), Count(count.closed())});
  };
  for (const v1::DemandCount& count : counts.counts()) add(ShownPath(count.path()), count);
  add(Text("合计", "total"), counts.total());
  Emit(invocation, ToJson(counts), table);
  if (!counts.note().empty()) Say(counts.note());
  return absl::OkStatus();
}

using AnswerRequest = std::shared_ptr<v1::AnswerDemandRequest>;

CLI::App* AddAnswer(CLI::App* demand, Invocation* invocation, const char* name, const char* text,
                    v1::DemandAnswerKind kind, const AnswerRequest& request) {
  request->mutable_answer()->set_kind(kind);
  auto* command = demand->add_subcommand(name, text);
  command->add_option("ID", *request->mutable_id(), Text("需求编号", "id of the demand"))
      ->required();
  command->callback([invocation, request] {
    invocation->action = [invocation, request] {
      return RunOne(*invocation, "guantong.v1.DemandService.Answer", *request);
    };
  });
  return command;
}

void AddAnswers(CLI::App* demand, Invocation* invocation) {
  const auto answered = std::make_shared<v1::AnswerDemandRequest>();
  AddAnswer(demand, invocation, "answer", Text("答复", "answer it"), v1::DEMAND_ANSWER_KIND_REPLY,
            answered)
      ->add_option("--text", *answered->mutable_answer()->mutable_text(),
                   Text("答复内容", "what is answered"))
      ->required();

  const auto matched = std::make_shared<v1::AnswerDemandRequest>();
  auto* match = AddAnswer(demand, invocation, "match",
                          Text("匹配到目录条目", "an entry of the catalogue has it"),
                          v1::DEMAND_ANSWER_KIND_MATCH, matched);
  match
      ->add_option("CODE", *matched->mutable_answer()->mutable_code(),
                   Text("资源代码", "resource code"))
      ->required();
  match->add_option("--text", *matched->mutable_answer()->mutable_text(), Text("说明", "a word"));

  const auto refused = std::make_shared<v1::AnswerDemandRequest>();
  AddAnswer(demand, invocation, "refuse", Text("不能提供，说明理由", "it cannot be had, and why"),
            v1::DEMAND_ANSWER_KIND_REFUSE, refused)
      ->add_option("--reason", *refused->mutable_answer()->mutable_text(), Text("理由", "reason"))
      ->required();

  const auto assigned = std::make_shared<v1::AnswerDemandRequest>();
  auto* assign =
      AddAnswer(demand, invocation, "assign",
                Text("转派给持有数据的部门（主管部门）", "to whom has it (supervising authority)"),
                v1::DEMAND_ANSWER_KIND_ASSIGN, assigned);
  assign
      ->add_option("--to", *assigned->mutable_answer()->mutable_to(),
                   Text("部门名称或统一社会信用代码", "name or USCC of the department"))
      ->required();
  assign->add_option("--division", *assigned->mutable_answer()->mutable_to_division(),
                     Text("该部门的行政区划", "its division"));
  assign->add_option("--text", *assigned->mutable_answer()->mutable_text(), Text("说明", "a word"));
}

void AddRegister(CLI::App* demand, Invocation* invocation) {
  auto* command = demand->add_subcommand(
      "register", Text("提出需求：要什么、问谁、依据、场景、频率",
                       "say a need: what, from whom, on what basis, for what, how often"));
  const auto request = std::make_shared<v1::RegisterDemandRequest>();
  v1::Demand* said = request->mutable_demand();
  command->add_option("--what", *said->mutable_what(), Text("所需数据", "what is needed"))
      ->required();
  command->add_option("--from", *said->mutable_from(),
                      Text("可能持有的部门：名称或统一社会信用代码；不知道则不写",
                           "who may have it: name or USCC; leave it out where nobody knows"));
  command->add_option(
      "--division", *said->mutable_from_division(),
      Text("该部门的行政区划，同名部门多时写明", "its division, where many have the name"));
  command->add_option("--basis", *said->mutable_basis(), Text("依据", "basis"))->required();
  command->add_option("--scenario", *said->mutable_scenario(), Text("应用场景", "for what"))
      ->required();
  command->add_option("--frequency", *said->mutable_frequency(), Text("更新频率", "how often"))
      ->required();
  command->callback([invocation, request] {
    invocation->action = [invocation, request] {
      return RunOne(*invocation, "guantong.v1.DemandService.Register", *request);
    };
  });
}

void AddList(CLI::App* demand, Invocation* invocation) {
  auto* list = demand->add_subcommand("list", Text("需求清单", "demands"));
  const auto request = std::make_shared<v1::ListDemandsRequest>();
  const auto box = [list, request](const char* flag, v1::DemandBox which, const char* text) {
    return list->add_flag_callback(
        flag, [request, which] { request->set_box(which); }, text);
  };
  auto* mine = box("--mine", v1::DEMAND_BOX_MINE, Text("本部门提出的", "said by this department"));
  auto* asked =
      box("--asked", v1::DEMAND_BOX_ASKED, Text("问本部门的", "asked of this department"));
  auto* supervised = box("--supervised", v1::DEMAND_BOX_SUPERVISED,
                         Text("已上报到本级主管部门的", "gone up to this level's authority"));
  asked->excludes(mine);
  supervised->excludes(mine)->excludes(asked);
  list->add_option_function<std::string>(
      "--state",
      [request](const std::string& name) {
        const auto* state = FindEnum(*v1::DemandState_descriptor(), name);
        if (state == nullptr)
          throw CLI::ValidationError("--state", EnumNames(*v1::DemandState_descriptor()));
        request->set_state(static_cast<v1::DemandState>(state->number()));
      },
      absl::StrCat(Text("状态：", "state: "), EnumNames(*v1::DemandState_descriptor())));
  list->add_flag_callback(
      "--overdue", [request] { request->set_overdue(true); },
      Text("只看超期未答复的", "overdue ones alone"));
  list->add_option_function<uint32_t>(
      "--limit", [request](uint32_t limit) { request->set_limit(limit); },
      Text("最多几条", "at most"));
  list->add_option("--page-token", *request->mutable_page_token(),
                   Text("接着上一页", "where the last page ended"));
  list->callback([invocation, request] {
    invocation->action = [invocation, request] { return RunList(*invocation, *request); };
  });
}

}  // namespace

void AddDemands(CLI::App* app, Invocation* invocation) {
  auto* demand = app->add_subcommand(
      "demand", Text("供需对接：共享需求清单", "what departments need from others"));
  demand->require_subcommand(1);
  AddRegister(demand, invocation);
  AddList(demand, invocation);
  AddAnswers(demand, invocation);
  AddDemandFiles(demand, invocation);

  auto* show = demand->add_subcommand("show", Text("一条需求及其答复", "a demand and its answers"));
  const auto shown = std::make_shared<v1::ShowDemandRequest>();
  show->add_option("ID", *shown->mutable_id(), Text("需求编号", "id of the demand"))->required();
  show->callback([invocation, shown] {
    invocation->action = [invocation, shown] {
      return RunOne(*invocation, "guantong.v1.DemandService.Show", *shown);
    };
  });

  auto* close = demand->add_subcommand("close", Text("关闭本部门的需求", "close an own demand"));
  const auto closed = std::make_shared<v1::CloseDemandRequest>();
  close->add_option("ID", *closed->mutable_id(), Text("需求编号", "id of the demand"))->required();
  close->add_option("--reason", *closed->mutable_reason(), Text("说明", "reason"));
  close->callback([invocation, closed] {
    invocation->action = [invocation, closed] {
      return RunOne(*invocation, "guantong.v1.DemandService.Close", *closed);
    };
  });

  auto* count = demand->add_subcommand(
      "count", Text("本级及各下级的需求数，按状态", "demands here and below, by branch and state"));
  count->callback(
      [invocation] { invocation->action = [invocation] { return RunCount(*invocation); }; });
}

}  // namespace guantong
