// ruling rework, lift, hide, unhide, tag, untag, authority, show: what a level says about entries
// of its branch.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/status.h"
#include "guantong/v1/ruling.pb.h"
#include "node/cli/connection.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

std::string ReworkText(const v1::HeldRuling& held) {
  const v1::Rework& rework = held.ruling().rework();
  if (!held.ruling().has_rework()) return "";
  return absl::StrCat(rework.reason(), Text("，限 ", ", by "), rework.deadline(), "  ",
                      !held.rework_open() ? std::string(Text("已整改", "answered"))
                      : held.days_left() < 0
                          ? absl::StrCat(Text("超期 ", "overdue "), -held.days_left())
                          : absl::StrCat(Text("剩 ", "left "), held.days_left()));
}

// The level, and the hosted division where the word is that of its authority.
std::vector<std::string> LevelParts(const v1::HeldRuling& held) {
  std::vector<std::string> parts;
  for (const std::string& part : {held.level_name(), held.ruling().division()}) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

Table RulingTable(const v1::RulingsResponse& rulings) {
  Table table({{"code", Text("代码", "code")},
               {"level", Text("层级", "level")},
               {"by", Text("裁定部门", "by")},
               {"rework", Text("退回整改", "to be mended")},
               {"hidden_because", Text("暂停展示", "not shown because")},
               {"tags", Text("标签", "tags")},
               {"authority", Text("数源部门", "authority")},
               {"at", Text("时间", "at")}});
  for (const v1::HeldRuling& held : rulings.rulings()) {
    const v1::Ruling& ruling = held.ruling();
    table.Add({ruling.code(), absl::StrJoin(LevelParts(held), " "), ruling.by(), ReworkText(held),
               ruling.hidden_because(), absl::StrJoin(ruling.tags(), "、"), ruling.authority(),
               Date(ruling.has_at(), ruling.at())});
  }
  return table;
}

absl::Status RunRule(const Invocation& invocation, const v1::RuleRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto ruling,
                      connection->Call<v1::Ruling>("guantong.v1.RulingService.Rule", request));
  v1::RulingsResponse one;
  v1::HeldRuling* held = one.add_rulings();
  *held->mutable_ruling() = ruling;
  held->set_rework_open(ruling.has_rework());
  Emit(invocation, ToJson(ruling), RulingTable(one));
  return absl::OkStatus();
}

absl::Status RunShow(const Invocation& invocation, const v1::RulingsRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto rulings, connection->Call<v1::RulingsResponse>(
                                              "guantong.v1.RulingService.Rulings", request));
  Emit(invocation, ToJson(rulings), RulingTable(rulings));
  if (rulings.rulings().empty()) Say(Text("没有裁定", "nothing is ruled"));
  return absl::OkStatus();
}

using Request = std::shared_ptr<v1::RuleRequest>;

CLI::App* AddRule(CLI::App* ruling, Invocation* invocation, const char* name, const char* text,
                  const Request& request) {
  auto* command = ruling->add_subcommand(name, text);
  command->add_option("CODE", *request->mutable_code(), Text("资源代码", "resource code"))
      ->required();
  command->callback([invocation, request] {
    invocation->action = [invocation, request] { return RunRule(*invocation, *request); };
  });
  return command;
}

// `set` puts the text of a required option into the request.
void AddWord(CLI::App* ruling, Invocation* invocation, const char* name, const char* text,
             const char* option, const char* what,
             void (*set)(const std::string&, v1::RuleRequest*)) {
  const auto request = std::make_shared<v1::RuleRequest>();
  AddRule(ruling, invocation, name, text, request)
      ->add_option_function<std::string>(
          option, [request, set](const std::string& value) { set(value, request.get()); }, what)
      ->required();
}

void AddPlain(CLI::App* ruling, Invocation* invocation, const char* name, const char* text,
              void (*set)(v1::RuleRequest*)) {
  const auto request = std::make_shared<v1::RuleRequest>();
  set(request.get());
  AddRule(ruling, invocation, name, text, request);
}

}  // namespace

void AddRulings(CLI::App* app, Invocation* invocation) {
  auto* ruling = app->add_subcommand(
      "ruling", Text("对本级及下级条目的裁定", "what this level rules on entries of its branch"));
  ruling->require_subcommand(1);

  const auto rework = std::make_shared<v1::RuleRequest>();
  auto* mend = AddRule(ruling, invocation, "rework",
                       Text("退回整改，限期", "to be mended by a day"), rework);
  mend->add_option("--reason", *rework->mutable_rework()->mutable_reason(), Text("原因", "reason"))
      ->required();
  mend->add_option("--until", *rework->mutable_rework()->mutable_deadline(),
                   Text("期限 CCYY-MM-DD，默认按规则包", "CCYY-MM-DD, default by the rules"));
  AddPlain(ruling, invocation, "lift", Text("撤销整改", "nothing to mend any more"),
           [](v1::RuleRequest* request) { request->set_rework_lifted(true); });
  AddWord(ruling, invocation, "hide", Text("在本级及下级暂停展示", "not shown in this branch"),
          "--reason", Text("原因", "reason"),
          [](const std::string& value, v1::RuleRequest* request) { request->set_hide(value); });
  AddPlain(ruling, invocation, "unhide", Text("恢复展示", "shown again"),
           [](v1::RuleRequest* request) { request->set_unhide(true); });
  AddWord(ruling, invocation, "tag", Text("加标签", "add a tag"), "--tag", Text("标签", "tag"),
          [](const std::string& value, v1::RuleRequest* request) { request->set_tag(value); });
  AddWord(ruling, invocation, "untag", Text("去标签", "take a tag away"), "--tag",
          Text("标签", "tag"),
          [](const std::string& value, v1::RuleRequest* request) { request->set_untag(value); });
  AddWord(ruling, invocation, "authority", Text("认定数源部门", "who is the authority"), "--uscc",
          Text("统一社会信用代码", "USCC"), [](const std::string& value, v1::RuleRequest* request) {
            request->set_authority(value);
          });

  auto* show = ruling->add_subcommand("show", Text("条目上的裁定；不写代码则为本级全部",
                                                   "on an entry; without CODE all of this level"));
  const auto shown = std::make_shared<v1::RulingsRequest>();
  show->add_option("CODE", *shown->mutable_code(), Text("资源代码", "resource code"));
  show->add_option("--page-token", *shown->mutable_page_token(),
                   Text("接着上一页", "where the last page ended"));
  show->callback([invocation, shown] {
    invocation->action = [invocation, shown] { return RunShow(*invocation, *shown); };
  });
}

}  // namespace guantong
