#include "node/finder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/view.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr char kLookup[] = "lookup";
constexpr char kTaken[] = "taken";

absl::Status Malformed() {
  return Error(absl::StatusCode::kInvalidArgument, "call_malformed",
               "调用内容无法解析 (the call's body does not parse)");
}

}  // namespace

Finder::Finder(const Site* site, Calls* calls, const Directory* directory, Sights* sights)
    : site_(*site), calls_(*calls), directory_(*directory), sights_(*sights) {}

void Finder::Register() {
  calls_.Serve(kLookup,
               [this](const v1::SignedCall& call, absl::Time) -> absl::StatusOr<std::string> {
                 GT_ASSIGN_OR_RETURN(
                     const v1::ShowResponse found,
                     FindHere(*site_.store->Snapshot(), call.body(), UpwardItems::kKeptBack));
                 return found.SerializeAsString();
               });
  calls_.Serve(kTaken,
               [this](const v1::SignedCall& call, absl::Time) -> absl::StatusOr<std::string> {
                 const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
                 std::vector<absl::string_view> taken;
                 const std::vector<absl::string_view> asked =
                     absl::StrSplit(call.body(), '\n', absl::SkipEmpty());
                 if (asked.size() > kCodesAskedMax) return Malformed();
                 for (const absl::string_view code : asked) {
                   if (FindEntry(*snapshot, code, UpwardItems::kKeptBack).ok())
                     taken.push_back(code);
                 }
                 return absl::StrJoin(taken, "\n");
               });
}

Finder::Taken Finder::TakenAbove(const std::vector<std::string>& codes,
                                 const CallerIdentity& caller) {
  Taken taken;
  const absl::Time deadline = absl::Now() + absl::Seconds(kCodesAskSeconds);
  for (size_t begin = 0; begin < codes.size() && taken.missing.ok(); begin += kCodesAskedMax) {
    const auto first = codes.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last =
        codes.begin() + static_cast<std::ptrdiff_t>(std::min(codes.size(), begin + kCodesAskedMax));
    const Calls::Highest above = calls_.AskHighest(
        NodePath(),
        {.method = kTaken, .body = absl::StrJoin(first, last, "\n"), .uscc = caller.uscc},
        deadline);
    taken.missing = above.missing.ok() ? above.answer.status : above.missing;
    if (!above.answer.status.ok()) continue;
    for (const absl::string_view code : absl::StrSplit(above.answer.body, '\n', absl::SkipEmpty()))
      taken.codes.insert(std::string(code));
  }
  return taken;
}

void Finder::Describe(const Reader& snapshot, v1::ShowResponse* found) const {
  absl::StatusOr<v1::TreeNode> node = directory_.Find(snapshot, found->entry().node());
  if (!node.ok()) return;
  found->set_provider_path(node->path());
  found->set_provider_node_name(node->name());
}

absl::StatusOr<v1::ShowResponse> Finder::FindHere(const Reader& snapshot, absl::string_view code,
                                                  UpwardItems items) const {
  v1::ShowResponse found;
  GT_ASSIGN_OR_RETURN(*found.mutable_entry(), FindEntry(snapshot, code, items));
  if (!directory_.Find(snapshot, found.entry().node()).ok()) {
    return Error(
        absl::StatusCode::kNotFound, "entry_unknown",
        absl::StrCat("条目 ", code, " 的提供节点未知 (the entry's node is not known here)"), code);
  }
  Describe(snapshot, &found);
  return found;
}

std::shared_ptr<const Finder::Found> Finder::FindKnown(const std::string& code) const {
  return sights_.Now(*site_.store)->Keep<Found>(code, [&](const Reader& reader) {
    return FindHere(reader, code, UpwardItems::kShown);
  });
}

absl::StatusOr<v1::ShowResponse> Finder::Find(absl::string_view code, const CallerIdentity& caller,
                                              absl::Time deadline) {
  absl::StatusOr<v1::ShowResponse> here = *FindKnown(std::string(code));
  if (here.ok() || !absl::IsNotFound(here.status())) return here;
  absl::Status unasked;
  for (const v1::TreeNode& ancestor : directory_.ancestors()) {
    CallAnswer answer = calls_.Ask({.target = ancestor.path(),
                                    .method = kLookup,
                                    .body = std::string(code),
                                    .uscc = caller.uscc,
                                    .budget = deadline - absl::Now()});
    if (absl::IsNotFound(answer.status)) continue;
    if (!answer.status.ok()) {
      unasked = answer.status;
      break;  // whoever stands above is behind the same hop
    }
    v1::ShowResponse found;
    if (!found.ParseFromString(answer.body)) return Malformed();
    found.mutable_hops()->Assign(answer.hops.begin(), answer.hops.end());
    return found;
  }
  if (!unasked.ok()) {
    return Annotate(unasked,
                    absl::StrCat("本节点没有条目 ", code,
                                 "，向上级查询失败 (not known here, and asking above failed): "));
  }
  return Error(absl::StatusCode::kNotFound, "entry_unknown",
               absl::StrCat("没有这个条目：", code, " (no such entry)"), code,
               "核对代码，或用 guantong catalog search 查找 (check the code, or search)");
}

}  // namespace guantong
