#include "node/push_refusals.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/form/utf8.h"
#include "node/limits.h"

namespace guantong {

absl::Status SenderGone() {
  return Error(absl::StatusCode::kCancelled, "push_broken",
               "推送中断，未作任何改动 (the sender went away; nothing was changed)");
}

absl::Status SchemaChanged(absl::string_view table) {
  return Error(absl::StatusCode::kFailedPrecondition, "schema_changed",
               absl::StrCat(table,
                            " 的信息项在推送途中已变更，未作任何改动 (its items have changed since "
                            "the push began; nothing was taken in)"),
               table, "按新的信息项重推 (push again, by the items as they are now)");
}

void Reject(uint64_t line, absl::string_view field, absl::string_view reason, const PushedRow* row,
            v1::PushResponse* response) {
  response->set_rejected(response->rejected() + 1);
  if (static_cast<size_t>(response->rejects_size()) >= kRejectsListedMax) return;
  v1::RejectedRow* reject = response->add_rejects();
  reject->set_line(line);
  reject->set_field(std::string(field));
  reject->set_reason(std::string(reason));
  if (row == nullptr) return;
  for (absl::string_view value : row->values) {
    // What is no text cannot be shown.
    reject->add_values(FindUtf8Fault(value).found ? "" : std::string(value));
  }
}

absl::Status RowInvalid(uint64_t line, absl::string_view field, absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "row_invalid",
               absl::StrCat("第 ", line, " 行", field.empty() ? "" : "，字段 ", field, "：", why),
               absl::StrCat(line, field.empty() ? "" : ":", field),
               "改正后重推；--dry-run 列出全部错误，--accept-valid 只收合格的行 "
               "(correct it; --dry-run lists all, --accept-valid takes the valid rows)");
}

}  // namespace guantong
