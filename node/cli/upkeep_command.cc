// backup, restore: a node's folder into a safe place and back.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/node.grpc.pb.h"
#include "node/cli/connection.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/progress_bar.h"
#include "node/form/json_form.h"
#include "node/language.h"
#include "node/upkeep/backup_folder.h"
#include "node/upkeep/restore.h"

namespace guantong {
namespace {

Table BackupTable() {
  return Table({{"number", Text("编号", "number"), true},
                {"at", Text("时间", "at")},
                {"name", Text("节点", "node")},
                {"path", Text("路径", "path")},
                {"bytes", Text("大小", "bytes"), true},
                {"bytes_copied", Text("本次复制", "copied"), true},
                {"files", Text("文件", "files"), true}});
}

void AddBackup(const v1::Backup& backup, Table* table) {
  table->Add({Count(backup.number()), Date(backup.has_at(), backup.at()), backup.name(),
              ShownPath(backup.path()), ByteCount(backup.bytes()), ByteCount(backup.bytes_copied()),
              Count(static_cast<uint64_t>(backup.files_size()))});
}

absl::Status RunBackupList(const Invocation& invocation, const std::string& dir) {
  GT_ASSIGN_OR_RETURN(const v1::BackupList list, ListBackups(dir));
  Table table = BackupTable();
  for (const v1::Backup& backup : list.backups()) AddBackup(backup, &table);
  Emit(invocation, ToJson(list), table);
  return absl::OkStatus();
}

absl::Status RunBackup(const Invocation& invocation, const std::string& to) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  v1::BackupRequest request;
  request.set_to(std::filesystem::absolute(to).lexically_normal().string());
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(connection->Deadline(kWorkWithin)));
  const auto stub = v1::NodeService::NewStub(connection->channel());
  const auto reader = stub->Backup(&context, request);
  v1::BackupProgress progress;
  ProgressBar bar;
  while (reader->Read(&progress)) bar.Show(progress.bytes(), progress.bytes_total());
  bar.Clear();
  GT_RETURN_IF_ERROR(connection->StatusOf(reader->Finish()));
  const v1::Backup& backup = progress.done();
  Table table = BackupTable();
  AddBackup(backup, &table);
  Emit(invocation, ToJson(backup), table);
  Say(absl::StrCat(Text("备份完成：共 ", "done: "), ByteCount(backup.bytes()).shown,
                   Text("，本次复制 ", ", copied now "), ByteCount(backup.bytes_copied()).shown,
                   "  ", backup.to()));
  Say(Text("备份含节点私钥，请按密钥保管", "it holds the node's private keys: keep it like one"));
  return absl::OkStatus();
}

absl::Status RunRestore(const Invocation& invocation, const RestoreOptions& options) {
  uint64_t bytes = 0;
  uint64_t total = 0;
  GT_ASSIGN_OR_RETURN(const v1::Backup chosen, FindBackup(options.from, options.number));
  total = chosen.bytes();
  ProgressBar bar;
  GT_ASSIGN_OR_RETURN(const Restored restored,
                      RestoreNode(options, [&](uint64_t read) { bar.Show(bytes += read, total); }));
  bar.Clear();
  v1::Backup shown = restored.backup;
  shown.clear_files();
  const nlohmann::ordered_json document = {{"dir", options.dir},
                                           {"backup", ToJson(shown)},
                                           {"alone", options.alone},
                                           {"aside", restored.aside}};
  Table table = Facts();
  table.Add({Text("节点", "node"), absl::StrCat(shown.name(), "  ", ShownPath(shown.path()))});
  table.Add({Text("目录", "folder"), options.dir});
  table.Add({Text("备份", "backup"),
             absl::StrCat(shown.number(), "  ", Date(shown.has_at(), shown.at()).shown)});
  if (!restored.aside.empty()) table.Add({Text("原内容移到", "earlier content"), restored.aside});
  Emit(invocation, document, table);
  Say(options.alone ? Text("已声明没有邻居可等：启动后立即开新纪元，备份之后的数据若别处还有，将列"
                           "为被取代的记录",
                           "nobody to wait for: it opens a new epoch at once; what others hold "
                           "from after the backup will be listed as superseded")
                    : Text("启动后先向邻居取回备份之后的数据，取完才接受推送",
                           "when started it takes back from its neighbours what is newer; until "
                           "then it takes no push"));
  Say(absl::StrCat(Text("下一步：guantongd --dir ", "next: guantongd --dir "), options.dir));
  return absl::OkStatus();
}

}  // namespace

void AddUpkeep(CLI::App* app, Invocation* invocation) {
  auto* backup = app->add_subcommand(
      "backup",
      Text("备份运行中的节点：数据、身份、设置；只复制变化的部分",
           "back up a running node: data, identity, settings; only what changed is copied"));
  const auto to = std::make_shared<std::string>();
  const auto list = std::make_shared<bool>(false);
  backup
      ->add_option("--to", *to, Text("备份目录（节点所在机器上）", "folder on the node's machine"))
      ->required();
  backup->add_flag("--list", *list, Text("只列出目录中的备份", "only list the backups in it"));
  backup->callback([invocation, to, list] {
    invocation->action = [invocation, to, list] {
      return *list ? RunBackupList(*invocation, *to) : RunBackup(*invocation, *to);
    };
  });

  auto* restore = app->add_subcommand(
      "restore", Text("从备份恢复节点目录（本机或新机器）",
                      "a node's folder from a backup, here or on a new machine"));
  const auto options = std::make_shared<RestoreOptions>();
  restore->add_option("--dir", options->dir, Text("恢复到的节点目录", "the node's folder"))
      ->required();
  restore->add_option("--from", options->from, Text("备份目录", "folder of backups"))->required();
  restore->add_option("--backup", options->number,
                      Text("编号，默认最新", "number, default the newest"));
  restore->add_flag("--alone", options->alone,
                    Text("没有邻居可取回更新的数据，不等待",
                         "there is no neighbour to take newer data from: do not wait"));
  restore->add_flag(
      "--replace", options->replace,
      Text("目录非空时，原内容移到一旁保留", "what is in the folder moves aside and is kept"));
  restore->callback([invocation, options] {
    invocation->action = [invocation, options] { return RunRestore(*invocation, *options); };
  });
}

}  // namespace guantong
