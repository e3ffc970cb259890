#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/form/row_file.h"
#include "tests/fuzz/targets.h"

namespace guantong::fuzz {

void RowFiles(absl::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  static constexpr std::array<const char*, 3> kKinds = {"csv", "tsv", "jsonl"};
  static constexpr std::array<const char*, 4> kEncodings = {"auto", "utf-8", "gb18030", "utf-16"};
  // In memory where there is such a folder; one file a process.
  const std::string file =
      absl::StrCat(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", "/guantong-fuzz-", getpid(),
                   ".", kKinds[choice % kKinds.size()]);
  std::FILE* out = std::fopen(file.c_str(), "wb");
  GT_CHECK(out != nullptr);
  std::fwrite(input.data() + 1, 1, input.size() - 1, out);
  std::fclose(out);
  const absl::StatusOr<TextEncoding> encoding =
      ParseEncoding(kEncodings[choice / kKinds.size() % kEncodings.size()]);
  if (encoding.ok()) {
    absl::StatusOr<std::unique_ptr<RowFile>> rows = OpenRowFile(file, *encoding);
    if (rows.ok()) {
      SourceRow row;
      while (true) {
        const absl::StatusOr<bool> more = (*rows)->Next(&row);
        if (!more.ok()) {
          GT_CHECK(!more.status().message().empty());
          break;
        }
        if (!*more) break;
        // Every row fits the header or says why not.
        GT_CHECK(!row.fault.ok() || (row.values.size() == (*rows)->header().size() &&
                                     row.nulls.size() == row.values.size()));
      }
    }
  }
  std::remove(file.c_str());
}

}  // namespace guantong::fuzz
