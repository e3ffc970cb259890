#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "node/cli/drill/drill.h"
#include "node/cli/output.h"

namespace guantong {
namespace {

std::string Moment(absl::Time at) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E3S", at, absl::LocalTimeZone());
}

std::string Seconds(absl::Duration duration) {
  return absl::StrFormat("%.1f", absl::ToDoubleSeconds(duration));
}

std::string FaultText(const std::string& fault) {
  if (fault == "kill") return "节点被强行终止 (a node is killed)";
  if (fault == "expiry") return "证书到期 (certificates run out)";
  if (fault == "partition") return "与上级断网 (the link to the parent is cut)";
  return "数据目录丢失，从旧备份恢复 (the data folder is lost, an older backup restored)";
}

}  // namespace

std::string DrillMarkdown(const DrillResult& result) {
  std::string text = absl::StrCat(
      "# 贯通节点演练报告 (drill report)\n\n", "- 演练 (drill): ", result.options.fault, "，",
      FaultText(result.options.fault), "\n", "- 时间 (time): ", Moment(result.began), " 至 ",
      Moment(result.ended), "\n", "- 数据集 (dataset): ", result.code, "\n", "- 结论 (verdict): **",
      result.passed ? "通过 (passed)" : "不通过 (failed)", "**\n\n## 结果 (result)\n\n",
      "| 项目 (item) | 数值 (figure) |\n|---|---|\n", "| 已确认行数 (rows acknowledged) | ",
      result.acknowledged, " |\n| 丢失 (lost) | ", result.lost, " |\n| 重复 (duplicated) | ",
      result.duplicated, " |\n| 重发次数 (pushes sent again) | ", result.repeats,
      " |\n| 单批最长等待秒数 (longest wait for one, s) | ", Seconds(result.longest_wait),
      " |\n| 故障结束到各副本一致秒数 (from the end of the fault until all are equal, s) | ",
      Seconds(result.recovery), " |\n\n## 各节点 (nodes)\n\n",
      "| 节点 (node) | 行数 (rows) | 与提供方比对 (digest) | 签名与文件核对 (verify) "
      "|\n|---|---|---|---|\n");
  for (const DrillCopy& copy : result.copies) {
    absl::StrAppend(&text, "| ", copy.name, " ", ShownPath(copy.path), " | ", copy.rows, " | ",
                    copy.verdict, " | ", copy.verified ? "无误 (good)" : "有误 (faults)", " |\n");
  }
  absl::StrAppend(&text, "\n## 经过 (what was done)\n\n");
  for (const DrillStep& step : result.steps)
    absl::StrAppend(&text, "- ", Moment(step.at), "  ", step.text, "\n");
  absl::StrAppend(&text,
                  "\n演练在由备份制成的副本上进行，未触动运行中的节点 (played on copies made from "
                  "backups; no running node was touched)。\n");
  return text;
}

nlohmann::ordered_json DrillJson(const DrillResult& result) {
  nlohmann::ordered_json document = {
      {"drill", result.options.fault},
      {"began", absl::FormatTime(absl::RFC3339_full, result.began, absl::UTCTimeZone())},
      {"ended", absl::FormatTime(absl::RFC3339_full, result.ended, absl::UTCTimeZone())},
      {"code", result.code},
      {"rows_acknowledged", absl::StrCat(result.acknowledged)},
      {"rows_lost", absl::StrCat(result.lost)},
      {"rows_duplicated", absl::StrCat(result.duplicated)},
      {"repeats", result.repeats},
      {"longest_wait_seconds", absl::ToDoubleSeconds(result.longest_wait)},
      {"recovery_seconds", absl::ToDoubleSeconds(result.recovery)},
      {"passed", result.passed},
      {"nodes", nlohmann::ordered_json::array()},
      {"steps", nlohmann::ordered_json::array()}};
  for (const DrillCopy& copy : result.copies) {
    document["nodes"].push_back({{"path", copy.path},
                                 {"name", copy.name},
                                 {"rows", absl::StrCat(copy.rows)},
                                 {"verdict", copy.verdict},
                                 {"verified", copy.verified}});
  }
  for (const DrillStep& step : result.steps) {
    document["steps"].push_back(
        {{"at", absl::FormatTime(absl::RFC3339_full, step.at, absl::UTCTimeZone())},
         {"text", step.text}});
  }
  return document;
}

}  // namespace guantong
