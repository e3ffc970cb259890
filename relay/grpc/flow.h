// Credit and windows of one lane, both directions; pure, so that time can be virtual.
//
// The receiver's credit bounds its memory. It is no measure of the line: 4 MiB are eleven minutes
// at 50 kbit/s, and all that is in flight stands before the next control message, since both lanes
// share one connection. So the sender keeps a window of its own below the credit. Returned credit
// tells it how long a fragment took to be consumed: below half a second the window grows by what
// was returned (it doubles per round trip), above a second it falls to what the line carried in
// 0.7 s; a line whose mere round trip is longer is measured against that. A fragment is a fifth of
// the window, so that it holds any line for less than a fifth of a second.
//
// On a line that is long and fast half a second is more than stands in any queue on the way: what
// is dropped there holds up all behind it until it is repeated, and the line stands. So beyond
// kWindowBytesShort a long line's window is half as much again as what fills the line: what it
// carried at best of late, in its shortest round trip.
#ifndef GUANTONG_RELAY_GRPC_FLOW_H_
#define GUANTONG_RELAY_GRPC_FLOW_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "relay/grpc/link_bytes.h"

namespace guantong {

using Instant = std::chrono::steady_clock::time_point;

// What a fragment costs beside its data, so that empty frames are bounded too.
inline constexpr uint64_t kFragmentCost = 32;

class SendFlow {
 public:
  explicit SendFlow(size_t fragment_bytes_max);

  // Credit granted by the peer, first in its LaneOpen. How long the newest of the fragments took
  // that it returns.
  std::optional<std::chrono::nanoseconds> Grant(uint64_t bytes, Instant now);
  // Credit beyond the first, which returns nothing.
  void Widen(uint64_t bytes);
  // The data bytes the next fragment may hold when `remaining` are left of the frame; nothing: wait
  // for credit. With `message_bytes` of fragments in its message already: only whole, and only
  // where all of the message holds the line no longer than one fragment may.
  std::optional<size_t> NextFragment(size_t remaining, size_t message_bytes = 0) const;
  void Sent(size_t data_bytes, Instant now);
  // Credit should come back before much more is sent: half of what may be in flight is, or all but
  // a fragment.
  bool NeedsCredit() const;

  uint64_t window_bytes() const { return window_; }
  // What all credit together should be, where the round trip is long and the credit, not the line,
  // keeps the sender waiting; 0 where it does not. Once per size.
  uint64_t TakeWanted();

 private:
  struct Mark {
    uint64_t sent_total;
    uint64_t returned_total;
    uint64_t in_flight;  // when it was sent, itself included
    Instant at;
  };

  size_t FragmentBytes() const;
  // The most of the last seconds.
  class Recent {
   public:
    void Add(double rate, Instant now);
    double most() const { return std::max(now_, before_); }

   private:
    Instant since_;
    double now_ = 0;
    double before_ = 0;
  };

  void Adapt(const Mark& mark, uint64_t granted, std::chrono::nanoseconds took, Instant now);

  const size_t fragment_bytes_max_;
  uint64_t credit_ = 0;
  uint64_t window_;
  uint64_t sent_total_ = 0;
  uint64_t returned_total_ = 0;
  bool opened_ = false;
  mutable bool starved_ = false;  // a fragment fits the window and not the credit
  uint64_t wanted_ = 0;           // told last
  std::list<Mark> marks_;         // one per fragment in flight
  Recent carried_;                // bytes a second
  std::chrono::nanoseconds shortest_ = std::chrono::nanoseconds::max();
};

class ReceiveFlow {
 public:
  // `credit_bytes` has been granted in our LaneOpen.
  ReceiveFlow(size_t frame_bytes_max, uint64_t credit_bytes);

  // Copies the data. RESOURCE_EXHAUSTED frame_too_large, credit_exceeded: the peer broke the rules,
  // the lane is of no use now.
  absl::Status Add(const ReceivedFragment& fragment);
  // The next complete frame.
  std::optional<std::string> TakeFrame();

  // Credit beyond the first. Not taken back.
  void Widen(uint64_t bytes) {
    allowance_ += bytes;
    widening_ += bytes;
  }
  // All that the peer may have unconsumed here.
  uint64_t allowance() const { return allowance_; }

  // While held, consumed bytes are kept back instead of granted again. Held from the start.
  void Hold() { held_ = true; }
  void Release() { held_ = false; }
  // What to grant the peer now, 0 for nothing.
  uint64_t TakeGrant();
  // What Widen has added and the peer was not told, 0 for nothing. Told apart from what was
  // consumed: the peer measures the line by the latter.
  uint64_t TakeWidening();
  // What TakeGrant would give.
  uint64_t grantable() const { return held_ ? 0 : consumed_; }

 private:
  const size_t frame_bytes_max_;
  uint64_t allowance_;
  uint64_t credit_;        // the peer may still send
  uint64_t consumed_ = 0;  // and not granted again
  uint64_t widening_ = 0;  // and not told
  bool held_ = true;
  std::string partial_;
  std::list<std::string> complete_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_FLOW_H_
