#include "relay/grpc/redial.h"

#include <algorithm>

#include "catalog/base/status.h"

namespace guantong {
namespace {

constexpr uint32_t kDoublingsMax = 16;
constexpr int kRefusedFactor = 5;

constexpr size_t kMeasuredLately = 8;
// A ping that is lost twice, and what it takes to notice.
constexpr int kQuietRoundTrips = 8;
// TCP, TLS and both lanes are opened in five, with certificates that a slow line holds for one more
// each way; another dial begins when the first may have got half of the way.
constexpr int kDialRoundTrips = 10;
constexpr int kBesideRoundTrips = 3;

bool IsRefusal(const absl::Status& why) {
  return absl::IsPermissionDenied(why) || absl::IsUnauthenticated(why) ||
         absl::IsFailedPrecondition(why);
}

}  // namespace

void LinePace::Measured(std::chrono::nanoseconds took) {
  took_.push_back(took);
  if (took_.size() > kMeasuredLately) took_.pop_front();
}

std::chrono::nanoseconds LinePace::round_trip() const {
  return took_.empty() ? std::chrono::nanoseconds::zero()
                       : *std::min_element(took_.begin(), took_.end());
}

absl::Duration LinePace::QuietAfter(const LinkOptions& options) const {
  // Dials need what is left of the liveness time.
  const absl::Duration late = std::max(options.quiet_after, options.liveness / 2);
  return std::clamp(kQuietRoundTrips * absl::FromChrono(round_trip()), options.quiet_after, late);
}

Redial::Next Redial::Ask(Instant now) const {
  if ((up_.has_value() && !quiet_) || dials_.size() >= kDialsMax) return {};
  if (now < not_before_) return {.wait = absl::FromChrono(not_before_ - now)};
  // The patient one comes third: most lines need none.
  const bool patient = dials_.size() >= 2 &&
                       std::none_of(dials_.begin(), dials_.end(),
                                    [this](const auto& dial) { return dial.second > Timeout(); });
  return {.timeout = patient ? Patience() : Timeout()};
}

void Redial::Begun(LinkId dial, absl::Duration timeout, Instant now) {
  dials_[dial] = timeout;
  const absl::Duration beside =
      std::clamp(kBesideRoundTrips * round_trip_, options_.redial_beside, Timeout());
  not_before_ = now + absl::ToChronoNanoseconds(beside);
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

void Redial::Measured(std::chrono::nanoseconds round_trip) {
  round_trip_ = absl::FromChrono(round_trip);
}

absl::Duration Redial::Timeout() const {
  const absl::Duration longest = std::max(options_.dial_timeout, options_.liveness);
  return std::clamp(kDialRoundTrips * round_trip_, options_.dial_timeout, longest);
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
