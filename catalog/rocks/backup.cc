// Backups of a database by RocksDB's own engine: it knows which files a consistent state is made of
// while commits and compactions go on, and shares table files, which never change, between backups.
// Checkpoints by hard links would do the first half only on the disk of the store itself, which is
// where no backup belongs.
#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

#include <memory>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/rocks/files.h"
#include "catalog/rocks/rocks_status.h"

namespace guantong {
namespace {

constexpr uint64_t kProgressBytes = 1 << 20;

absl::Status FromBackup(const rocksdb::Status& status, const std::string& dir) {
  absl::Status converted = FromRocks(status, absl::StrCat("backup in ", dir));
  if (converted.ok() || absl::IsResourceExhausted(converted)) return converted;
  return Error(absl::StatusCode::kUnavailable, "backup_failed", converted.message(), dir,
               "check the folder, its permissions and disk; or take another folder");
}

rocksdb::BackupEngineOptions OptionsFor(const std::string& dir) {
  rocksdb::BackupEngineOptions options(dir);
  options.share_table_files = true;
  options.share_files_with_checksum = true;
  options.callback_trigger_interval_size = kProgressBytes;
  return options;
}

std::set<std::string> FilesIn(const rocksdb::BackupEngine& engine) {
  std::vector<rocksdb::BackupInfo> backups;
  engine.GetBackupInfo(&backups, /*include_file_details=*/true);
  std::set<std::string> names;
  for (const rocksdb::BackupInfo& backup : backups) {
    for (const rocksdb::BackupFileInfo& file : backup.file_details)
      names.insert(file.relative_filename);
  }
  return names;
}

class HeldLock : public StoreLock {
 public:
  explicit HeldLock(rocksdb::FileLock* lock) : lock_(lock) {}
  ~HeldLock() override { rocksdb::Env::Default()->UnlockFile(lock_).PermitUncheckedError(); }

 private:
  rocksdb::FileLock* const lock_;
};

}  // namespace

absl::StatusOr<StoreBackup> BackUpDatabase(rocksdb::DB* db, const std::string& dir,
                                           const std::function<void(uint64_t bytes)>& copied) {
  rocksdb::BackupEngine* opened = nullptr;
  GT_RETURN_IF_ERROR(FromBackup(
      rocksdb::BackupEngine::Open(OptionsFor(dir), rocksdb::Env::Default(), &opened), dir));
  const std::unique_ptr<rocksdb::BackupEngine> engine(opened);
  // What an earlier one left that was cut off.
  GT_RETURN_IF_ERROR(FromBackup(engine->GarbageCollect(), dir));
  const std::set<std::string> before = FilesIn(*engine);

  uint64_t bytes = 0;
  rocksdb::CreateBackupOptions options;
  // The write-ahead log would be copied anew by every backup; table files are copied once.
  options.flush_before_backup = true;
  options.progress_callback = [&] { copied(bytes += kProgressBytes); };
  StoreBackup backup;
  GT_RETURN_IF_ERROR(FromBackup(engine->CreateNewBackup(options, db, &backup.number), dir));
  rocksdb::BackupInfo info;
  GT_RETURN_IF_ERROR(
      FromBackup(engine->GetBackupInfo(backup.number, &info, /*include_file_details=*/true), dir));
  for (const rocksdb::BackupFileInfo& file : info.file_details) {
    backup.files.push_back({.name = file.relative_filename, .bytes = file.size});
    // Damage is not to be kept as if it were the data.
    if (before.count(file.relative_filename) > 0 || !absl::EndsWith(file.relative_filename, ".sst"))
      continue;
    const absl::Status checked =
        CheckTableAt(absl::StrCat(dir, "/", file.relative_filename), nullptr);
    if (checked.ok()) continue;
    engine->DeleteBackup(backup.number).PermitUncheckedError();
    return checked;
  }
  const std::string meta = absl::StrCat("meta/", backup.number);
  uint64_t meta_bytes = 0;
  GT_RETURN_IF_ERROR(FromBackup(
      rocksdb::Env::Default()->GetFileSize(absl::StrCat(dir, "/", meta), &meta_bytes), dir));
  backup.files.push_back({.name = meta, .bytes = meta_bytes});
  return backup;
}

absl::Status RestoreRocksStore(const std::string& from, uint32_t number, const std::string& dir) {
  rocksdb::BackupEngineReadOnly* opened = nullptr;
  GT_RETURN_IF_ERROR(FromBackup(
      rocksdb::BackupEngineReadOnly::Open(OptionsFor(from), rocksdb::Env::Default(), &opened),
      from));
  const std::unique_ptr<rocksdb::BackupEngineReadOnly> engine(opened);
  return FromBackup(engine->RestoreDBFromBackup(number, dir, dir), from);
}

absl::StatusOr<std::unique_ptr<StoreLock>> LockStore(const std::string& dir) {
  rocksdb::FileLock* lock = nullptr;
  GT_RETURN_IF_ERROR(
      FromOpen(rocksdb::Env::Default()->LockFile(absl::StrCat(dir, "/LOCK"), &lock), dir));
  return std::make_unique<HeldLock>(lock);
}

}  // namespace guantong
