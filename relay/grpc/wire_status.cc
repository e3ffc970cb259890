#include "relay/grpc/wire_status.h"

#include <grpcpp/support/status.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

constexpr size_t kReasonBytesMax = 64;
constexpr absl::string_view kCut = "…";

// At most `bytes_max`, never through the middle of a UTF-8 character.
std::string Cut(absl::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t end = bytes_max - kCut.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), kCut);
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  ErrorDetail detail = DetailOf(status);
  detail.reason = Cut(detail.reason, kReasonBytesMax);
  detail.subject = Cut(detail.subject, kWireSubjectBytesMax);
  detail.remedy = Cut(detail.remedy, kWireRemedyBytesMax);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      Cut(status.message(), kWireMessageBytesMax), PackDetail(detail));
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const int code = static_cast<int>(status.error_code());
  // Reading the code back maps what is not canonical to UNKNOWN.
  const absl::StatusCode canonical = absl::Status(static_cast<absl::StatusCode>(code), "").code();
  absl::Status ours =
      WithDetail(absl::Status(canonical, status.error_message()), status.error_details());
  if (!DetailOf(ours).reason.empty()) return ours;
  return Error(canonical,
               absl::StrCat("rpc_", absl::AsciiStrToLower(absl::StatusCodeToString(canonical))),
               status.error_message());
}

}  // namespace guantong
