// catalog claim: a draft of what a template prescribes.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/catalog.pb.h"
#include "node/cli/connection.h"
#include "node/cli/entry_pages.h"
#include "node/cli/entry_table.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/language.h"

namespace guantong {
namespace {

struct ClaimOptions {
  std::string code;
  std::string name;
  std::string class_code;
  std::string entry;
};

absl::StatusOr<v1::ShowResponse> Show(const Connection& connection, const std::string& code) {
  v1::EntryRequest wanted;
  wanted.set_code(code);
  return connection.Call<v1::ShowResponse>("guantong.v1.CatalogService.Show", wanted);
}

void Told(const Invocation& invocation, const v1::CatalogEntry& draft, const std::string& text) {
  for (const v1::Problem& warning : draft.warnings()) Say(ProblemText(warning));
  EmitEntry(invocation, draft);
  Say(absl::StrCat(text, draft.code()));
}

// The node takes what came with the template before as what it says now.
absl::Status RunClaimForEntry(const Invocation& invocation, const ClaimOptions& options) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto shown, Show(*connection, options.entry));
  v1::RegisterRequest request;
  v1::CatalogEntry* entry = request.mutable_entry();
  *entry = LatestOf(shown);
  entry->set_template_(options.code);
  if (!options.name.empty()) entry->set_name(options.name);
  if (!options.class_code.empty()) entry->set_class_(options.class_code);
  GT_ASSIGN_OR_RETURN(const auto draft, connection->Call<v1::CatalogEntry>(
                                            "guantong.v1.CatalogService.Edit", request));
  Told(invocation, draft,
       Text("草稿已按标准目录更新。核对：guantong catalog diff ",
            "the draft is as the template has it now. See: guantong catalog diff "));
  return absl::OkStatus();
}

absl::Status RunClaim(const Invocation& invocation, const ClaimOptions& options) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto shown, Show(*connection, options.code));
  const v1::CatalogEntry& model = shown.entry();
  v1::RegisterRequest request;
  v1::CatalogEntry* entry = request.mutable_entry();
  entry->set_template_(model.code());
  entry->set_name(options.name.empty() ? model.name() : options.name);
  entry->set_class_(options.class_code.empty() ? model.class_() : options.class_code);
  entry->set_abstract(model.abstract());
  entry->set_format(model.format());
  *entry->mutable_items() = model.items();
  *entry->mutable_sharing() = model.sharing();
  *entry->mutable_open() = model.open();
  entry->set_update_cycle(model.update_cycle());
  *entry->mutable_themes() = model.themes();
  *entry->mutable_key_areas() = model.key_areas();
  entry->set_classification(model.classification());
  GT_ASSIGN_OR_RETURN(const auto draft, connection->Call<v1::CatalogEntry>(
                                            "guantong.v1.CatalogService.Register", request));
  Told(invocation, draft,
       Text("已按标准目录存为草稿。下一步：guantong why ",
            "a draft as the template has it. Next: guantong why "));
  return absl::OkStatus();
}

}  // namespace

void AddClaim(CLI::App* catalog, Invocation* invocation) {
  auto* claim = catalog->add_subcommand(
      "claim", Text("按标准目录编目，存为草稿", "a draft as a template of a level above has it"));
  const auto options = std::make_shared<ClaimOptions>();
  claim->add_option("TEMPLATE", options->code, Text("标准目录代码", "code of the template"))
      ->required();
  claim->add_option("--name", options->name, Text("名称，默认同标准目录", "name"));
  claim->add_option("--class", options->class_code, Text("分类，默认同标准目录", "class"));
  claim->add_option("--entry", options->entry,
                    Text("本部门已有条目的代码：按标准目录的现行版本更新它",
                         "code of an own entry: take what the template says now into it"));
  claim->callback([invocation, options] {
    invocation->action = [invocation, options] {
      return options->entry.empty() ? RunClaim(*invocation, *options)
                                    : RunClaimForEntry(*invocation, *options);
    };
  });
}

}  // namespace guantong
