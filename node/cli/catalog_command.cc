// catalog: register, edit, show, list, search; lifecycle_command.cc and class_command.cc add to it.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/status.h"
#include "guantong/v1/catalog.pb.h"
#include "node/cli/connection.h"
#include "node/cli/entry_table.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/search_command.h"
#include "node/cli/sheet_command.h"
#include "node/form/entry_form.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

enum class Change { kRegister, kEdit };

absl::Status RunFile(const Invocation& invocation, Change change, const std::string& file,
                     bool dry_run) {
  v1::RegisterRequest request;
  request.set_dry_run(dry_run);
  GT_ASSIGN_OR_RETURN(*request.mutable_entry(), ReadEntryFile(file));
  v1::CatalogEntry* entry = request.mutable_entry();
  if (change == Change::kEdit && entry->code().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "code_missing",
                 absl::StrCat(file, Text("：缺少 code，不知道修改哪个条目",
                                         ": no code, so it is not known which entry to edit")),
                 file,
                 Text("用 guantong catalog show CODE -o json 导出后修改",
                      "edit what guantong catalog show CODE -o json prints"));
  }
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  absl::StatusOr<v1::CatalogEntry> answer = connection->Call<v1::CatalogEntry>(
      change == Change::kEdit ? "guantong.v1.CatalogService.Edit"
                              : "guantong.v1.CatalogService.Register",
      request);
  if (!answer.ok()) {
    return absl::IsInvalidArgument(answer.status()) ? Annotate(answer.status(), file)
                                                    : answer.status();
  }
  for (const v1::Problem& warning : answer->warnings()) Say(ProblemText(warning));
  EmitEntry(invocation, *answer);
  if (dry_run) {
    Say(Text("只作检查，没有登记", "checked only, nothing is stored"));
  } else if (answer->state() == v1::ENTRY_STATE_DRAFT) {
    Say(absl::StrCat(
        Text("已存为草稿。下一步：guantong why ", "saved as a draft. Next: guantong why "),
        answer->code()));
  }
  return absl::OkStatus();
}

absl::Status RunShow(const Invocation& invocation, const std::string& code, bool draft) {
  v1::EntryRequest request;
  request.set_code(code);
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(
      auto shown, connection->Call<v1::ShowResponse>("guantong.v1.CatalogService.Show", request));
  if (draft) {
    if (!shown.has_draft()) {
      return Error(absl::StatusCode::kNotFound, "draft_absent",
                   Text("没有在编的草稿", "there is no draft"), code,
                   Text("用 guantong catalog edit 提交新版本", "guantong catalog edit makes one"));
    }
    shown.mutable_entry()->Swap(shown.mutable_draft());
    shown.clear_draft();
  }
  Emit(invocation, ShownEntryJson(shown), EntryDetails(shown));
  return absl::OkStatus();
}

absl::Status EmitList(const Invocation& invocation, const v1::EntryList& list) {
  nlohmann::ordered_json document = ToJson(list);
  document["entries"] = nlohmann::ordered_json::array();
  for (const v1::ShowResponse& shown : list.entries()) {
    document["entries"].push_back(ShownEntryJson(shown));
  }
  Emit(invocation, document, EntrySummary({list.entries().begin(), list.entries().end()}));
  if (list.entries().empty()) Say(Text("没有符合的条目", "no entries match"));
  if (!list.next_page_token().empty() && invocation.output == OutputFormat::kTable) {
    Say(absl::StrCat(Text("还有更多：加 --page-token ", "there is more: --page-token "),
                     list.next_page_token()));
  }
  return absl::OkStatus();
}

absl::Status RunList(const Invocation& invocation, const v1::ListRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto list,
                      connection->Call<v1::EntryList>("guantong.v1.CatalogService.List", request));
  return EmitList(invocation, list);
}

void AddChanges(CLI::App* catalog, Invocation* invocation) {
  const auto file = std::make_shared<std::string>();
  const auto dry_run = std::make_shared<bool>(false);
  const auto with_file = [&](const char* name, const char* description, Change change) {
    auto* command = catalog->add_subcommand(name, description);
    command
        ->add_option("FILE", *file, Text("条目文件（.yaml、.json）", "entry file (.yaml, .json)"))
        ->required();
    command->add_flag("--dry-run", *dry_run, Text("只检查", "check only"));
    command->callback([invocation, file, dry_run, change] {
      invocation->action = [invocation, file, dry_run, change] {
        return RunFile(*invocation, change, *file, *dry_run);
      };
    });
  };
  with_file("register", Text("登记新条目，存为草稿", "a new entry, as a draft"), Change::kRegister);
  with_file("edit", Text("修改条目，存为新草稿", "a new draft version of an entry"), Change::kEdit);
}

void AddReading(CLI::App* catalog, Invocation* invocation) {
  auto* show = catalog->add_subcommand("show", Text("查看条目", "one entry"));
  const auto code = std::make_shared<std::string>();
  const auto draft = std::make_shared<bool>(false);
  show->add_option("CODE", *code, Text("资源代码", "resource code"))->required();
  show->add_flag("--draft", *draft, Text("看在编的草稿", "its draft instead"));
  show->callback([invocation, code, draft] {
    invocation->action = [invocation, code, draft] { return RunShow(*invocation, *code, *draft); };
  });

  auto* list = catalog->add_subcommand("list", Text("条目清单", "entries known here"));
  const auto wanted = std::make_shared<v1::ListRequest>();
  list->add_flag_callback(
      "--mine", [wanted] { wanted->set_mine(true); },
      Text("只看本部门的", "of the caller's department"));
  list->add_flag_callback(
      "--unbound", [wanted] { wanted->set_unbound(true); },
      Text("只看已发布未挂接的", "published without a resource"));
  list->add_option_function<std::string>(
      "--state",
      [wanted](const std::string& name) {
        const auto* state = FindEnum(*v1::EntryState_descriptor(), name);
        if (state == nullptr || state->number() == 0) {
          throw CLI::ValidationError("--state", EnumNames(*v1::EntryState_descriptor()));
        }
        wanted->set_state(static_cast<v1::EntryState>(state->number()));
      },
      Text("状态：draft、published 等", "state: draft, published, ..."));
  list->add_option_function<uint32_t>(
      "--limit", [wanted](uint32_t limit) { wanted->set_limit(limit); },
      Text("最多几条", "at most"));
  list->add_option("--page-token", *wanted->mutable_page_token(),
                   Text("接着上一页", "where the last page ended"));
  list->callback([invocation, wanted] {
    invocation->action = [invocation, wanted] { return RunList(*invocation, *wanted); };
  });
}

}  // namespace

void AddCatalog(CLI::App* app, Invocation* invocation) {
  auto* catalog = app->add_subcommand("catalog", Text("资源目录", "the resource catalogue"));
  catalog->require_subcommand(1);
  AddChanges(catalog, invocation);
  AddLifecycle(catalog, invocation);
  AddClaim(catalog, invocation);
  AddClasses(catalog, invocation);
  AddReading(catalog, invocation);
  AddSearch(catalog, invocation);
  AddImport(catalog, invocation);
  AddExport(catalog, invocation);
}

}  // namespace guantong
