// A routed call as those see it who ask, and what came of it.
#ifndef GUANTONG_NODE_CALL_QUESTION_H_
#define GUANTONG_NODE_CALL_QUESTION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "guantong/v1/call.pb.h"

namespace guantong {

struct CallQuestion {
  std::string target;  // path
  std::string method;
  std::string body;
  std::string uscc;  // on whose behalf, empty: the node itself
  std::string purpose;
  absl::Duration budget;
};

struct CallAnswer {
  absl::Status status;
  std::string body;
  std::vector<v1::Hop> hops;  // also of a call that failed, as far as it came
  std::string answered_by;
  absl::Duration elapsed;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CALL_QUESTION_H_
