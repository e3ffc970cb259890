#include "node/cli/upkeep_facts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "node/cli/output.h"
#include "node/language.h"

namespace guantong {
namespace {

std::string ScrubText(const v1::Scrub& scrub) {
  if (scrub.bytes_per_second() == 0) return Text("关闭", "off");
  std::string text = scrub.has_last_full_pass()
                         ? absl::StrCat(Text("上次巡检完 ", "last full pass "),
                                        Date(true, scrub.last_full_pass()).shown)
                         : std::string(Text("还没有巡检完一遍", "no full pass yet"));
  if (scrub.has_pass_began()) {
    absl::StrAppend(&text, Text("；本遍 ", "; this pass "), ByteCount(scrub.bytes_done()).shown,
                    "/", ByteCount(scrub.bytes_total()).shown);
  }
  absl::StrAppend(&text, Text("；限速 ", "; at most "), ByteCount(scrub.bytes_per_second()).shown,
                  "/s");
  return text;
}

}  // namespace

void AddUpkeepFacts(const v1::StatusResponse& status, Table* table) {
  table->Add({Text("数据巡检", "scrub"), ScrubText(status.scrub())});
  table->Add({Text("上次备份", "last backup"),
              status.has_last_backup()
                  ? absl::StrCat(Date(true, status.last_backup().at()).shown, "  ",
                                 ByteCount(status.last_backup().bytes()).shown, "  ",
                                 status.last_backup().to())
                  : std::string(Text("没有", "none"))});
  if (status.has_restored_at()) {
    table->Add({Text("恢复", "restore"),
                absl::StrCat(Date(true, status.restored_at()).shown,
                             Text(" 从备份恢复，正向邻居核对，暂不接受推送",
                                  " restored; neighbours are asked first, no push is taken"))});
  }
  for (const v1::Damage& damage : status.damage()) {
    table->Add({Text("数据损坏", "damage"),
                absl::StrCat(Date(true, damage.at()).shown, "  ", damage.found_by(), "  ",
                             absl::StrJoin(damage.files(), " "), "  ",
                             damage.repaired() ? Text("已修复", "mended")
                                               : Text("已隔离，有缺失", "set apart, data lost"))});
    for (const v1::DamagedFeed& feed : damage.feeds()) {
      table->Add({"", absl::StrCat(
                          feed.feed().resource().empty() ? feed.feed_key() : feed.feed().resource(),
                          "  ", feed.part(), "  ", feed.cure(), "  ", feed.text())});
    }
  }
}

}  // namespace guantong
