#include "node/refusals.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "node/clock.h"
#include "node/limits.h"
#include "node/log.h"

namespace guantong {
namespace {

// The port changes with every attempt and says nothing.
absl::string_view HostOf(absl::string_view peer) { return peer.substr(0, peer.rfind(':')); }

}  // namespace

void Refusals::Add(absl::string_view peer, absl::string_view certificate,
                   const absl::Status& status, bool by_us) {
  const absl::Time now = absl::Now();
  const ErrorDetail detail = DetailOf(status);
  v1::Refusal refusal;
  *refusal.mutable_at() = TimestampOf(now);
  refusal.set_peer(std::string(peer));
  refusal.set_certificate(std::string(certificate));
  refusal.set_check(detail.reason.empty() ? absl::StatusCodeToString(status.code())
                                          : detail.reason);
  refusal.set_text(std::string(status.message()));
  refusal.set_remedy(detail.remedy);
  refusal.set_by_us(by_us);

  bool say = true;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto same = std::find_if(newest_first_.begin(), newest_first_.end(), [&](const v1::Refusal& r) {
      return r.by_us() == by_us && r.check() == refusal.check() &&
             r.certificate() == refusal.certificate() && HostOf(r.peer()) == HostOf(peer);
    });
    if (same != newest_first_.end()) {
      say = now - TimeOfTimestamp(same->at()) > absl::Minutes(1);
      // Keeps the time of the last line, so that a peer that never stops is logged every minute,
      // not once.
      if (!say) *refusal.mutable_at() = same->at();
      newest_first_.erase(same);
    }
    newest_first_.push_front(refusal);
    if (newest_first_.size() > kRefusalsMax) newest_first_.pop_back();
  }
  if (!say) return;
  Log(LogLevel::kWarning,
      absl::StrCat(by_us ? "拒绝 refused " : "被拒绝 refused by ", peer, " [", refusal.check(),
                   "] ", refusal.text(), certificate.empty() ? "" : "; 证书 certificate: ",
                   certificate, detail.remedy.empty() ? "" : "; 处理 remedy: ", detail.remedy));
}

std::vector<v1::Refusal> Refusals::List() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {newest_first_.begin(), newest_first_.end()};
}

}  // namespace guantong
