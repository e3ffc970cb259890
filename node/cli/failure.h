// How a failure leaves the program: the exit status, the text for people, the document for scripts.
// A contract (design, section 5).
#ifndef GUANTONG_NODE_CLI_FAILURE_H_
#define GUANTONG_NODE_CLI_FAILURE_H_

#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "node/cli/invocation.h"

namespace guantong {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitRefused = 4;      // identity, grant, policy
inline constexpr int kExitUnavailable = 5;  // unavailable or out of time: try again

// The arguments themselves are wrong.
absl::Status UsageError(absl::string_view message, absl::string_view remedy = "");

int ExitCode(const absl::Status& status);

// What failed, on what, why, what to do next, and the stable reason in brackets; with -o json the
// last line is
// {"error":{"reason","message","subject","remedy"}}. `command` as typed: "catalog show".
void PrintFailure(const absl::Status& status, absl::string_view command, OutputFormat output,
                  std::FILE* err);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_FAILURE_H_
