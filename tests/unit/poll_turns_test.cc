#include "relay/grpc/poll_turns.h"

#include <deque>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "relay/grpc/links.h"
#include "tests/catch.h"

namespace guantong {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kDeadline(20);

// Two threads that take events and deal with them, as gRPC's do.
class Askers {
 public:
  using Event = std::function<void()>;

  explicit Askers(const PollTurns::Limits& limits) : turns_(limits) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this] { Ask(); });
    }
  }
  ~Askers() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ended_ = true;
    }
    come_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void Add(Event event) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      events_.push_back(std::move(event));
    }
    come_.notify_one();
  }
  int asking_at_once_max() const { return asking_max_; }

 private:
  void Ask() {
    PollTurns::Instant left;
    while (true) {
      Event event;
      const bool more = turns_.Take(
          [&] {
            std::unique_lock<std::mutex> lock(mutex_);
            asking_max_ = std::max(asking_max_, ++asking_);
            come_.wait(lock, [&] { return ended_ || !events_.empty(); });
            --asking_;
            if (events_.empty()) return false;
            event = std::move(events_.front());
            events_.pop_front();
            return true;
          },
          &left);
      if (!more) return;
      event();
    }
  }

  PollTurns turns_;
  std::mutex mutex_;
  std::condition_variable come_;
  std::deque<Event> events_;
  bool ended_ = false;
  int asking_ = 0;
  int asking_max_ = 0;
  std::vector<std::thread> threads_;
};

// Deals with one event and does not come back before another has been dealt with.
void HoldUp(Askers& askers) {
  auto other = std::make_shared<std::promise<void>>();
  auto both = std::make_shared<std::promise<void>>();
  askers.Add([other, both] {
    if (other->get_future().wait_for(kDeadline) == std::future_status::ready) both->set_value();
  });
  askers.Add([other] { other->set_value(); });
  CHECK(both->get_future().wait_for(2 * kDeadline) == std::future_status::ready);
}

TEST_CASE("poll turns: brief events are all dealt with by one thread, and one asks at a time") {
  Askers askers({.away_max = hours(1), .crowded_share = 1e9});
  std::thread::id last;
  int changes = 0;
  for (int i = 0; i < 500; ++i) {
    std::promise<void> done;
    askers.Add([&] {
      const auto me = std::this_thread::get_id();
      changes += std::exchange(last, me) == me ? 0 : 1;
      done.set_value();
    });
    REQUIRE(done.get_future().wait_for(kDeadline) == std::future_status::ready);
  }
  CHECK(changes == 1);
  CHECK(askers.asking_at_once_max() == 1);
}

TEST_CASE(
    "poll turns: who is away for a moment has the turn still, and none when there is no more") {
  PollTurns turns({.look_every = hours(1), .away_max = hours(1), .crowded_share = 1e9});
  PollTurns::Instant left;
  REQUIRE(turns.Take([] { return true; }, &left));
  std::promise<void> polled;
  std::thread other([&] {
    PollTurns::Instant others_left;
    turns.Take(
        [&] {
          polled.set_value();
          return false;
        },
        &others_left);
  });
  std::future<void> other_polled = polled.get_future();
  CHECK(other_polled.wait_for(milliseconds(100)) == std::future_status::timeout);
  CHECK_FALSE(turns.Take([] { return false; }, &left));
  CHECK(other_polled.wait_for(kDeadline) == std::future_status::ready);
  other.join();
}

TEST_CASE("poll turns: who does not come back is waited for by nobody") {
  Askers askers({.look_every = milliseconds(5), .away_max = milliseconds(5), .crowded_share = 1e9});
  HoldUp(askers);
  HoldUp(askers);
}

TEST_CASE("poll turns: where there is hardly any waiting, each event is handed on") {
  Askers askers({.look_every = hours(1), .crowded_share = 0, .crowded_window = milliseconds(0)});
  std::promise<void> begun;
  askers.Add([&] { begun.set_value(); });
  begun.get_future().wait();
  HoldUp(askers);
}

TEST_CASE("poll turns: gRPC asks by ours") { CHECK(PollTurnsAreOurs()); }

}  // namespace
}  // namespace guantong
