#include "relay/grpc/redial.h"

#include <algorithm>

#include "catalog/base/status.h"

namespace guantong {
namespace {

constexpr uint32_t kDoublingsMax = 16;
constexpr int kRefusedFactor = 5;

bool IsRefusal(const absl::Status& why) {
  return absl::IsPermissionDenied(why) || absl::IsUnauthenticated(why) ||
         absl::IsFailedPrecondition(why);
}

}  // namespace

Redial::Next Redial::Ask(Instant now) const {
  if ((up_.has_value() && !quiet_) || dials_.size() >= kDialsMax) return {};
  if (now < not_before_) return {.wait = absl::FromChrono(not_before_ - now)};
  // The patient one comes third: most lines need none.
  const bool patient = dials_.size() >= 2 &&
                       std::none_of(dials_.begin(), dials_.end(),
                                    [this](const auto& dial) { return dial.second == Patience(); });
  return {.timeout = patient ? Patience() : options_.dial_timeout};
}

void Redial::Begun(LinkId dial, absl::Duration timeout, Instant now) {
  dials_[dial] = timeout;
  not_before_ = now + absl::ToChronoNanoseconds(options_.redial_beside);
}

std::vector<LinkId> Redial::Up(LinkId dial) {
  dials_.erase(dial);
  up_ = dial;
  quiet_ = false;
  return Others();
}

std::vector<LinkId> Redial::Heard(LinkId link) {
  if (up_ != link) return {};
  quiet_ = false;
  return Others();
}

void Redial::Quiet(LinkId link) {
  if (up_ == link) quiet_ = true;
}

void Redial::Ended(LinkId link, const absl::Status& why, absl::Duration up_for, double jitter,
                   Instant now) {
  const bool was_up = up_ == link;
  if (was_up) up_.reset();
  dials_.erase(link);
  // One that was given up says nothing about the peer, and one that hung has had its time.
  if (!was_up && (absl::IsAborted(why) || DetailOf(why).reason == "link_open_timeout")) return;
  not_before_ = now + absl::ToChronoNanoseconds(After(why, up_for, jitter));
}

absl::Duration Redial::After(const absl::Status& why, absl::Duration up_for, double jitter) {
  if (up_for >= options_.redial_max) failures_ = 0;
  const absl::Duration longest =
      IsRefusal(why) ? kRefusedFactor * options_.redial_max : options_.redial_max;
  const absl::Duration doubled =
      options_.redial_min * static_cast<double>(1u << std::min(failures_, kDoublingsMax));
  ++failures_;
  return std::min(doubled, longest) * (1.0 - jitter / 2);
}

std::vector<LinkId> Redial::Others() const {
  std::vector<LinkId> others;
  for (const auto& [dial, timeout] : dials_) others.push_back(dial);
  return others;
}

}  // namespace guantong
