// Backups of a running node: store, identity, settings.
#ifndef GUANTONG_NODE_UPKEEP_BACKUP_H_
#define GUANTONG_NODE_UPKEEP_BACKUP_H_

#include <functional>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "catalog/rocks/rocks_store.h"
#include "guantong/v1/upkeep.pb.h"
#include "node/site.h"

namespace guantong {

// Any thread, one at a time.
class Backups {
 public:
  Backups(const Site* site, RocksStore* store) : site_(*site), store_(*store) {}

  using OnProgress = std::function<void(uint64_t bytes)>;

  // A new backup in the folder `to` of this machine (see backup_folder.h): all that was committed
  // when it began. Only what earlier backups there do not have is copied. INVALID_ARGUMENT
  // folder_relative, folder_inside; FAILED_PRECONDITION backup_running, foreign_backup; DATA_LOSS
  // store_corrupt: damage was found instead and is being mended; errors of files and disk.
  absl::StatusOr<v1::Backup> Run(const std::string& to, const OnProgress& progress);

 private:
  absl::Status CheckFolder(const std::string& to) const;
  absl::StatusOr<v1::Backup> Copy(const std::string& to, const OnProgress& progress);

  const Site& site_;
  RocksStore& store_;
  std::mutex running_;
};

// The last backup that succeeded, without its files; false when there is none.
bool LastBackup(const Reader& store, v1::Backup* backup);

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_BACKUP_H_
