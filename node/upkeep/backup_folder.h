// A folder of backups as it lies on a disk:
//
//   store/               what the storage engine keeps: table files shared by all backups, the rest
//   of each by number node/N/              settings, profile and identity of backup N, mode 0600
//   manifest-N.json      backup N: where it comes from, every file with its SHA-256. Written last:
//   without it there is no backup N
#ifndef GUANTONG_NODE_UPKEEP_BACKUP_FOLDER_H_
#define GUANTONG_NODE_UPKEEP_BACKUP_FOLDER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guantong/v1/upkeep.pb.h"

namespace guantong {

std::string BackupStoreFolder(const std::string& dir);
// "node/N", relative to the folder.
std::string BackupNodeFolder(uint32_t number);

// Told bytes as they are read.
using OnBytes = std::function<void(uint64_t bytes)>;

// Newest first; empty when there is none. UNAVAILABLE file_unreadable; DATA_LOSS backup_damaged.
absl::StatusOr<v1::BackupList> ListBackups(const std::string& dir);

// 0: the newest. NOT_FOUND backup_absent.
absl::StatusOr<v1::Backup> FindBackup(const std::string& dir, uint32_t number);

absl::Status SaveManifest(const std::string& dir, const v1::Backup& backup);

// SHA-256. UNAVAILABLE file_unreadable.
absl::StatusOr<std::string> DigestOfFile(const std::string& file, const OnBytes& read);

// Reads every file of the backup. DATA_LOSS backup_damaged names the first that is not as it was
// written.
absl::Status CheckBackup(const std::string& dir, const v1::Backup& backup, const OnBytes& read);

// The files that make a node, relative to its folder: settings, profile, identity. Those that are
// there.
std::vector<std::string> NodeFiles(const std::string& dir);

// The whole content, mode 0600 and durable. UNAVAILABLE file_unreadable, file_unwritable.
absl::Status CopyPrivately(const std::string& from, const std::string& to);

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_BACKUP_FOLDER_H_
