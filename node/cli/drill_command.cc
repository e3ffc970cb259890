// drill: a fault played on a copy, with a report.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "node/cli/drill/drill.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/form/json_form.h"
#include "node/language.h"
#include "node/new_file.h"

namespace guantong {
namespace {

absl::Status RunDrill(const Invocation& invocation, DrillOptions options,
                      const std::string& report) {
  const std::string name =
      absl::StrCat("drill-", options.fault, "-",
                   absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(), absl::LocalTimeZone()));
  if (options.scratch.empty()) options.scratch = absl::StrCat(report, "/", name, ".scratch");
  GT_ASSIGN_OR_RETURN(const DrillResult result, PlayDrill(options));
  const std::string file = absl::StrCat(report, "/", name);
  const nlohmann::ordered_json document = DrillJson(result);
  GT_RETURN_IF_ERROR(WriteNewFile(file + ".md", DrillMarkdown(result), 0644));
  GT_RETURN_IF_ERROR(WriteNewFile(file + ".json", PrettyJsonText(document) + "\n", 0644));
  Table table = Facts();
  table.Add(
      {Text("结论", "verdict"), result.passed ? Text("通过", "passed") : Text("不通过", "failed")});
  table.Add(
      {Text("已确认行数", "rows acknowledged"), Count(static_cast<uint64_t>(result.acknowledged))});
  table.Add({Text("丢失", "lost"), Count(static_cast<uint64_t>(result.lost))});
  table.Add({Text("重复", "duplicated"), Count(static_cast<uint64_t>(result.duplicated))});
  table.Add({Text("恢复用时（秒）", "recovered within (s)"),
             absl::StrCat(absl::ToDoubleSeconds(result.recovery))});
  table.Add({Text("报告", "report"), file + ".md"});
  Emit(invocation, document, table);
  if (result.passed) return absl::OkStatus();
  return Error(absl::StatusCode::kDataLoss, "drill_failed", Text("演练不通过", "the drill failed"),
               file + ".md", Text("按报告查找原因", "see the report"));
}

}  // namespace

void AddDrill(CLI::App* app, Invocation* invocation) {
  auto* drill = app->add_subcommand(
      "drill", Text("在由备份制成的副本上演练故障，并出具报告",
                    "play a fault on a copy made from backups, and write a report"));
  const auto options = std::make_shared<DrillOptions>();
  const auto report = std::make_shared<std::string>(".");
  const auto seconds = std::make_shared<uint32_t>(5);
  drill->add_option("FAULT", options->fault, "kill|partition|restore|expiry")
      ->required()
      ->check(CLI::IsMember({"kill", "partition", "restore", "expiry"}));
  drill
      ->add_option("--from", options->backups,
                   Text("备份目录，每个节点一个（至少本节点和它的上级）",
                        "folders of backups, one for each node (at least a node and its parent)"))
      ->required()
      ->expected(1, 64);
  drill->add_option("--report", *report, Text("报告写到这个目录", "folder the report goes to"));
  drill->add_option("--scratch", options->scratch,
                    Text("副本所在目录，结束后删除", "where the copies live, removed in the end"));
  drill->add_option("--batches", options->batches, Text("推送批数", "batches pushed"))
      ->check(CLI::Range(3, 10000));
  drill->add_option("--outage", *seconds, Text("断网秒数", "seconds the link is cut"))
      ->check(CLI::Range(1, 3600));
  drill->callback([invocation, options, report, seconds] {
    options->outage = absl::Seconds(*seconds);
    invocation->action = [invocation, options, report] {
      return RunDrill(*invocation, *options, *report);
    };
  });
}

}  // namespace guantong
