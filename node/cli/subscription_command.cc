// subscribe, unsubscribe, subscriptions: copies of other nodes' datasets kept here.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/data.pb.h"
#include "node/cli/connection.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/words.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

Table SubscriptionTable() {
  return Table({{"code", Text("资源代码", "code")},
                {"name", Text("名称", "name")},
                {"provider", Text("提供方", "provider")},
                {"provider_path", Text("节点", "node")},
                {"state", Text("状态", "state")},
                {"rows", Text("行数", "rows"), true},
                {"commit", Text("提交", "commit"), true},
                {"last_change_at", Text("最近变更", "changed")},
                {"received_at", Text("收到", "received")},
                {"text", Text("说明", "note")}});
}

void AddTo(const v1::Subscription& subscription, Table* table) {
  std::string note = subscription.text();
  if (subscription.state() == v1::SUBSCRIPTION_STATE_SNAPSHOT) {
    note = absl::StrCat(subscription.snapshot_chunks_done(), "/", subscription.snapshot_chunks(),
                        note.empty() ? "" : " ", note);
  }
  table->Add({subscription.code(), subscription.name(), subscription.provider(),
              ShownPath(subscription.provider_path()), SubscriptionCell(subscription.state()),
              Count(subscription.rows()), Count(subscription.commit()),
              Age(subscription.has_last_change_at(), subscription.last_change_at()),
              Age(subscription.has_received_at(), subscription.received_at()), note});
}

absl::Status Ask(const Invocation& invocation, const char* method,
                 const v1::SubscribeRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto subscription, connection->Call<v1::Subscription>(method, request));
  Table table = SubscriptionTable();
  AddTo(subscription, &table);
  Emit(invocation, ToJson(subscription), table);
  return absl::OkStatus();
}

absl::Status RunSubscriptions(const Invocation& invocation) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto list,
                      connection->Call<v1::SubscriptionList>(
                          "guantong.v1.DataService.Subscriptions", v1::SubscriptionsRequest()));
  Table table = SubscriptionTable();
  for (const v1::Subscription& one : list.subscriptions()) AddTo(one, &table);
  Emit(invocation, ToJson(list), table);
  return absl::OkStatus();
}

}  // namespace

void AddSubscriptions(CLI::App* app, Invocation* invocation) {
  const auto request = std::make_shared<v1::SubscribeRequest>();
  const auto add_code = [&](CLI::App* command) {
    command
        ->add_option_function<std::string>(
            "CODE", [request](const std::string& code) { request->set_code(code); },
            Text("资源代码，或 代码:编号", "resource code, or CODE:id"))
        ->required();
  };
  auto* subscribe =
      app->add_subcommand("subscribe", Text("订阅数据，在本节点保留副本", "keep a copy here"));
  add_code(subscribe);
  subscribe->add_option_function<std::string>(
      "--partition", [request](const std::string& division) { request->set_partition(division); },
      Text("只要一个区划的分区", "the partition of one division only"));
  subscribe->callback([invocation, request] {
    invocation->action = [invocation, request] {
      return Ask(*invocation, "guantong.v1.DataService.Subscribe", *request);
    };
  });

  auto* unsubscribe = app->add_subcommand("unsubscribe", Text("退订", "end a subscription"));
  add_code(unsubscribe);
  unsubscribe->add_flag_callback(
      "--drop-data", [request] { request->set_drop_data(true); },
      Text("同时删除本节点的副本", "also remove the copy kept here"));
  unsubscribe->callback([invocation, request] {
    invocation->action = [invocation, request] {
      return Ask(*invocation, "guantong.v1.DataService.Unsubscribe", *request);
    };
  });

  app->add_subcommand("subscriptions", Text("本节点的订阅", "subscriptions of this node"))
      ->callback([invocation] {
        invocation->action = [invocation] { return RunSubscriptions(*invocation); };
      });
}

}  // namespace guantong
