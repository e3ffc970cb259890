#include "catalog/row_findings.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/status.h"

namespace guantong {

v1::Problem& RowFindings::Add(size_t index, absl::string_view element, std::string text,
                              std::string remedy) {
  v1::Problem& problem = problems_.emplace_back();
  problem.set_element(std::string(element));
  problem.set_text(std::move(text));
  problem.set_remedy(std::move(remedy));
  if (index < rows_.size()) problem.mutable_place()->set_row(rows_[index]);
  return problem;
}

std::string RowFindings::RowOf(size_t index) const {
  return index < rows_.size() ? absl::StrCat(rows_[index]) : "?";
}

absl::Status RefuseRows(const std::vector<v1::Problem>& problems, absl::StatusCode code,
                        absl::string_view reason) {
  constexpr size_t kToldMax = 5;
  const v1::Problem* first = nullptr;
  std::vector<std::string> told;
  size_t errors = 0;
  for (const v1::Problem& problem : problems) {
    if (problem.warning()) continue;
    if (errors++ == 0) first = &problem;
    if (told.size() == kToldMax) continue;
    told.push_back(
        absl::StrCat(problem.has_place() ? absl::StrCat("第 ", problem.place().row(), " 行：") : "",
                     problem.text()));
  }
  if (first == nullptr) return absl::OkStatus();
  std::string text = absl::StrJoin(told, "；");
  if (errors > told.size()) absl::StrAppend(&text, "；另有 ", errors - told.size(), " 处");
  return Error(code, reason, text, first->has_place() ? absl::StrCat(first->place().row()) : "",
               first->remedy());
}

}  // namespace guantong
