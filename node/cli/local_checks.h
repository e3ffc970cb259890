// What can be said about a node from its folder alone, when it does not answer.
#ifndef GUANTONG_NODE_CLI_LOCAL_CHECKS_H_
#define GUANTONG_NODE_CLI_LOCAL_CHECKS_H_

#include <string>

#include "absl/status/status.h"
#include "guantong/v1/node.pb.h"

namespace guantong {

// `unanswered`: why asking the node failed, OK when it was not asked. Changes nothing.
v1::DoctorResponse CheckLocally(const std::string& dir, const absl::Status& unanswered);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_LOCAL_CHECKS_H_
