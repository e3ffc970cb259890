#include "node/upkeep/backup.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/identity/files.h"
#include "node/overview.h"
#include "node/upkeep/backup_folder.h"

namespace guantong {
namespace {

constexpr char kLastBackup[] = "last_backup";

}  // namespace

bool LastBackup(const Reader& store, v1::Backup* backup) {
  std::string bytes;
  return store.Get(NodeFactKey(kLastBackup), &bytes).ok() && backup->ParseFromString(bytes);
}

absl::Status Backups::CheckFolder(const std::string& to) const {
  if (to.empty() || to[0] != '/') {
    return Error(absl::StatusCode::kInvalidArgument, "folder_relative",
                 "备份目录要写绝对路径 (name the folder by its absolute path)", to);
  }
  const auto inside = [](const std::string& path, const std::string& folder) {
    const std::filesystem::path relative =
        std::filesystem::weakly_canonical(path).lexically_relative(
            std::filesystem::weakly_canonical(folder));
    return !relative.empty() && *relative.begin() != "..";
  };
  if (inside(to, site_.options.dir)) {
    return Error(absl::StatusCode::kInvalidArgument, "folder_inside",
                 "备份不能放在节点自己的目录里 (a backup does not belong into the node's folder)",
                 to, "换到另一块盘上的目录 (choose a folder on another disk)");
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Backup> Backups::Run(const std::string& to, const OnProgress& progress) {
  const std::unique_lock<std::mutex> alone(running_, std::try_to_lock);
  if (!alone.owns_lock()) {
    return Error(absl::StatusCode::kFailedPrecondition, "backup_running",
                 "另一个备份正在进行 (another backup is being made)", to, "等它完成 (wait for it)");
  }
  GT_RETURN_IF_ERROR(CheckFolder(to));
  GT_ASSIGN_OR_RETURN(v1::Backup backup, Copy(to, progress));
  v1::Backup remembered = backup;
  remembered.clear_files();
  WriteSet writes;
  writes.Put(NodeFactKey(kLastBackup), remembered.SerializeAsString());
  GT_RETURN_IF_ERROR(site_.driver->WriteOwn(std::move(writes)));
  return backup;
}

absl::StatusOr<v1::Backup> Backups::Copy(const std::string& to, const OnProgress& progress) {
  GT_RETURN_IF_ERROR(MakeFolder(to));
  GT_ASSIGN_OR_RETURN(const v1::BackupList earlier, ListBackups(to));
  std::map<std::string, std::string> known;  // digests of files that are shared
  for (const v1::Backup& other : earlier.backups()) {
    if (other.node_id() != site_.node_id()) {
      return Error(absl::StatusCode::kFailedPrecondition, "foreign_backup",
                   absl::StrCat("这里是另一个节点 ", other.name(),
                                " 的备份 (the backups here are another node's)"),
                   to, "每个节点用自己的目录 (give each node a folder of its own)");
    }
    for (const v1::BackupFile& file : other.files()) known[file.name()] = file.sha256();
  }

  v1::Backup backup;
  *backup.mutable_at() = TimestampOf(absl::Now());
  GT_ASSIGN_OR_RETURN(const StoreBackup stored, store_.BackUp(BackupStoreFolder(to), progress));
  backup.set_number(stored.number);
  backup.set_to(to);
  backup.set_node_id(site_.node_id());
  backup.set_path(site_.path().text());
  backup.set_name(site_.options.name);
  backup.set_version(kVersion);
  const auto add = [&](const std::string& name, uint64_t bytes) {
    v1::BackupFile* file = backup.add_files();
    file->set_name(name);
    file->set_bytes(bytes);
    backup.set_bytes(backup.bytes() + bytes);
    return file;
  };
  const auto digest_new = [&](v1::BackupFile* file) {
    backup.set_bytes_copied(backup.bytes_copied() + file->bytes());
    backup.set_files_copied(backup.files_copied() + 1);
    absl::StatusOr<std::string> digest = DigestOfFile(absl::StrCat(to, "/", file->name()), nullptr);
    if (digest.ok()) file->set_sha256(*digest);
    return digest.status();
  };
  for (const StoreBackupFile& piece : stored.files) {
    v1::BackupFile* file = add(absl::StrCat("store/", piece.name), piece.bytes);
    const auto held = known.find(file->name());
    // Shared files never change; the others bear the backup's number.
    if (held != known.end() && absl::StartsWith(piece.name, "shared")) {
      file->set_sha256(held->second);
    } else {
      GT_RETURN_IF_ERROR(digest_new(file));
    }
  }
  for (const std::string& name : NodeFiles(site_.options.dir)) {
    const std::string copy = absl::StrCat(BackupNodeFolder(backup.number()), "/", name);
    const std::string path = absl::StrCat(to, "/", copy);
    GT_RETURN_IF_ERROR(CopyPrivately(absl::StrCat(site_.options.dir, "/", name), path));
    v1::BackupFile* file = add(copy, std::filesystem::file_size(path));
    file->set_node_file(true);
    GT_RETURN_IF_ERROR(digest_new(file));
  }
  GT_RETURN_IF_ERROR(SaveManifest(to, backup));
  return backup;
}

}  // namespace guantong
