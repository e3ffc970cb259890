// All that happens in a run, folded into one hash; printed on request.
#ifndef GUANTONG_TESTS_SIM_TRACE_H_
#define GUANTONG_TESTS_SIM_TRACE_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "guantong/v1/link.pb.h"
#include "tests/sim/schedule.h"

namespace guantong::sim {

class Trace {
 public:
  // `out` may be null.
  Trace(const Schedule* schedule, std::ostream* out) : schedule_(*schedule), out_(out) {}

  void Note(absl::string_view node, absl::string_view what);
  // The bytes count; they are decoded only to be printed.
  void Frame(absl::string_view node, absl::string_view what, absl::string_view to,
             absl::string_view frame);

  bool printing() const { return out_ != nullptr; }
  uint64_t hash() const { return hash_; }

 private:
  void Print(absl::string_view node, absl::string_view what);

  const Schedule& schedule_;
  std::ostream* out_;
  uint64_t hash_ = 0;
};

// One frame in one line: kind, feed, positions. Feeds are named by the first hex digits of their
// key.
std::string Describe(const v1::Frame& frame);

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_TRACE_H_
