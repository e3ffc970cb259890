#include "node/cli/entry_pages.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/language.h"
#include "node/sheets/limits.h"

namespace guantong {

absl::StatusOr<std::vector<v1::ShowResponse>> ListAll(const Connection& connection,
                                                      v1::ListRequest request) {
  constexpr uint32_t kPage = 100;
  request.set_limit(kPage);
  std::vector<v1::ShowResponse> all;
  while (true) {
    GT_ASSIGN_OR_RETURN(auto list,
                        connection.Call<v1::EntryList>("guantong.v1.CatalogService.List", request));
    for (v1::ShowResponse& shown : *list.mutable_entries()) all.push_back(std::move(shown));
    if (list.next_page_token().empty()) return all;
    if (all.size() >= kSheetEntriesMax) {
      return Error(
          absl::StatusCode::kResourceExhausted, "entries_too_many",
          absl::StrCat(Text("超过 ", "more than "), kSheetEntriesMax, Text(" 个条目", " entries")),
          "", Text("按分类或代码分几次处理", "go by class or by codes, in several runs"));
    }
    request.set_page_token(list.next_page_token());
  }
}

const v1::CatalogEntry& LatestOf(const v1::ShowResponse& shown) {
  return shown.has_draft() ? shown.draft() : shown.entry();
}

}  // namespace guantong
