// Errors as absl::Status: what failed, on what, and what to do next, with one machine-readable
// payload.
//
// `reason` is stable lower_snake_case that scripts read; `subject` names the thing (a code, a path,
// a file:line); `remedy` tells an operator the next step. Foreign statuses are converted in one
// function each, where they enter.
#ifndef GUANTONG_CATALOG_BASE_STATUS_H_
#define GUANTONG_CATALOG_BASE_STATUS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace guantong {

struct ErrorDetail {
  std::string reason;
  std::string subject;
  std::string remedy;
};

absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                   absl::string_view subject = "", absl::string_view remedy = "");

// Empty fields when the status carries no payload of ours.
ErrorDetail DetailOf(const absl::Status& status);

// The payload as bytes, for carrying a status over gRPC or a call reply; `WithDetail` puts it back.
std::string PackDetail(const ErrorDetail& detail);
absl::Status WithDetail(absl::Status status, absl::string_view packed_detail);

// Prefixes the message, keeps code and payload.
absl::Status Annotate(const absl::Status& status, absl::string_view prefix);

}  // namespace guantong

#define GT_CONCAT_INNER_(a, b) a##b
#define GT_CONCAT_(a, b) GT_CONCAT_INNER_(a, b)

#define GT_RETURN_IF_ERROR(expr)                                               \
  do {                                                                         \
    if (absl::Status gt_status_ = (expr); !gt_status_.ok()) return gt_status_; \
  } while (false)

#define GT_ASSIGN_OR_RETURN(lhs, expr) \
  GT_ASSIGN_OR_RETURN_(GT_CONCAT_(gt_statusor_, __LINE__), lhs, expr)
#define GT_ASSIGN_OR_RETURN_(statusor, lhs, expr) \
  auto statusor = (expr);                         \
  if (!statusor.ok()) return statusor.status();   \
  lhs = *std::move(statusor)

// Programmer errors: on in release, names the place and ends the process.
#define GT_CHECK(condition)                                                    \
  do {                                                                         \
    if (!(condition)) ::guantong::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)

namespace guantong {
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);
}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_STATUS_H_
