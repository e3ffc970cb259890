#include "relay/grpc/flow.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;

constexpr uint64_t kWindowBytesFirst = 32 << 10;
constexpr uint64_t kWindowBytesMin = 4 << 10;
constexpr uint64_t kCreditBytesMax = uint64_t{1} << 30;  // whatever a peer says
constexpr size_t kFragmentBytesMin = 1 << 10;
constexpr milliseconds kSwift(500);
constexpr milliseconds kSlow(1000);
constexpr duration<double> kTarget(0.7);
// On a shorter line the first credit is enough for anything.
constexpr milliseconds kLongRoundTrip(30);
// Half a second of a line that fills no queue on its way.
constexpr uint64_t kWindowBytesShort = 4 << 20;
// Beyond it: so many times what fills the line, by what it carried at best in the time below.
constexpr double kOverfull = 1.25;
constexpr std::chrono::seconds kRecent(1);

}  // namespace

SendFlow::SendFlow(size_t fragment_bytes_max)
    : fragment_bytes_max_(std::max(fragment_bytes_max, kFragmentBytesMin)),
      window_(kWindowBytesFirst) {}

std::optional<std::chrono::nanoseconds> SendFlow::Grant(uint64_t bytes, Instant now) {
  bytes = std::min(bytes, kCreditBytesMax);
  credit_ = std::min(credit_ + bytes, kCreditBytesMax);
  if (!std::exchange(opened_, true)) return std::nullopt;  // the first grant returns nothing
  returned_total_ = std::min(returned_total_ + bytes, sent_total_);
  std::optional<Mark> newest;
  while (!marks_.empty() && marks_.front().sent_total <= returned_total_) {
    newest = marks_.front();
    marks_.pop_front();
  }
  if (!newest.has_value()) return std::nullopt;
  const auto took =
      std::max<std::chrono::nanoseconds>(now - newest->at, std::chrono::microseconds(1));
  Adapt(*newest, bytes, took, now);
  return took;
}

void SendFlow::Widen(uint64_t bytes) {
  credit_ = std::min(credit_ + std::min(bytes, kCreditBytesMax), kCreditBytesMax);
}

void SendFlow::Adapt(const Mark& mark, uint64_t granted, std::chrono::nanoseconds took,
                     Instant now) {
  shortest_ = std::min(shortest_, took);
  const duration<double> time = took;
  carried_.Add(static_cast<double>(returned_total_ - mark.returned_total) / time.count(), now);
  // A line whose round trip alone is long is not slow for that.
  if (took > std::max<std::chrono::nanoseconds>(kSlow, 2 * shortest_)) {
    window_ = static_cast<uint64_t>(static_cast<double>(mark.in_flight) * (kTarget / time));
  } else if (shortest_ >= kLongRoundTrip && window_ > kWindowBytesShort) {
    const duration<double> round_trip = shortest_;
    const double filled = carried_.most() * round_trip.count();
    window_ = std::max(kWindowBytesShort, static_cast<uint64_t>(kOverfull * filled));
    // What so little takes so long on has another way by now.
    if (window_ == kWindowBytesShort && time > kOverfull * round_trip) shortest_ = took;
  } else if (took < std::max<std::chrono::nanoseconds>(kSwift, shortest_ * 5 / 4)) {
    // A window that was not in use proves nothing about a larger one.
    if (2 * mark.in_flight >= window_) window_ += granted;
  }
  window_ = std::clamp(window_, kWindowBytesMin, kCreditBytesMax);
}

void SendFlow::Recent::Add(double rate, Instant now) {
  if (now - since_ > kRecent) {
    before_ = std::exchange(now_, 0);
    since_ = now;
  }
  now_ = std::max(now_, rate);
}

size_t SendFlow::FragmentBytes() const {
  return std::clamp(static_cast<size_t>(window_ / 5), kFragmentBytesMin, fragment_bytes_max_);
}

std::optional<size_t> SendFlow::NextFragment(size_t remaining, size_t message_bytes) const {
  const uint64_t in_flight = sent_total_ - returned_total_;
  const uint64_t room = std::min(credit_, window_ > in_flight ? window_ - in_flight : 0);
  const size_t wanted = std::min(remaining, FragmentBytes());
  if (message_bytes > 0) {
    const bool fits = message_bytes + kFragmentCost + remaining <= FragmentBytes() &&
                      room >= remaining + kFragmentCost;
    return fits ? std::optional<size_t>(remaining) : std::nullopt;
  }
  if (room >= wanted + kFragmentCost) return wanted;
  starved_ |= window_ >= in_flight + wanted + kFragmentCost;
  // Crumbs are worth sending only when nothing else will come back with credit.
  if (in_flight == 0 && room > kFragmentCost) return static_cast<size_t>(room - kFragmentCost);
  return std::nullopt;
}

uint64_t SendFlow::TakeWanted() {
  if (!std::exchange(starved_, false) || shortest_ < kLongRoundTrip) return 0;
  const uint64_t wanted = std::min(2 * (credit_ + sent_total_ - returned_total_), kCreditBytesMax);
  return wanted > wanted_ ? wanted_ = wanted : 0;
}

bool SendFlow::NeedsCredit() const {
  const uint64_t in_flight = sent_total_ - returned_total_;
  const uint64_t most = std::min(window_, credit_ + in_flight);
  return 2 * in_flight >= most || in_flight + FragmentBytes() + kFragmentCost > most;
}

void SendFlow::Sent(size_t data_bytes, Instant now) {
  const uint64_t cost = data_bytes + kFragmentCost;
  credit_ -= cost;
  sent_total_ += cost;
  marks_.push_back({sent_total_, returned_total_, sent_total_ - returned_total_, now});
}

ReceiveFlow::ReceiveFlow(size_t frame_bytes_max, uint64_t credit_bytes)
    : frame_bytes_max_(frame_bytes_max), allowance_(credit_bytes), credit_(credit_bytes) {}

absl::Status ReceiveFlow::Add(const ReceivedFragment& fragment) {
  size_t bytes = 0;
  for (const absl::string_view part : fragment.parts) bytes += part.size();
  const uint64_t cost = bytes + kFragmentCost;
  if (cost > credit_) {
    return Error(absl::StatusCode::kResourceExhausted, "credit_exceeded",
                 "the peer sent more than it was granted");
  }
  if (partial_.size() + bytes > frame_bytes_max_) {
    return Error(absl::StatusCode::kResourceExhausted, "frame_too_large",
                 absl::StrCat("a frame exceeds ", frame_bytes_max_, " bytes"));
  }
  credit_ -= cost;
  consumed_ += cost;
  // What a frame that is not yet whole will come to is not known; it grows by doubling.
  if (fragment.last) partial_.reserve(partial_.size() + bytes);
  for (const absl::string_view part : fragment.parts) partial_.append(part.data(), part.size());
  if (fragment.last) complete_.push_back(std::exchange(partial_, {}));
  return absl::OkStatus();
}

std::optional<std::string> ReceiveFlow::TakeFrame() {
  if (complete_.empty()) return std::nullopt;
  std::string frame = std::move(complete_.front());
  complete_.pop_front();
  return frame;
}

uint64_t ReceiveFlow::TakeGrant() {
  if (held_) return 0;
  const uint64_t grant = std::exchange(consumed_, 0);
  credit_ += grant;
  return grant;
}

uint64_t ReceiveFlow::TakeWidening() {
  if (held_) return 0;
  credit_ += widening_;
  return std::exchange(widening_, 0);
}

}  // namespace guantong
