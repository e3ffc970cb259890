#include "catalog/rocks/table_pace.h"

#include "tests/catch.h"

namespace guantong {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kRate = 64 << 20;
constexpr uint64_t kPiece = 256 << 10;  // 3.9 ms at that rate

TEST_CASE("table pace: pieces follow one another, and nothing is saved up") {
  Pace pace(kRate);
  const Pace::Instant start{std::chrono::hours(1)};
  Pace::Instant last;
  for (int i = 0; i < 24; ++i) last = pace.Reserve(kPiece, start);
  CHECK(last - start > milliseconds(88));
  CHECK(last - start < milliseconds(92));

  // A second later the first goes at once and the next waits as ever.
  const Pace::Instant later = start + milliseconds(1000);
  CHECK(pace.Reserve(kPiece, later) == later);
  CHECK(pace.Reserve(kPiece, later) - later > milliseconds(3));
}

TEST_CASE("table pace: what commits bring is never waited for") {
  Pace pace(kRate);
  Pace::Instant now{std::chrono::hours(1)};
  // 100 MB in every second.
  for (int i = 0; i < 30; ++i) {
    pace.Committed(10'000'000, now);
    now += milliseconds(100);
  }
  CHECK(pace.bytes_per_second(now) >= 400'000'000);
  // It was so for as long as two seconds ago.
  CHECK(pace.bytes_per_second(now + milliseconds(2500)) == kRate);
}

}  // namespace
}  // namespace guantong
