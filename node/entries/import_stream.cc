#include "node/entries/import_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/limits.h"

namespace guantong {

absl::StatusOr<v1::ImportRequest> GatherImport(
    const std::function<bool(v1::ImportRequest*)>& read) {
  v1::ImportRequest all, part;
  size_t bytes = 0;
  while (read(&part)) {
    bytes += part.ByteSizeLong();
    const auto entries = static_cast<size_t>(all.entries_size() + part.entries_size());
    if (bytes > kImportBytesMax || entries > kImportEntriesMax) {
      return Error(absl::StatusCode::kInvalidArgument, "import_too_large",
                   absl::StrCat("一次导入的条目过多：最多 ", kImportEntriesMax, " 个、",
                                kImportBytesMax >> 20, " MiB (too much for one import)"),
                   "entries", "拆成几个文件分次导入 (divide the file)");
    }
    const auto offset = static_cast<uint32_t>(all.entries_size());
    for (v1::CatalogEntry& entry : *part.mutable_entries()) *all.add_entries() = std::move(entry);
    for (const uint32_t change : part.changes()) all.add_changes(offset + change);
    if (!part.end()) continue;
    all.set_accept_valid(part.accept_valid());
    all.set_dry_run(part.dry_run());
    all.set_end(true);
    return all;
  }
  return Error(absl::StatusCode::kFailedPrecondition, "import_broken",
               "导入没有传完，什么都没有登记 (the import broke off, nothing is stored)", "",
               "重新导入 (import again)");
}

}  // namespace guantong
