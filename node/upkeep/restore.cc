#include "node/upkeep/restore.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/rocks/rocks_store.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/clock.h"
#include "node/config.h"
#include "node/identity/files.h"
#include "node/language.h"

namespace guantong {
namespace {

namespace fs = std::filesystem;

absl::Status Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "file_unwritable",
               absl::StrCat(from, " -> ", to, ": ", std::strerror(errno)), to,
               Text("检查目录和权限；--dir 不要写挂载点本身",
                    "check folder and permissions; --dir must not be a mount point itself"));
}

bool IsEmpty(const std::string& dir) {
  std::error_code error;
  return !FileExists(dir) || fs::is_empty(dir, error);
}

// Held while the old folder is moved, so that no node opens it.
absl::StatusOr<std::unique_ptr<StoreLock>> LockOld(const std::string& store) {
  if (!FileExists(store + "/CURRENT")) return std::unique_ptr<StoreLock>();
  return LockStore(store);
}

absl::Status MarkRestored(const std::string& store_dir, bool alone) {
  GT_ASSIGN_OR_RETURN(const std::unique_ptr<RocksStore> store, OpenRocksStore(store_dir));
  storage::v1::Restored mark;
  mark.set_alone(alone);
  *mark.mutable_at() = TimestampOf(absl::Now());
  WriteSet writes;
  writes.Put(RestoredKey(), mark.SerializeAsString());
  return store->Commit({&writes, 1});
}

}  // namespace

absl::StatusOr<Restored> RestoreNode(const RestoreOptions& options, const OnBytes& read) {
  const std::string dir = fs::absolute(options.dir).lexically_normal().string();
  const std::string target(absl::StripSuffix(dir, "/"));
  Restored restored;
  GT_ASSIGN_OR_RETURN(restored.backup, FindBackup(options.from, options.number));
  if (!IsEmpty(target) && !options.replace) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "folder_not_empty",
        absl::StrCat(target, Text(" 里已有内容", " is not empty")), target,
        Text("换一个目录；或加 --replace，原有内容移到一旁保留",
             "choose another folder, or say --replace: what is there moves aside and is kept"));
  }
  GT_RETURN_IF_ERROR(CheckBackup(options.from, restored.backup, read));
  // Data may lie elsewhere than in the folder; the settings of the backup say where they go.
  const std::string node_files =
      absl::StrCat(options.from, "/", BackupNodeFolder(restored.backup.number()));
  GT_ASSIGN_OR_RETURN(const NodeConfig config, LoadConfig(node_files));
  const bool elsewhere = config.data_dir[0] == '/';
  const std::string old_data = DataFolder(target, config);
  GT_ASSIGN_OR_RETURN(const std::unique_ptr<StoreLock> lock, LockOld(old_data));
  if (elsewhere && !IsEmpty(old_data) && !options.replace) {
    return Error(absl::StatusCode::kFailedPrecondition, "folder_not_empty",
                 absl::StrCat(old_data, Text(" 里已有内容", " is not empty")), old_data,
                 Text("加 --replace，原有内容移到一旁保留",
                      "say --replace: what is there moves aside and is kept"));
  }
  const std::string stamp = absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(), absl::LocalTimeZone());
  const std::string staged = absl::StrCat(target, ".restoring-", stamp);
  const std::string staged_store =
      elsewhere ? absl::StrCat(old_data, ".restoring-", stamp) : DataFolder(staged, config);
  GT_RETURN_IF_ERROR(MakeFolder(staged));
  for (const std::string& name : NodeFiles(node_files)) {
    GT_RETURN_IF_ERROR(
        CopyPrivately(absl::StrCat(node_files, "/", name), absl::StrCat(staged, "/", name)));
  }
  GT_RETURN_IF_ERROR(MakeFolder(staged_store));
  GT_RETURN_IF_ERROR(
      RestoreRocksStore(BackupStoreFolder(options.from), restored.backup.number(), staged_store));
  if (!options.unmarked) GT_RETURN_IF_ERROR(MarkRestored(staged_store, options.alone));

  if (elsewhere) {
    if (!IsEmpty(old_data))
      GT_RETURN_IF_ERROR(Rename(old_data, absl::StrCat(old_data, ".before-", stamp)));
    GT_RETURN_IF_ERROR(Rename(staged_store, old_data));
  }
  if (!IsEmpty(target)) {
    restored.aside = absl::StrCat(target, ".before-", stamp);
    GT_RETURN_IF_ERROR(Rename(target, restored.aside));
  }
  GT_RETURN_IF_ERROR(Rename(staged, target));
  return restored;
}

}  // namespace guantong
