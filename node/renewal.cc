#include "node/renewal.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/certificate.h"
#include "node/identity/identity.h"
#include "node/log.h"

namespace guantong {
namespace {

constexpr std::chrono::milliseconds kLookEvery(500);
constexpr absl::Duration kPauseMin = absl::Seconds(1);
constexpr absl::Duration kPauseMax = absl::Minutes(5);

}  // namespace

Renewal::Renewal(const Site* site, std::function<void()> begin_anew)
    : site_(*site),
      begin_anew_(std::move(begin_anew)),
      stamp_(IdentityStamp(site->options.dir)),
      pause_(kPauseMin) {}

void Renewal::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Renewal::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Renewal::ParentHas(const v1::CertificateChain& chain) {
  if (chain.certificates().empty()) return;
  v1::CertificateChain above = site_.identity->chain;
  above.mutable_certificates()->DeleteSubrange(0, 1);
  if (ChainDigest(above) != ChainDigest(chain)) ParentMoved();
}

void Renewal::ParentMoved() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    parent_has_other_ = true;
  }
  wakes_.notify_all();
}

void Renewal::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const bool anew = Look();
    if (anew) begin_anew_();
    lock.lock();
    if (anew) return;
    if (!stopping_) wakes_.wait_for(lock, kLookEvery);
  }
}

bool Renewal::Look() {
  if (IdentityStamp(site_.options.dir) != stamp_) {
    Log(LogLevel::kInfo, "证书已换 (this node has other certificates now)");
    return true;
  }
  const absl::Time now = absl::Now();
  if (now >= site_.identity->renew_tls_at) {
    Log(LogLevel::kInfo, "TLS 证书将到期，换新 (the TLS certificate is made anew)");
    return true;
  }
  bool wanted = now >= site_.identity->renew_chain_at;
  if (site_.path().is_root()) return wanted;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    wanted = wanted || parent_has_other_;
  }
  return wanted && now >= try_at_ && Renew();
}

bool Renewal::Renew() {
  const absl::StatusOr<bool> renewed = RenewIdentity(site_.options.dir, site_.options.parent);
  if (renewed.ok()) return *renewed;
  if (renewed.status() != failed_) {
    failed_ = renewed.status();
    Log(LogLevel::kWarning, absl::StrCat("换发证书未成，稍后再试 (certificates not renewed, trying "
                                         "again): ",
                                         failed_.message()));
  }
  try_at_ = absl::Now() + pause_;
  pause_ = std::min(pause_ * 2, kPauseMax);
  return false;
}

}  // namespace guantong
