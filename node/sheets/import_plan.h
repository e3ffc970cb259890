// What an import of a sheet would do, entry by entry, beside what the department has registered.
#ifndef GUANTONG_NODE_SHEETS_IMPORT_PLAN_H_
#define GUANTONG_NODE_SHEETS_IMPORT_PLAN_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "guantong/v1/entry.pb.h"
#include "node/sheets/entry_sheet.h"

namespace guantong {

enum class ImportAction { kNew, kChange, kUnchanged, kRefused };

// "new", "change", "unchanged", "refused".
const char* ImportActionName(ImportAction action);

struct PlannedEntry {
  v1::CatalogEntry entry;  // as it is to be filed; with the code of the one it changes
  ImportAction action = ImportAction::kRefused;
  std::vector<v1::Problem> problems;  // with their places; errors where it is refused
};

// One for each entry of the sheets, in order. An entry is the one of `held` with its code, else the
// one whose name is the same but for blanks and punctuation, of the same class before others; the
// second of a name in the file is the second in `held`. `uscc` is the caller's department: others'
// entries are refused.
std::vector<PlannedEntry> PlanImport(EntrySheets* sheets, const std::vector<v1::CatalogEntry>& held,
                                     absl::string_view uscc);

bool HasError(const std::vector<v1::Problem>& problems);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_IMPORT_PLAN_H_
