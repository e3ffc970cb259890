// feeds, trace: where data stand on their way.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/node.pb.h"
#include "node/cli/connection.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/words.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

std::string Downstream(const v1::FeedInfo& feed) {
  std::string text;
  for (const v1::FeedDownstream& one : feed.downstream()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", ShownPath(one.path()), "=", one.acknowledged());
    if (one.lag_records() > 0) absl::StrAppend(&text, "(-", one.lag_records(), ")");
    if (!one.ladder().empty() && one.ladder() != "log")
      absl::StrAppend(&text, "[", one.ladder(), "]");
  }
  return text;
}

absl::Status RunFeeds(const Invocation& invocation, const std::string& filter) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  v1::FeedsRequest request;
  request.set_filter(filter);
  GT_ASSIGN_OR_RETURN(const auto feeds, connection->Call<v1::FeedsResponse>(
                                            "guantong.v1.NodeService.Feeds", request));
  Table table({{"kind", Text("类别", "kind")},
               {"resource", Text("资源", "resource")},
               {"origin_path", Text("来源节点", "origin")},
               {"epoch", Text("代", "epoch"), true},
               {"sequence", Text("位置", "sequence"), true},
               {"commit", Text("提交", "commit"), true},
               {"rows", Text("行数", "rows"), true},
               {"last_signed_at", Text("最近", "newest")},
               {"log_bytes", Text("日志", "log"), true},
               {"upstream", Text("来自", "from")},
               {"downstream", Text("去向", "to")},
               {"text", Text("说明", "note")}});
  for (const v1::FeedInfo& feed : feeds.feeds()) {
    table.Add({FeedKindCell(feed.feed().kind()), feed.feed().resource(),
               absl::StrCat(ShownPath(feed.origin_path()), feed.own() ? " *" : ""),
               Count(feed.position().epoch().number()), Count(feed.position().sequence()),
               Count(feed.commit()), Count(feed.rows()),
               Age(feed.has_last_signed_at(), feed.last_signed_at()), ByteCount(feed.log_bytes()),
               feed.own() ? "" : ShownPath(feed.upstream()), Downstream(feed), feed.text()});
  }
  Emit(invocation, ToJson(feeds), table);
  return absl::OkStatus();
}

absl::Status RunSuperseded(const Invocation& invocation, const std::string& resource) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  v1::SupersededRequest request;
  request.set_resource(resource);
  GT_ASSIGN_OR_RETURN(const auto list, connection->Call<v1::SupersededResponse>(
                                           "guantong.v1.NodeService.Superseded", request));
  Table table({{"kind", Text("类别", "kind")},
               {"resource", Text("资源", "resource")},
               {"epoch", Text("代", "epoch"), true},
               {"sequence", Text("位置", "sequence"), true},
               {"signed_at", Text("签发", "signed")},
               {"operation", Text("操作", "operation")},
               {"key", Text("键", "key")},
               {"author", Text("提交者", "author")}});
  for (const v1::SupersededRecord& record : list.records()) {
    table.Add({FeedKindCell(record.feed().kind()), record.feed().resource(), Count(record.epoch()),
               Count(record.sequence()), Age(true, record.signed_at()), record.operation(),
               record.key(), record.author()});
  }
  Emit(invocation, ToJson(list), table);
  return absl::OkStatus();
}

absl::Status RunTrace(const Invocation& invocation, const std::string& what) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  v1::TraceRequest request;
  request.set_what(what);
  GT_ASSIGN_OR_RETURN(const auto trace, connection->Call<v1::TraceResponse>(
                                            "guantong.v1.NodeService.Trace", request));
  Table table({{"path", Text("节点", "node")},
               {"name", Text("名称", "name")},
               {"reachable", Text("可达", "reachable")},
               {"epoch", Text("代", "epoch"), true},
               {"sequence", Text("位置", "sequence"), true},
               {"commit", Text("提交", "commit"), true},
               {"rows", Text("行数", "rows"), true},
               {"last_signed_at", Text("最近", "newest")},
               {"elapsed_ms", Text("毫秒", "ms"), true},
               {"text", Text("说明", "note")}});
  for (const v1::TraceHop& hop : trace.hops()) {
    const v1::FeedInfo& feed = hop.feed();
    const bool held = hop.has_feed();
    table.Add({ShownPath(hop.hop().path()), hop.hop().name(), YesNo(hop.reachable()),
               held ? Count(feed.position().epoch().number()) : "",
               held ? Count(feed.position().sequence()) : "", held ? Count(feed.commit()) : "",
               held ? Count(feed.rows()) : "",
               Age(feed.has_last_signed_at(), feed.last_signed_at()),
               absl::StrCat(hop.elapsed_ms()), hop.text()});
  }
  Emit(invocation, ToJson(trace), table);
  return absl::OkStatus();
}

}  // namespace

void AddFeeds(CLI::App* app, Invocation* invocation) {
  auto* feeds = app->add_subcommand("feeds", Text("数据流的位置", "feeds and their positions"));
  const auto filter = std::make_shared<std::string>();
  feeds->add_option("FILTER", *filter,
                    Text("资源代码或类别，不写为全部", "resource code or kind; all without"));
  const auto superseded = std::make_shared<bool>(false);
  feeds->add_flag(
      "--superseded", *superseded,
      Text("列出被新一代取代的记录", "list the records that a later epoch has cut off"));
  feeds->callback([invocation, filter, superseded] {
    invocation->action = [invocation, filter, superseded] {
      return *superseded ? RunSuperseded(*invocation, *filter) : RunFeeds(*invocation, *filter);
    };
  });

  auto* trace =
      app->add_subcommand("trace", Text("沿途各节点上的位置", "position at every node on the way"));
  const auto what = std::make_shared<std::string>();
  trace->add_option("CODE", *what, Text("资源代码或请求编号", "resource code or request id"))
      ->required();
  trace->callback([invocation, what] {
    invocation->action = [invocation, what] { return RunTrace(*invocation, *what); };
  });
}

}  // namespace guantong
