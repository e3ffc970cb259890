#include "node/upkeep/damage.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/clock.h"
#include "node/identity/files.h"
#include "node/limits.h"
#include "node/log.h"

namespace guantong {
namespace {

constexpr char kDamage[] = "damage/";

}  // namespace

std::string DamageMark(const std::string& store_dir) { return store_dir + ".damaged"; }

std::vector<v1::Damage> PastDamage(const Reader& store) {
  std::vector<v1::Damage> past;
  const std::string prefix = NodeFactKey(kDamage);
  for (auto cursor = store.Scan(prefix, PrefixEnd(prefix)); cursor->Valid(); cursor->Next()) {
    v1::Damage damage;
    if (damage.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()))) {
      past.push_back(std::move(damage));
    }
  }
  std::reverse(past.begin(), past.end());
  if (past.size() > kDamagesKept) past.resize(kDamagesKept);
  return past;
}

void AddDamage(const v1::Damage& damage, WriteSet* writes) {
  std::string key = NodeFactKey(kDamage);
  AppendBigEndian64(static_cast<uint64_t>(absl::ToUnixMillis(TimeOfTimestamp(damage.at()))), &key);
  writes->Put(std::move(key), damage.SerializeAsString());
}

void DamageWatch::Begin(const std::vector<absl::Time>& mended) {
  const absl::Time since = absl::Now() - absl::Hours(1);
  const auto lately =
      std::count_if(mended.begin(), mended.end(), [&](absl::Time at) { return at > since; });
  bool restart;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    too_often_ = lately >= kMendsPerHourMax;
    serving_ = true;
    restart = !noted_.ok();
  }
  if (restart) AskRestart();
}

void DamageWatch::Note(absl::string_view found_by, const absl::Status& why) {
  bool serving;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!noted_.ok()) return;
    noted_ = why;
    serving = serving_;
  }
  Log(LogLevel::kError,
      absl::StrCat(
          "数据文件损坏，损坏部分不再读出 (a file of the store is damaged; what is damaged is "
          "not served): ",
          why.message()));
  const absl::Status marked = ReplaceFile(mark_, absl::StrCat(found_by, "\n", why.message(), "\n"));
  if (!marked.ok()) Log(LogLevel::kError, marked.message());
  if (serving) AskRestart();
}

void DamageWatch::AskRestart() {
  bool too_often;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    too_often = too_often_;
  }
  if (too_often) {
    Log(LogLevel::kError,
        "一小时内已多次修复，不再自动修复：请更换磁盘，再从备份恢复 (mended too often within an "
        "hour: replace the disk and restore a backup)");
  } else if (wants_restart_) {
    wants_restart_();
  }
}

absl::Status DamageWatch::open() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return noted_;
}

}  // namespace guantong
