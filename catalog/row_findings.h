// What is wrong with the rows of a file that somebody brings.
#ifndef GUANTONG_CATALOG_ROW_FINDINGS_H_
#define GUANTONG_CATALOG_ROW_FINDINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {

class RowFindings {
 public:
  // `rows`: places in the file, one for each thing it holds, or none; outlives this.
  explicit RowFindings(const std::vector<uint32_t>& rows) : rows_(rows) {}

  // `index`: of the thing in the file's order.
  v1::Problem& Add(size_t index, absl::string_view element, std::string text, std::string remedy);
  // The row as people count them, as text; "?" when it is not known.
  std::string RowOf(size_t index) const;
  bool empty() const { return problems_.empty(); }
  std::vector<v1::Problem> Take() { return std::move(problems_); }

 private:
  const std::vector<uint32_t>& rows_;
  std::vector<v1::Problem> problems_;
};

// OK when all are warnings; else an error of `code` that says the first few with their rows, and
// how many more there are. Its subject is the row of the first.
absl::Status RefuseRows(const std::vector<v1::Problem>& problems, absl::StatusCode code,
                        absl::string_view reason);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROW_FINDINGS_H_
