#include "node/cli/sheet_filing.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/catalog.grpc.pb.h"
#include "node/language.h"

namespace guantong {
namespace {

// Well under what a server takes in one message, with an entry of the largest size on top.
constexpr size_t kMessageBytesTarget = 1 << 20;

// The code of the sheet is taken already.
void NoteOtherCode(const EntrySheets& sheets, size_t index, const std::string& wanted,
                   PlannedEntry* planned) {
  v1::Problem& problem = planned->problems.emplace_back();
  problem.set_element("code");
  problem.set_warning(true);
  problem.set_text(absl::StrCat(Text("代码由节点给出：", "the node gives the code: "),
                                planned->entry.code(), Text("，未用表中的 ", ", not the sheet's "),
                                wanted));
  *problem.mutable_place() = PlaceOf(sheets, sheets.entries[index], "code");
}

// What the node says, at the cells it means, unless the checks of the sheet have said it.
void NoteProblems(const EntrySheets& sheets, const SheetEntry& from,
                  const v1::ImportedEntry& answer, PlannedEntry* planned) {
  for (const v1::Problem& said : answer.problems()) {
    const bool known = std::any_of(
        planned->problems.begin(), planned->problems.end(), [&](const v1::Problem& problem) {
          return problem.element() == said.element() && problem.warning() == said.warning();
        });
    if (!said.warning()) planned->action = ImportAction::kRefused;
    if (known) continue;
    v1::Problem& problem = planned->problems.emplace_back(said);
    *problem.mutable_place() = PlaceOf(sheets, from, said.element());
  }
}

absl::StatusOr<v1::ImportResponse> Send(const Connection& connection,
                                        const std::vector<PlannedEntry>& plan,
                                        const std::vector<size_t>& taken,
                                        const FilingOptions& options) {
  const auto stub = v1::CatalogService::NewStub(connection.channel());
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(connection.Deadline(kWorkWithin)));
  v1::ImportResponse response;
  const auto writer = stub->Import(&context, &response);
  v1::ImportRequest part;
  size_t bytes = 0;
  // What the node says to a stream it does not want to read on stands in the status.
  const auto send = [&] {
    const bool sent = writer->Write(part);
    part.Clear();
    bytes = 0;
    return sent;
  };
  for (const size_t i : taken) {
    if (plan[i].action == ImportAction::kChange)
      part.add_changes(static_cast<uint32_t>(part.entries_size()));
    *part.add_entries() = plan[i].entry;
    bytes += plan[i].entry.ByteSizeLong();
    if (bytes >= kMessageBytesTarget && !send()) break;
  }
  part.set_end(true);
  part.set_dry_run(options.dry_run);
  part.set_accept_valid(options.accept_valid);
  send();
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (!status.ok()) return connection.StatusOf(status);
  return response;
}

}  // namespace

absl::StatusOr<bool> FileAtNode(const Connection& connection, const EntrySheets& sheets,
                                const FilingOptions& options, std::vector<PlannedEntry>* plan) {
  std::vector<size_t> taken;
  for (size_t i = 0; i < plan->size(); ++i) {
    const ImportAction action = (*plan)[i].action;
    if (action == ImportAction::kNew || action == ImportAction::kChange) taken.push_back(i);
  }
  if (taken.empty()) return false;
  const absl::StatusOr<v1::ImportResponse> answer = Send(connection, *plan, taken, options);
  if (!answer.ok()) return Annotate(answer.status(), absl::StrCat(sheets.file, ": "));
  for (size_t at = 0; at < taken.size() && static_cast<int>(at) < answer->entries_size(); ++at) {
    const v1::ImportedEntry& imported = answer->entries(static_cast<int>(at));
    PlannedEntry& planned = (*plan)[taken[at]];
    const std::string wanted = planned.entry.code();
    NoteProblems(sheets, sheets.entries[taken[at]], imported, &planned);
    if (!answer->stored() || imported.code().empty()) continue;
    planned.entry.set_code(imported.code());
    if (!wanted.empty() && wanted != imported.code())
      NoteOtherCode(sheets, taken[at], wanted, &planned);
  }
  return answer->stored();
}

}  // namespace guantong
