#include "node/upkeep/upkeep.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/clock.h"
#include "node/doctor.h"
#include "node/driver.h"
#include "node/limits.h"
#include "node/verify.h"

namespace guantong {
namespace {

bool RestoredAt(const Reader& store, storage::v1::Restored* restored) {
  std::string bytes;
  return store.Get(RestoredKey(), &bytes).ok() && restored->ParseFromString(bytes);
}

std::string Moment(const google::protobuf::Timestamp& at) {
  return absl::FormatTime("%Y-%m-%d %H:%M", TimeOfTimestamp(at), absl::LocalTimeZone());
}

int64_t DaysSince(absl::Time at) { return (absl::Now() - at) / absl::Hours(24); }

}  // namespace

absl::StatusOr<v1::Backup> Upkeep::BackUp(const std::string& to,
                                          const Backups::OnProgress& progress) {
  absl::StatusOr<v1::Backup> made = backups_.Run(to, progress);
  if (DetailOf(made.status()).reason == "store_corrupt") watch_.Note("backup", made.status());
  return made;
}

absl::StatusOr<v1::VerifyResponse> Upkeep::Verify() {
  GT_ASSIGN_OR_RETURN(v1::VerifyResponse response,
                      VerifyStore(*store_.Snapshot(), site_.network()));
  VerifyFiles(store_, &response);
  for (const v1::VerifyFault& fault : response.faults()) {
    if (!fault.file().empty()) watch_.Note("verify", absl::DataLossError(fault.text()));
  }
  return response;
}

void Upkeep::Describe(v1::StatusResponse* status) const {
  *status->mutable_scrub() = scrubber_.progress();
  v1::Backup backup;
  if (LastBackup(store_, &backup)) *status->mutable_last_backup() = std::move(backup);
  for (v1::Damage& damage : PastDamage(store_)) *status->add_damage() = std::move(damage);
  storage::v1::Restored restored;
  if (RestoredAt(store_, &restored)) *status->mutable_restored_at() = restored.at();
}

void Upkeep::Examine(v1::DoctorResponse* response) const {
  *response->add_findings() = Damage();
  *response->add_findings() = RestorePending();
  *response->add_findings() = Histories();
  *response->add_findings() = PausedChildren();
  *response->add_findings() = Scrubbing();
  *response->add_findings() = BackupAge();
}

v1::Finding Upkeep::Damage() const {
  if (const absl::Status open = watch_.open(); !open.ok()) {
    return Found("damage", false,
                 absl::StrCat("数据文件损坏 (a file of the store is damaged): ", open.message()),
                 "节点会自行重启修复；反复出现请更换磁盘 (the node restarts and mends it; replace "
                 "the disk if it comes back)");
  }
  for (const v1::Damage& damage : PastDamage(store_)) {
    if (damage.repaired() && damage.lost().empty()) continue;
    std::vector<std::string> lost(damage.lost().begin(), damage.lost().end());
    for (const v1::DamagedFeed& feed : damage.feeds()) {
      if (feed.cure() == "none") lost.push_back(feed.feed().resource());
    }
    if (DaysSince(TimeOfTimestamp(damage.at())) > kScrubAgeDaysMax) continue;
    return Found(
        "damage", false,
        absl::StrCat(Moment(damage.at()), " 修复后可能缺失 (may be lost since it was mended): ",
                     absl::StrJoin(lost, "；")),
        "核对所列内容，缺失的从备份恢复或重新录入 (look at what is listed; restore a backup or "
        "enter it anew)");
  }
  return Found("damage", true, "没有发现损坏 (none known)", "");
}

v1::Finding Upkeep::RestorePending() const {
  storage::v1::Restored restored;
  if (!RestoredAt(store_, &restored))
    return Found("restore", true, "没有未完成的恢复 (none under way)", "");
  return Found("restore", false,
               absl::StrCat(Moment(restored.at()),
                            " 从备份恢复，正向邻居核对，期间不接受推送 (restored; neighbours are "
                            "asked what they hold, "
                            "until then no push is taken)"),
               "保持与上级和下级的链路畅通；确无邻居时用 restore --alone (keep the links up; with "
               "no neighbour at all, restore --alone)");
}

v1::Finding Upkeep::Histories() const {
  std::vector<std::string> cut;
  const absl::Status read = site_.driver->Read([&](const Engine& engine) {
    for (const v1::FeedInfo& feed : engine.Feeds("")) {
      if (feed.superseded_batches() > 0) {
        cut.push_back(absl::StrCat(feed.feed().resource(), " ", feed.superseded_batches()));
      }
    }
  });
  if (!read.ok()) return Found("superseded", false, read.message(), "稍后重试 (try again)");
  if (cut.empty()) return Found("superseded", true, "没有被取代的记录 (none)", "");
  return Found(
      "superseded", false,
      absl::StrCat("有被新纪元取代的批次 (batches cut off by a new epoch): ",
                   absl::StrJoin(cut, "，")),
      "用 guantong feeds --superseded 列出，由业务部门核对是否要重新推送 (list them; their "
      "department decides whether to push them anew)");
}

v1::Finding Upkeep::PausedChildren() const {
  std::vector<std::string> paused;
  const absl::Status read = site_.driver->Read([&](const Engine& engine) {
    for (const v1::LinkInfo& link : engine.Links()) {
      if (link.ladder() == "paused") paused.push_back(absl::StrCat(link.name(), " ", link.path()));
    }
  });
  if (!read.ok()) return Found("children", false, read.message(), "稍后重试 (try again)");
  if (paused.empty()) return Found("children", true, "没有暂停的下级 (none is paused)", "");
  return Found("children", false,
               absl::StrCat("超出磁盘预算而暂停 (paused, over the disk budget): ",
                            absl::StrJoin(paused, "，")),
               "恢复与它的链路，或加大预算；之后以快照补齐 (restore the link or raise the budget; "
               "it then catches up by snapshot)");
}

v1::Finding Upkeep::Scrubbing() const {
  const v1::Scrub scrub = scrubber_.progress();
  if (scrub.bytes_per_second() == 0) {
    return Found("scrub", false, "数据巡检已关闭 (off)",
                 "在 node.yaml 设置 scrub_bytes_per_second (set it in node.yaml)");
  }
  const absl::Time last =
      scrub.has_last_full_pass()
          ? TimeOfTimestamp(scrub.last_full_pass())
          : (scrub.has_pass_began() ? TimeOfTimestamp(scrub.pass_began()) : site_.started_at);
  return Found(
      "scrub", DaysSince(last) <= kScrubAgeDaysMax,
      scrub.has_last_full_pass()
          ? absl::StrCat("上次全部巡检完 (last full pass) ", Moment(scrub.last_full_pass()))
          : absl::StrCat("首次巡检中 (first pass): ", scrub.bytes_done() >> 20, "/",
                         scrub.bytes_total() >> 20, " MiB"),
      "加大 node.yaml 的 scrub_bytes_per_second (raise it in node.yaml)");
}

v1::Finding Upkeep::BackupAge() const {
  v1::Backup backup;
  const bool any = LastBackup(store_, &backup);
  // A new node has its first days to be set up.
  const absl::Time last = any ? TimeOfTimestamp(backup.at()) : site_.identity->self.not_before;
  return Found("backup", DaysSince(last) <= kBackupAgeDaysMax,
               any ? absl::StrCat("上次备份 (last backup) ", Moment(backup.at()), " ", backup.to())
                   : std::string("还没有备份 (there is none yet)"),
               "运行 guantong backup --to 目录，并设为定时任务 (run it, and have it run daily)");
}

}  // namespace guantong
