// A node that takes another place: chain, pin and the parent's address change together.
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "node/config.h"
#include "node/identity/files.h"
#include "node/identity/folder.h"
#include "node/identity/identity.h"
#include "node/language.h"

namespace guantong {
namespace {

// Line by line, so that what an operator has written beside it stays.
std::string WithParent(absl::string_view config, const std::string& address) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(config, '\n')) {
    if (!absl::StartsWith(line, "parent:")) lines.emplace_back(line);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  lines.push_back(absl::StrCat("parent: \"", address, "\""));
  return absl::StrCat(absl::StrJoin(lines, "\n"), "\n");
}

}  // namespace

absl::Status TakePlace(const std::string& dir, const std::string& address,
                       const std::string& parent, const v1::CertificateChain& chain) {
  GT_RETURN_IF_ERROR(
      ReplaceFile(IdentityFolder(dir).Moving(),
                  absl::StrCat(address, "\n", HexOf(parent), "\n", ChainToPem(chain))));
  return FinishMove(dir);
}

absl::Status FinishMove(const std::string& dir) {
  const IdentityFolder folder(dir);
  const auto moving = ReadSmallFile(folder.Moving());
  if (absl::IsNotFound(moving.status())) return absl::OkStatus();
  GT_RETURN_IF_ERROR(moving.status());
  const std::vector<std::string> parts = absl::StrSplit(*moving, absl::MaxSplits('\n', 2));
  if (parts.size() != 3) {
    return Error(absl::StatusCode::kFailedPrecondition, "identity_damaged",
                 Text("迁移记录损坏", "the record of a move is damaged"), folder.Moving(),
                 Text("用同一令牌再执行一次 guantong move", "say guantong move again, same token"));
  }
  const std::string config = absl::StrCat(dir, "/", kConfigFile);
  GT_ASSIGN_OR_RETURN(const std::string settings, ReadSmallFile(config));
  GT_RETURN_IF_ERROR(ReplaceFile(folder.ParentPin(), parts[1]));
  GT_RETURN_IF_ERROR(ReplaceFile(folder.Chain(), parts[2]));
  GT_RETURN_IF_ERROR(ReplaceFile(config, WithParent(settings, parts[0])));
  std::error_code error;
  std::filesystem::remove(folder.Moving(), error);
  if (!error) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "file_unwritable", error.message(), folder.Moving());
}

}  // namespace guantong
