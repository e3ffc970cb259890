// push: a file of rows to the provider's node, all or nothing.
//
// The batch id is chosen once per invocation and kept over retries: the node takes a batch once, so
// sending it again after a lost connection or a lost reply is safe. The file is read anew for each
// attempt.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "guantong/v1/catalog.pb.h"
#include "node/cli/columns.h"
#include "node/cli/connection.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/progress_bar.h"
#include "node/cli/push_stream.h"
#include "node/cli/reject_file.h"
#include "node/form/json_form.h"
#include "node/form/row_file.h"
#include "node/language.h"
#include "node/pushed_rows.h"

namespace guantong {
namespace {

constexpr int kAttemptsMax = 5;
constexpr absl::Duration kOpenPushPause = absl::Milliseconds(500);
constexpr absl::Duration kReturnWithin = absl::Minutes(1);  // of a node that went away
constexpr size_t kBatchIdBytes = 16;

struct PushOptions {
  v1::PushOpen open;
  std::string file;
  std::string mode = "upsert";
  std::string columns;
  std::string encoding = "auto";
  std::string batch;
  std::string rejects;
};

// The 32 hex digits that we print are the id itself; any other text a script prefers stands for its
// digest.
std::string BatchId(const std::string& text) {
  const bool hex = text.size() == 2 * kBatchIdBytes &&
                   std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
  return hex ? absl::HexStringToBytes(text) : Sha256(text).substr(0, kBatchIdBytes);
}

// What reading the file itself has rejected, to be joined with what the node rejects.
struct LocalRejects {
  std::vector<v1::RejectedRow> rows;
  uint64_t count = 0;

  void Add(const SourceRow& row) {
    if (++count > kRejectsListedMax) return;
    v1::RejectedRow& rejected = rows.emplace_back();
    rejected.set_line(row.line);
    // The line has a column of its own.
    std::string reason(row.fault.message());
    const std::string place = absl::StrCat(DetailOf(row.fault).subject, Text("：", ": "));
    if (absl::StartsWith(reason, place)) reason.erase(0, place.size());
    rejected.set_reason(reason);
    for (const std::string& value : row.values) rejected.add_values(value);
  }
};

void ToPushed(const SourceRow& row, PushedRow* out) {
  out->line = row.line;
  out->values.assign(row.values.begin(), row.values.end());
  out->nulls.clear();
  for (size_t i = 0; i < row.values.size(); ++i) {
    if (row.nulls[i]) out->nulls.push_back(static_cast<uint32_t>(i));
  }
}

absl::StatusOr<v1::PushResponse> Attempt(const Connection& connection, const v1::PushOpen& open,
                                         RowFile* rows, absl::Time deadline, LocalRejects* local) {
  ProgressBar bar;
  PushStream stream(connection, deadline);
  bool going = stream.Open(open);
  SourceRow row;
  PushedRow pushed;
  while (going) {
    GT_ASSIGN_OR_RETURN(const bool any, rows->Next(&row));
    if (!any) break;
    if (!row.fault.ok()) {
      if (!open.accept_valid() && !open.dry_run()) return row.fault;
      local->Add(row);
      continue;
    }
    ToPushed(row, &pushed);
    going = stream.Add(pushed);
    bar.Show(rows->progress().bytes_read, rows->progress().bytes);
  }
  bar.Clear();
  return stream.Finish();
}

absl::StatusOr<v1::CatalogEntry> PublishedEntry(const Connection& connection,
                                                const std::string& code) {
  v1::EntryRequest request;
  request.set_code(std::string(*absl::StrSplit(code, ':').begin()));
  GT_ASSIGN_OR_RETURN(
      auto shown, connection.Call<v1::ShowResponse>("guantong.v1.CatalogService.Show", request));
  // A draft alone is refused by the node, with its own words; its items serve to read the file
  // until then.
  return shown.entry().items().empty() && shown.has_draft() ? shown.draft() : shown.entry();
}

absl::StatusOr<v1::PushResponse> PushWithRetries(const Connection& connection, PushOptions options,
                                                 TextEncoding encoding,
                                                 std::vector<std::string>* header,
                                                 LocalRejects* local) {
  GT_ASSIGN_OR_RETURN(std::unique_ptr<RowFile> rows, OpenRowFile(options.file, encoding));
  *header = rows->header();
  Say(absl::StrCat(Text("编码 ", "encoding "), EncodingName(rows->encoding()),
                   Text("，列：", ", columns: "), absl::StrJoin(*header, " | ")));
  GT_ASSIGN_OR_RETURN(const v1::CatalogEntry entry,
                      PublishedEntry(connection, options.open.code()));
  GT_ASSIGN_OR_RETURN(const auto fields,
                      MatchColumns(*header, entry, options.columns, options.file));
  for (const std::string& field : fields) options.open.add_fields(field);

  const absl::Time deadline = connection.Deadline(kWorkWithin);
  for (int attempt = 1;; ++attempt) {
    *local = {};
    auto response = Attempt(connection, options.open, rows.get(), deadline, local);
    // A node that was restarted finishes by itself what it had taken: on a repeat the open push is
    // our own.
    const bool own_push_open = attempt > 1 && DetailOf(response.status()).reason == "push_open";
    const bool again = absl::IsUnavailable(response.status()) || own_push_open;
    if (response.ok() || !again || attempt == kAttemptsMax) return response;
    Say(absl::StrCat(
        Text("连接中断，用同一批次号重发：", "connection lost, sending the same batch again: "),
        response.status().message()));
    if (own_push_open) absl::SleepFor(kOpenPushPause * attempt);
    const absl::Time patience = std::min(deadline, absl::Now() + kReturnWithin);
    if (!connection.WaitForNode(patience)) return response;
    GT_ASSIGN_OR_RETURN(rows, OpenRowFile(options.file, encoding));
  }
}

void ShowRejects(const std::vector<v1::RejectedRow>& rejects) {
  constexpr size_t kShown = 10;
  for (size_t i = 0; i < rejects.size() && i < kShown; ++i) {
    Say(absl::StrCat(Text("第 ", "line "), rejects[i].line(), Text(" 行 ", " "), rejects[i].field(),
                     ": ", rejects[i].reason()));
  }
}

absl::Status KeepRejects(const PushOptions& options, const std::vector<std::string>& header,
                         const LocalRejects& local, v1::PushResponse* response) {
  if (local.count + response->rejected() == 0) return absl::OkStatus();
  std::vector<v1::RejectedRow> rejects = local.rows;
  rejects.insert(rejects.end(), response->rejects().begin(), response->rejects().end());
  std::sort(rejects.begin(), rejects.end(),
            [](const auto& a, const auto& b) { return a.line() < b.line(); });
  response->set_rejected(local.count + response->rejected());
  response->mutable_rejects()->Assign(rejects.begin(), rejects.end());
  if (!options.open.accept_valid()) {
    ShowRejects(rejects);
    return absl::OkStatus();
  }
  const std::string file =
      options.rejects.empty() ? absl::StrCat(options.file, ".rejects.csv") : options.rejects;
  GT_RETURN_IF_ERROR(WriteRejects(file, header, rejects));
  Say(absl::StrCat(response->rejected(), Text(" 行被拒绝，见 ", " rows rejected, see "), file));
  if (rejects.size() < response->rejected()) {
    Say(absl::StrCat(Text("文件里只列前 ", "the file lists the first "), rejects.size(),
                     Text(" 行", "")));
  }
  return absl::OkStatus();
}

// The node knows lines, not files: its subject is the line.
absl::Status InFile(const absl::Status& status, const std::string& file) {
  const ErrorDetail detail = DetailOf(status);
  uint64_t line;
  if (detail.reason != "row_invalid" || !absl::SimpleAtoi(detail.subject, &line)) return status;
  return Error(status.code(), detail.reason,
               absl::StrCat(file, Text("：", ": "), std::string(status.message())),
               absl::StrCat(file, ":", line), detail.remedy);
}

Table PushTable(const v1::PushResponse& response, const std::string& batch) {
  Table table({{"code", Text("资源代码", "code")},
               {"inserts", Text("新增", "inserts"), true},
               {"updates", Text("更新", "updates"), true},
               {"deletes", Text("删除", "deletes"), true},
               {"unchanged", Text("未变", "unchanged"), true},
               {"rejected", Text("拒绝", "rejected"), true},
               {"commit", Text("提交", "commit"), true},
               {"batch_id", Text("批次号", "batch")}});
  table.Add({response.code(), Count(response.inserts()), Count(response.updates()),
             Count(response.deletes()), Count(response.unchanged()), Count(response.rejected()),
             Count(response.commit()), batch});
  return table;
}

absl::Status RunPush(const Invocation& invocation, PushOptions options) {
  GT_ASSIGN_OR_RETURN(const TextEncoding encoding, ParseEncoding(options.encoding));
  const auto* mode = FindEnum(*v1::PushMode_descriptor(), options.mode);
  GT_CHECK(mode != nullptr);  // checked in parsing
  options.open.set_mode(static_cast<v1::PushMode>(mode->number()));
  const std::string batch =
      options.batch.empty() ? HexOf(RandomBytes(kBatchIdBytes)) : options.batch;
  options.open.set_batch_id(BatchId(batch));

  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  std::vector<std::string> header;
  LocalRejects local;
  absl::StatusOr<v1::PushResponse> response =
      PushWithRetries(*connection, options, encoding, &header, &local);
  if (!response.ok()) {
    if (ExitCode(response.status()) == kExitUnavailable) {
      Say(absl::StrCat(
          Text("结果未知时用同一批次号再推送，只生效一次：--batch ",
               "should the outcome be unknown, push again, it takes effect once: --batch "),
          batch));
    }
    return InFile(response.status(), options.file);
  }
  GT_RETURN_IF_ERROR(KeepRejects(options, header, local, &*response));
  nlohmann::ordered_json document = ToJson(*response);
  document["batch_id"] = batch;  // as --batch takes it
  Emit(invocation, document, PushTable(*response, batch));
  if (response->dry_run()) {
    Say(Text("试运行：没有改动任何数据", "dry run: nothing was changed"));
  } else if (response->repeated_batch()) {
    Say(Text("这个批次以前已接收，上面是当时的结果",
             "this batch was taken before; the figures are those of then"));
  } else if (response->commit() == 0) {
    Say(Text("没有差异，没有发送", "no difference, nothing sent"));
  }
  return absl::OkStatus();
}

}  // namespace

void AddPush(CLI::App* app, Invocation* invocation) {
  auto* push = app->add_subcommand(
      "push", Text("推送数据文件，要么全部生效要么不生效", "push a file of rows, all or nothing"));
  const auto options = std::make_shared<PushOptions>();
  v1::PushOpen* open = &options->open;
  push->add_option("CODE", *open->mutable_code(),
                   Text("资源代码，或 代码:编号", "resource code, or CODE:id"))
      ->required();
  push->add_option("FILE", options->file, "csv, tsv, jsonl")->required();
  push->add_option("--mode", options->mode, "upsert|delete|replace")
      ->check(CLI::IsMember({"upsert", "delete", "replace"}));
  push->add_option("--columns", options->columns,
                   Text("列名对应：字段=列名,...", "field=header,..."));
  push->add_option("--encoding", options->encoding, "auto|utf-8|gb18030");
  push->add_option("--batch", options->batch,
                   Text("批次号；重复推送只生效一次", "batch id: the same takes effect once"));
  push->add_flag_callback(
      "--dry-run", [open] { open->set_dry_run(true); },
      Text("只看会改什么，不改", "show what it would do, change nothing"));
  push->add_option_function<uint64_t>(
      "--expect-deletes", [open](uint64_t count) { open->set_expect_deletes(count); },
      Text("确认 replace 要删除的行数", "deletes to be expected of a replace"));
  push->add_flag_callback(
      "--accept-valid", [open] { open->set_accept_valid(true); },
      Text("接收合格的行，其余写入被拒文件", "take the valid rows, the others go to a file"));
  push->add_option("--rejects", options->rejects,
                   Text("被拒文件，默认 FILE.rejects.csv", "file of rejected rows"));
  push->callback([invocation, options] {
    invocation->action = [invocation, options] { return RunPush(*invocation, *options); };
  });
}

}  // namespace guantong
