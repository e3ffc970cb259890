#include "node/entries/codes.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "catalog/view.h"
#include "node/limits.h"

namespace guantong {
namespace {

// A division that is hosted here may have a node of its own one day, which counts from 1.
constexpr uint64_t kHostedSerialsFrom = 500000;

}  // namespace

bool CodeGiver::Free(const std::string& code) const {
  if (given_.count(code) > 0 || above_.codes.count(code) > 0 || FindEntry(snapshot_, code).ok())
    return false;
  std::string ignored;
  if (snapshot_.Get(DraftKey(code), &ignored).ok()) return false;
  const std::string acts = ActPrefix(code);
  return !snapshot_.Scan(acts, PrefixEnd(acts))->Valid();
}

absl::StatusOr<std::string> CodeGiver::Next(const std::string& entry_class,
                                            const std::string& division) {
  const std::string hosted = tree_.DelegateDivision(entry_class);
  const bool ours =
      tree_.Delegate(entry_class) == site_.node_id() && (hosted.empty() || hosted == division);
  const uint32_t turn = tree_.DelegateTurn(entry_class);
  const uint64_t before = ours ? (turn - 1) * kSerialsPerDelegate : 0;
  const std::string count =
      !ours ? division
            : absl::StrCat("class/", entry_class, turn > 1 ? absl::StrCat("/", turn) : "");
  auto it = serials_.find(count);
  if (it == serials_.end()) {
    std::string last;
    uint64_t serial = ours ? before : division == site_.options.division ? 0 : kHostedSerialsFrom;
    const absl::Status read = snapshot_.Get(SerialKey(count), &last);
    if (!read.ok() && !absl::IsNotFound(read)) return read;
    if (read.ok() && !absl::SimpleAtoi(last, &serial)) {
      return Error(absl::StatusCode::kDataLoss, "store_corrupt",
                   "顺序号记录损坏 (the serial does not parse)");
    }
    it = serials_.emplace(count, serial).first;
  }
  // The count may be older than what was published with it: a store that came from a backup takes
  // its entries back from neighbours.
  std::string code;
  do {
    ++it->second;
    if (ours && it->second > before + kSerialsPerDelegate) {
      return Error(absl::StatusCode::kResourceExhausted, "class_full",
                   absl::StrCat("分类 ", entry_class, " 的顺序号已用完 (its serials are used up)"),
                   entry_class,
                   "请管理该分类的节点关闭它并指明接替者 (ask its governor to close it and name a "
                   "successor)");
    }
    code = ours ? absl::StrFormat("%s/%06d", entry_class, it->second)
                : MakeCode(entry_class, division, it->second);
  } while (!Free(code));
  given_.insert(code);
  return code;
}

absl::Status CodeGiver::Give(v1::CatalogEntry* entry) {
  if (entry->code().empty()) {
    GT_ASSIGN_OR_RETURN(*entry->mutable_code(), Next(entry->class_(), entry->division()));
    return GiveAliases(entry);
  }
  if (!absl::StartsWith(entry->code(), absl::StrCat(entry->class_(), "/"))) {
    return Error(absl::StatusCode::kInvalidArgument, "entry_invalid",
                 absl::StrCat("code: 信息资源代码 ", entry->code(), " 不在分类 ", entry->class_(),
                              " 之下 (the code is not of the class)"),
                 "code",
                 "改正分类或代码，或去掉代码由节点赋予 (correct one, or leave the code out)");
  }
  if (!Free(entry->code())) {
    v1::Problem* problem = entry->add_warnings();
    problem->set_element("code");
    problem->set_warning(true);
    problem->set_text(
        absl::StrCat("信息资源代码 ", entry->code(), " 已被使用，另给代码 (the code is taken)"));
    problem->set_remedy("修改已有条目用 guantong catalog edit (to change the entry, use edit)");
    GT_ASSIGN_OR_RETURN(*entry->mutable_code(), Next(entry->class_(), entry->division()));
  } else if (!above_.missing.ok()) {
    v1::Problem* problem = entry->add_warnings();
    problem->set_element("code");
    problem->set_warning(true);
    problem->set_text(absl::StrCat("上级不可达，没有核对信息资源代码 ", entry->code(),
                                   " 是否已被别处使用 (nobody above could be asked whether the "
                                   "code is taken)"));
    problem->set_remedy(
        "上级恢复后核对，或去掉代码由节点赋予 (check later, or leave the code out)");
  }
  given_.insert(entry->code());
  return GiveAliases(entry);
}

absl::Status CodeGiver::GiveAliases(v1::CatalogEntry* entry) {
  for (const std::string& other : entry->other_classes()) {
    const std::string prefix = absl::StrCat(other, "/");
    const bool has =
        std::any_of(entry->aliases().begin(), entry->aliases().end(),
                    [&](const std::string& alias) { return absl::StartsWith(alias, prefix); });
    if (has || absl::StartsWith(entry->code(), prefix)) continue;
    GT_ASSIGN_OR_RETURN(*entry->add_aliases(), Next(other, entry->division()));
  }
  return absl::OkStatus();
}

void CodeGiver::Save(WriteSet* writes) const {
  for (const auto& [count, serial] : serials_) writes->Put(SerialKey(count), absl::StrCat(serial));
}

}  // namespace guantong
