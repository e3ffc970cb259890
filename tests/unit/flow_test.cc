// Credit and windows in virtual time.
#include "relay/grpc/flow.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <string>

#include "absl/status/status.h"
#include "catalog/base/status.h"
#include "tests/catch.h"

namespace guantong {
namespace {

using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A line that carries bytes one after another, and a receiver that grants again what it got.
class Line {
 public:
  Line(double bytes_per_second, milliseconds round_trip, uint64_t credit = 4 << 20)
      : rate_(bytes_per_second), round_trip_(round_trip) {
    flow_.Grant(credit, now_);
  }

  void SetRoundTrip(milliseconds round_trip) { round_trip_ = round_trip; }
  void SetRate(double bytes_per_second) { rate_ = bytes_per_second; }

  void Run(std::chrono::seconds span) {
    const Instant end = now_ + span;
    while (now_ < end) {
      while (const auto size = flow_.NextFragment(1 << 20)) Transmit(*size);
      largest_wait_ = std::max(largest_wait_, free_at_ - now_);
      now_ = returns_.front().at;
      flow_.Grant(returns_.front().bytes, now_);
      delivered_ += returns_.front().bytes;
      returns_.pop_front();
    }
  }

  void Reset() {
    largest_wait_ = {};
    largest_fragment_ = 0;
    delivered_ = 0;
  }

  // How long a control message would have stood behind what was in flight.
  double largest_wait_seconds() const { return duration<double>(largest_wait_).count(); }
  double largest_fragment_seconds() const { return largest_fragment_ / rate_; }
  double delivered() const { return static_cast<double>(delivered_); }

 private:
  struct Return {
    Instant at;
    uint64_t bytes;
  };

  void Transmit(size_t size) {
    flow_.Sent(size, now_);
    const auto takes = duration_cast<nanoseconds>(duration<double>(size / rate_));
    free_at_ = std::max(free_at_, now_) + takes;
    returns_.push_back({free_at_ + round_trip_, size + kFragmentCost});
    largest_fragment_ = std::max(largest_fragment_, size);
  }

  double rate_;
  milliseconds round_trip_;
  SendFlow flow_{64 << 10};
  Instant now_ = Instant() + std::chrono::hours(1);
  Instant free_at_ = now_;
  std::deque<Return> returns_;
  nanoseconds largest_wait_{};
  size_t largest_fragment_ = 0;
  uint64_t delivered_ = 0;
};

TEST_CASE("a slow line keeps about a second in flight, in small fragments, and stays full") {
  Line line(50'000 / 8, milliseconds(300));
  line.Run(std::chrono::seconds(60));
  line.Reset();
  line.Run(std::chrono::seconds(60));
  CHECK(line.largest_wait_seconds() < 1.5);
  CHECK(line.largest_fragment_seconds() <= 0.2);
  CHECK(line.delivered() > 0.8 * 60 * 50'000 / 8);
}

TEST_CASE("a fast line is filled within seconds") {
  Line line(100e6, milliseconds(20));
  line.Run(std::chrono::seconds(2));
  line.Reset();
  line.Run(std::chrono::seconds(2));
  CHECK(line.delivered() > 0.8 * 2 * 100e6);
}

TEST_CASE("a long, fast line is filled, and next to nothing stands in its queues") {
  Line line(125e6, milliseconds(100), 64 << 20);
  line.Run(std::chrono::seconds(5));
  line.Reset();
  line.Run(std::chrono::seconds(5));
  CHECK(line.delivered() > 0.95 * 5 * 125e6);
  CHECK(line.largest_wait_seconds() < 0.04);

  // Its route is another one from now on.
  line.SetRoundTrip(milliseconds(300));
  line.Run(std::chrono::seconds(20));
  line.Reset();
  line.Run(std::chrono::seconds(5));
  CHECK(line.delivered() > 0.95 * 5 * 125e6);
  CHECK(line.largest_wait_seconds() < 0.12);

  line.SetRate(12e6);
  line.Run(std::chrono::seconds(20));
  line.Reset();
  line.Run(std::chrono::seconds(5));
  CHECK(line.delivered() > 0.95 * 5 * 12e6);
  CHECK(line.largest_wait_seconds() < 0.7);
}

TEST_CASE("a long line is not taken for a slow one") {
  Line line(1e6, milliseconds(1200));
  line.Run(std::chrono::seconds(30));
  line.Reset();
  line.Run(std::chrono::seconds(30));
  CHECK(line.delivered() > 0.5 * 30 * 1e6);
}

TEST_CASE("nothing is sent without credit, and crumbs only when nothing is under way") {
  SendFlow flow(64 << 10);
  const Instant now = Instant() + std::chrono::hours(1);
  CHECK_FALSE(flow.NextFragment(1));
  flow.Grant(100, now);
  CHECK(flow.NextFragment(1000) == 100 - kFragmentCost);
  flow.Sent(10, now);
  CHECK_FALSE(flow.NextFragment(1000));
  CHECK(flow.NextFragment(20) == 20);
  flow.Grant(10 + kFragmentCost, now + milliseconds(1));
  CHECK(flow.NextFragment(1000) == 100 - kFragmentCost);
}

TEST_CASE("credit is needed at half of the window, and where the next fragment has no room") {
  SendFlow flow(64 << 10);
  const Instant now = Instant() + std::chrono::hours(1);
  flow.Grant(4 << 20, now);
  flow.Sent(flow.window_bytes() / 2 - 2 * kFragmentCost, now);
  CHECK_FALSE(flow.NeedsCredit());
  flow.Sent(kFragmentCost, now);
  CHECK(flow.NeedsCredit());
  SendFlow poor(64 << 10);
  poor.Grant(10'000, now);
  CHECK_FALSE(poor.NeedsCredit());
  poor.Sent(10'000 - poor.window_bytes() / 5 - kFragmentCost, now);
  CHECK(poor.NeedsCredit());
}

TEST_CASE("what joins a message is whole and holds the line no longer than a fragment") {
  SendFlow flow(64 << 10);
  const Instant now = Instant() + std::chrono::hours(1);
  flow.Grant(4 << 20, now);
  const size_t fragment = flow.NextFragment(1 << 20).value();
  CHECK(flow.NextFragment(100, fragment / 2) == 100);
  CHECK_FALSE(flow.NextFragment(fragment, fragment / 2));
  flow.Sent(fragment, now);
  SendFlow poor(64 << 10);
  poor.Grant(200, now);
  CHECK_FALSE(poor.NextFragment(200, 50));
}

TEST_CASE("more credit is wanted where the round trip is long and the credit is what is missing") {
  Instant now = Instant() + std::chrono::hours(1);
  const auto wanted_after = [&](milliseconds round_trip, uint64_t credit) {
    SendFlow flow(64 << 10);
    flow.Grant(credit, now);
    uint64_t wanted = 0;
    for (int round = 0; round < 12; ++round) {
      uint64_t sent = 0;
      while (const auto size = flow.NextFragment(1 << 20)) {
        flow.Sent(*size, now);
        sent += *size + kFragmentCost;
      }
      wanted = std::max(wanted, flow.TakeWanted());
      now += round_trip;
      flow.Grant(sent, now);
    }
    return wanted;
  };
  CHECK(wanted_after(milliseconds(100), 1 << 20) >= 2 << 20);
  CHECK(wanted_after(milliseconds(5), 1 << 20) == 0);
  CHECK(wanted_after(milliseconds(100), uint64_t{1} << 30) == 0);
}

TEST_CASE("on a long line credit grows until it fills it") {
  SendFlow flow(256 << 10);
  Instant now = Instant() + std::chrono::hours(1);
  uint64_t allowance = 1 << 20;
  flow.Grant(allowance, now);
  for (int round = 0; round < 60; ++round) {
    uint64_t sent = 0;
    while (const auto size = flow.NextFragment(64 << 20)) {
      flow.Sent(*size, now);
      sent += *size + kFragmentCost;
    }
    now += milliseconds(50);
    if (const uint64_t wanted = flow.TakeWanted(); wanted > allowance) {
      flow.Widen(wanted - allowance);
      allowance = wanted;
    }
    now += milliseconds(50);
    flow.Grant(sent, now);
  }
  CHECK(allowance >= 16 << 20);
}

TEST_CASE("a peer's grants cannot overflow") {
  SendFlow flow(64 << 10);
  const Instant now = Instant() + std::chrono::hours(1);
  flow.Grant(UINT64_MAX, now);
  flow.Grant(UINT64_MAX, now);
  flow.Sent(1, now);
  flow.Grant(UINT64_MAX, now);
  CHECK(flow.NextFragment(1) == 1);
}

std::string ReasonOfAdding(ReceiveFlow* flow, const std::string& data, bool last) {
  // In two parts, as a fragment may lie in the buffers of its message.
  const std::array<absl::string_view, 2> parts = {
      absl::string_view(data).substr(0, data.size() / 2),
      absl::string_view(data).substr(data.size() / 2)};
  return DetailOf(flow->Add({.parts = parts, .last = last})).reason;
}

TEST_CASE("fragments become frames, empty ones too") {
  ReceiveFlow flow(100, 10'000);
  CHECK(ReasonOfAdding(&flow, "ab", false) == "");
  CHECK_FALSE(flow.TakeFrame());
  CHECK(ReasonOfAdding(&flow, "c", true) == "");
  CHECK(ReasonOfAdding(&flow, "", true) == "");
  CHECK(flow.TakeFrame() == "abc");
  CHECK(flow.TakeFrame() == "");
  CHECK_FALSE(flow.TakeFrame());
}

TEST_CASE("consumed bytes are granted again unless held") {
  ReceiveFlow flow(1000, 10'000);
  CHECK(ReasonOfAdding(&flow, "abc", true) == "");
  CHECK(flow.TakeGrant() == 0);
  flow.Release();
  CHECK(flow.TakeGrant() == 3 + kFragmentCost);
  CHECK(flow.TakeGrant() == 0);
  flow.Hold();
  CHECK(ReasonOfAdding(&flow, "abc", true) == "");
  CHECK(flow.TakeGrant() == 0);
}

TEST_CASE("a wider allowance is granted once") {
  ReceiveFlow flow(1000, 10'000);
  flow.Release();
  flow.Widen(5000);
  CHECK(flow.allowance() == 15'000);
  CHECK(flow.grantable() == 0);
  CHECK(flow.TakeWidening() == 5000);
  CHECK(flow.TakeWidening() == 0);
}

TEST_CASE("the receiver's bounds hold against any sender") {
  ReceiveFlow flow(100, 1000);
  CHECK(ReasonOfAdding(&flow, std::string(100, 'x'), false) == "");
  CHECK(ReasonOfAdding(&flow, "x", true) == "frame_too_large");
  ReceiveFlow narrow(100, 2 * kFragmentCost);
  CHECK(ReasonOfAdding(&narrow, "", true) == "");
  CHECK(ReasonOfAdding(&narrow, "x", true) == "credit_exceeded");
}

}  // namespace
}  // namespace guantong
