#include "relay/grpc/redial.h"

#include "catalog/base/status.h"
#include "tests/catch.h"

namespace guantong {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const LinkOptions kOptions;
const absl::Status kHung = Error(absl::StatusCode::kDeadlineExceeded, "link_open_timeout", "hung");
const absl::Status kGone = absl::UnavailableError("connection refused");
const absl::Status kNo = absl::PermissionDeniedError("no");

class Clock {
 public:
  explicit Clock(Redial* redial) : redial_(redial) {}

  // Dials as often as it is told to within `span`; how often that was.
  int DialFor(milliseconds span) {
    int begun = 0;
    for (const Instant end = now + span; now < end;) {
      const Redial::Next next = redial_->Ask(now);
      if (next.timeout.has_value()) {
        redial_->Begun(++last, *next.timeout, now);
        longest = std::max(longest, *next.timeout);
        ++begun;
      } else {
        now += milliseconds(50);
      }
    }
    return begun;
  }

  Instant now = Instant() + std::chrono::hours(1);
  LinkId last = 0;
  absl::Duration longest;

 private:
  Redial* redial_;
};

TEST_CASE("a dial that hangs gets company, within a bound, and one of them is patient") {
  Redial redial(kOptions);
  Clock clock(&redial);
  CHECK(clock.DialFor(milliseconds(500)) == 1);
  CHECK(clock.DialFor(seconds(60)) == static_cast<int>(kDialsMax) - 1);
  CHECK(clock.longest == 3 * kOptions.dial_timeout);
  // One that has had its time makes room for the next, without a wait.
  redial.Ended(1, kHung, absl::ZeroDuration(), 0, clock.now);
  CHECK(redial.Ask(clock.now).timeout == kOptions.dial_timeout);
  // The first that comes through makes the others superfluous.
  CHECK(redial.Up(2) == std::vector<LinkId>{3, 4});
  CHECK_FALSE(redial.Ask(clock.now + seconds(60)).timeout.has_value());
}

TEST_CASE("a link that falls quiet is dialled past, until it is heard again") {
  Redial redial(kOptions);
  Clock clock(&redial);
  clock.DialFor(milliseconds(100));
  redial.Up(1);
  CHECK(clock.DialFor(seconds(10)) == 0);
  redial.Quiet(1);
  CHECK(clock.DialFor(milliseconds(100)) == 1);
  CHECK(redial.Heard(1) == std::vector<LinkId>{2});
  redial.Ended(2, absl::AbortedError("given up"), absl::ZeroDuration(), 0, clock.now);
  CHECK(clock.DialFor(seconds(10)) == 0);
  // The link that was passed says nothing about the new one when it goes.
  redial.Quiet(1);
  clock.DialFor(milliseconds(100));
  redial.Up(3);
  redial.Ended(1, absl::AbortedError("replaced"), absl::Seconds(20), 0, clock.now);
  CHECK(clock.DialFor(seconds(10)) == 0);
  redial.Ended(3, kGone, absl::Seconds(20), 0, clock.now);
  CHECK(clock.DialFor(milliseconds(200)) == 1);
}

TEST_CASE("a long line is quiet later, and dialled past at its own pace") {
  LinePace pace;
  CHECK(pace.QuietAfter(kOptions) == kOptions.quiet_after);
  for (int i = 0; i < 20; ++i) pace.Measured(milliseconds(20));
  CHECK(pace.QuietAfter(kOptions) == kOptions.quiet_after);
  // The line has changed: what it was is forgotten, and one fast answer is believed at once.
  for (int i = 0; i < 8; ++i) pace.Measured(milliseconds(650));
  CHECK(pace.QuietAfter(kOptions) == absl::Milliseconds(8 * 650));
  pace.Measured(milliseconds(20));
  CHECK(pace.QuietAfter(kOptions) == kOptions.quiet_after);
  // However long, there is time for a dial before the link is given up.
  for (int i = 0; i < 8; ++i) pace.Measured(seconds(5));
  CHECK(pace.QuietAfter(kOptions) == kOptions.liveness / 2);

  Redial redial(kOptions);
  Clock clock(&redial);
  clock.DialFor(milliseconds(100));
  redial.Up(1);
  redial.Measured(milliseconds(650));
  redial.Quiet(1);
  CHECK(clock.DialFor(milliseconds(3900)) == 2);
  CHECK(clock.longest == absl::Milliseconds(6500));
  // One of them is patient here too, and no more than before are under way.
  CHECK(clock.DialFor(seconds(60)) == static_cast<int>(kDialsMax) - 2);
  CHECK(clock.longest == absl::Milliseconds(3 * 6500));
}

TEST_CASE("who is not there is dialled every second at the latest, who says no every five") {
  for (const auto& [why, longest] :
       {std::pair{kGone, kOptions.redial_max}, std::pair{kNo, 5 * kOptions.redial_max}}) {
    Redial redial(kOptions);
    Clock clock(&redial);
    absl::Duration wait;
    for (int i = 0; i < 20; ++i) {
      REQUIRE(clock.DialFor(seconds(6)) > 0);
      // All that were begun meanwhile fail alike.
      for (LinkId dial = 1; dial <= clock.last; ++dial) {
        redial.Ended(dial, why, absl::ZeroDuration(), 0, clock.now);
      }
      const absl::Duration before = wait;
      wait = redial.Ask(clock.now).wait;
      CHECK(wait >= before);
    }
    CHECK(wait == longest);
  }
}

}  // namespace
}  // namespace guantong
