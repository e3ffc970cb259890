#include "node/cli/sheet_filing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/catalog.pb.h"
#include "node/cli/failure.h"
#include "node/language.h"

namespace guantong {
namespace {

// What the node says against an entry, at the cell it means.
void Refuse(const absl::Status& status, const EntrySheets& sheets, const SheetEntry& from,
            PlannedEntry* planned) {
  const ErrorDetail detail = DetailOf(status);
  v1::Problem& problem = planned->problems.emplace_back();
  problem.set_element(detail.subject);
  problem.set_text(std::string(status.message()));
  problem.set_remedy(detail.remedy);
  *problem.mutable_place() = PlaceOf(sheets, from, detail.subject);
  planned->action = ImportAction::kRefused;
}

// The code of the sheet is taken already.
void NoteOtherCode(const EntrySheets& sheets, size_t index, const v1::CatalogEntry& filed,
                   PlannedEntry* planned) {
  v1::Problem& problem = planned->problems.emplace_back();
  problem.set_element("code");
  problem.set_warning(true);
  problem.set_text(absl::StrCat(Text("代码由节点给出：", "the node gives the code: "), filed.code(),
                                Text("，未用表中的 ", ", not the sheet's "),
                                planned->entry.code()));
  *problem.mutable_place() = PlaceOf(sheets, sheets.entries[index], "code");
}

// Of all entries together, so that there is no use in going on with the next.
bool StopsAll(const absl::Status& status) {
  const int code = ExitCode(status);
  return code == kExitUnavailable || absl::IsUnauthenticated(status) ||
         absl::IsUnimplemented(status);
}

// Warnings that the checks of the sheet did not have.
void NoteWarnings(const EntrySheets& sheets, size_t index, const v1::CatalogEntry& answer,
                  PlannedEntry* planned) {
  for (const v1::Problem& warning : answer.warnings()) {
    const bool said = std::any_of(
        planned->problems.begin(), planned->problems.end(),
        [&](const v1::Problem& problem) { return problem.element() == warning.element(); });
    if (said) continue;
    v1::Problem& problem = planned->problems.emplace_back(warning);
    *problem.mutable_place() = PlaceOf(sheets, sheets.entries[index], warning.element());
  }
}

enum class Effect { kNone, kFiled };

absl::Status TakeAll(const Connection& connection, const EntrySheets& sheets, Effect effect,
                     std::vector<PlannedEntry>* plan) {
  for (size_t i = 0; i < plan->size(); ++i) {
    PlannedEntry& planned = (*plan)[i];
    const bool is_new = planned.action == ImportAction::kNew;
    if (!is_new && planned.action != ImportAction::kChange) continue;
    v1::RegisterRequest request;
    *request.mutable_entry() = planned.entry;
    request.set_dry_run(effect == Effect::kNone);
    const absl::StatusOr<v1::CatalogEntry> answer = connection.Call<v1::CatalogEntry>(
        is_new ? "guantong.v1.CatalogService.Register" : "guantong.v1.CatalogService.Edit",
        request);
    if (!answer.ok()) {
      if (StopsAll(answer.status())) return Annotate(answer.status(), sheets.file);
      Refuse(answer.status(), sheets, sheets.entries[i], &planned);
      continue;
    }
    if (effect == Effect::kNone) {
      NoteWarnings(sheets, i, *answer, &planned);
      continue;
    }
    if (is_new && !planned.entry.code().empty() && planned.entry.code() != answer->code())
      NoteOtherCode(sheets, i, *answer, &planned);
    planned.entry.set_code(answer->code());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAtNode(const Connection& connection, const EntrySheets& sheets,
                         std::vector<PlannedEntry>* plan) {
  return TakeAll(connection, sheets, Effect::kNone, plan);
}

absl::Status FileAtNode(const Connection& connection, const EntrySheets& sheets,
                        std::vector<PlannedEntry>* plan) {
  return TakeAll(connection, sheets, Effect::kFiled, plan);
}

}  // namespace guantong
