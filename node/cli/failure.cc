#include "node/cli/failure.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/cli/table.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

constexpr absl::string_view kUsageReasons[] = {"usage", "profile_missing", "where_invalid",
                                               "code_malformed"};
// Refused in this state, and open again by itself in a moment.
constexpr absl::string_view kTransientReasons[] = {"push_open", "base_moved", "store_locked"};
constexpr absl::string_view kOversizeReasons[] = {"push_too_large", "frame_too_large"};

template <size_t N>
bool IsOneOf(const std::string& reason, const absl::string_view (&reasons)[N]) {
  for (const absl::string_view one : reasons) {
    if (reason == one) return true;
  }
  return false;
}

std::string ReasonOf(const absl::Status& status) {
  std::string reason = DetailOf(status).reason;
  if (!reason.empty()) return reason;
  return absl::AsciiStrToLower(absl::StatusCodeToString(status.code()));
}

std::string RemedyFor(const absl::Status& status) {
  if (absl::StartsWith(ReasonOf(status), "file_")) {
    return Text("核对文件名和权限", "check the file's name and permissions");
  }
  switch (ExitCode(status)) {
    case kExitUsage:
      return Text("用 --help 查看用法", "see --help");
    case kExitNotFound:
      return Text("核对代码；用 guantong catalog search 查找",
                  "check the code; guantong catalog search finds entries");
    case kExitRefused:
      return Text("核对所用的身份（--profile）和权限", "check the profile in use and its rights");
    case kExitUnavailable:
      return Text("稍后重试；用 guantong doctor 检查节点，必要时加大 --timeout",
                  "try again; guantong doctor looks at the node; raise --timeout if need be");
    default:
      return "";
  }
}

}  // namespace

absl::Status UsageError(absl::string_view message, absl::string_view remedy) {
  return Error(absl::StatusCode::kInvalidArgument, "usage", message, "", remedy);
}

int ExitCode(const absl::Status& status) {
  const std::string reason = DetailOf(status).reason;
  if (IsOneOf(reason, kUsageReasons)) return kExitUsage;
  if (IsOneOf(reason, kTransientReasons)) return kExitUnavailable;
  if (IsOneOf(reason, kOversizeReasons)) return kExitFailed;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitDone;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kFailedPrecondition:
      return kExitRefused;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
      return kExitUnavailable;
    default:
      return kExitFailed;
  }
}

void PrintFailure(const absl::Status& status, absl::string_view command, OutputFormat output,
                  std::FILE* err) {
  ErrorDetail detail = DetailOf(status);
  detail.reason = ReasonOf(status);
  if (detail.remedy.empty()) detail.remedy = RemedyFor(status);
  const std::string message(status.message());

  std::string text = absl::StrCat(Text("错误：", "error: "), command, Text(" 失败", " failed"));
  // Many messages name their subject already.
  if (!detail.subject.empty() && !absl::StrContains(message, detail.subject)) {
    absl::StrAppend(&text, Text("（", " ("), detail.subject, Text("）", ")"));
  }
  absl::StrAppend(&text, Text("：", ": "), message, " [", detail.reason, "]\n");
  if (!detail.remedy.empty()) {
    absl::StrAppend(&text, Text("下一步：", "next: "), detail.remedy, "\n");
  }
  text = Printable(text, KeepLines::kYes);
  std::fwrite(text.data(), 1, text.size(), err);
  if (output != OutputFormat::kJson) return;
  const nlohmann::ordered_json document = {{"error",
                                            {{"reason", detail.reason},
                                             {"message", message},
                                             {"subject", detail.subject},
                                             {"remedy", detail.remedy}}}};
  std::fprintf(err, "%s\n", JsonText(document).c_str());
}

}  // namespace guantong
