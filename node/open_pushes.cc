#include "node/open_pushes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "node/limits.h"

namespace guantong {

OpenPushes::Slot::~Slot() {
  if (!held_) return;
  std::lock_guard<std::mutex> lock(open_.mutex_);
  open_.open_.erase(name_);
}

absl::Status OpenPushes::Slot::Hold(const std::string& table, std::function<void()> cancel) {
  std::lock_guard<std::mutex> lock(open_.mutex_);
  const absl::Time now = absl::Now();
  const absl::Time silent_since = now - absl::Seconds(kPushIdleSecondsMax);
  auto same = open_.open_.find(name_);
  if (same != open_.open_.end()) {
    if (same->second.heard_at < silent_since) same->second.cancel();
    return Error(absl::StatusCode::kFailedPrecondition, "push_open",
                 absl::StrCat(table, " 正有一次推送在进行 (another push of this dataset is open)"),
                 table, "等它结束后重试 (try again when it has ended)");
  }
  if (open_.open_.size() >= kPushesOpenMax) {
    for (auto& [name, open] : open_.open_) {
      if (open.heard_at < silent_since) open.cancel();
    }
    return Error(
        absl::StatusCode::kResourceExhausted, "node_busy",
        absl::StrCat("同时进行的推送已达 ", kPushesOpenMax, " 个 (too many pushes are open)"),
        table, "稍后重试 (try again later)");
  }
  open_.open_[name_] = {.heard_at = now, .cancel = std::move(cancel)};
  held_ = true;
  return absl::OkStatus();
}

void OpenPushes::Slot::Heard() const {
  std::lock_guard<std::mutex> lock(open_.mutex_);
  open_.open_[name_].heard_at = absl::Now();
}

void OpenPushes::Slot::Complete() const {
  std::lock_guard<std::mutex> lock(open_.mutex_);
  open_.open_[name_].heard_at = absl::InfiniteFuture();
}

}  // namespace guantong
