// A call is answered once (the node checks), by whom it was put to, or fails and says truly whether
// it may have been executed.
#include "absl/strings/str_cat.h"
#include "tests/sim/checkers.h"

namespace guantong::sim {

void CheckAnswer(World& world, const std::string& body, const CallDone& done) {
  const CallOutcome& outcome = world.ledger().calls[body];
  const auto wrong = [&](const std::string& what) { world.Wrong(absl::StrCat(body, ": ", what)); };
  switch (done.reply.status()) {
    case v1::CALL_STATUS_OK:
      ++world.ledger().calls_answered;
      if (done.reply.body() != absl::StrCat("echo ", body)) wrong("answered with something else");
      if (!done.status.ok()) wrong("answered well, and reported as failed");
      [[fallthrough]];
    case v1::CALL_STATUS_FAILED:
      if (outcome.executions != 1) wrong("answered without having been executed");
      return;
    case v1::CALL_STATUS_NOT_EXECUTED:
      if (outcome.executions != 0) wrong("executed, and reported as not");
      [[fallthrough]];
    case v1::CALL_STATUS_UNKNOWN:
      if (done.status.ok()) wrong("failed, and reported as well");
      return;
    default:
      wrong(absl::StrCat("ended with ", v1::CallStatus_Name(done.reply.status())));
  }
}

}  // namespace guantong::sim
