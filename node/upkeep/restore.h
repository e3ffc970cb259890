// A node's folder from a backup: on the machine it came from or a new one.
#ifndef GUANTONG_NODE_UPKEEP_RESTORE_H_
#define GUANTONG_NODE_UPKEEP_RESTORE_H_

#include <string>

#include "absl/status/statusor.h"
#include "guantong/v1/upkeep.pb.h"
#include "node/upkeep/backup_folder.h"

namespace guantong {

struct RestoreOptions {
  std::string dir;        // becomes the node's folder
  std::string from;       // folder of backups
  uint32_t number = 0;    // 0: the newest
  bool alone = false;     // there is no neighbour to wait for
  bool unmarked = false;  // a copy for a drill, which asks nobody
  bool replace = false;   // what is in `dir` moves aside; otherwise it must be absent or empty
};

struct Restored {
  v1::Backup backup;
  std::string aside;  // where the earlier folder went, empty: there was none
};

// Checks every digest before anything is written, writes beside `dir`, and puts the result there by
// renaming, so that a stop leaves the old or the new. The store is marked as restored: the node
// then asks its neighbours for what is newer. Nothing is deleted. NOT_FOUND backup_absent;
// DATA_LOSS backup_damaged; FAILED_PRECONDITION store_locked, folder_not_empty; errors of files and
// disk.
absl::StatusOr<Restored> RestoreNode(const RestoreOptions& options, const OnBytes& read);

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_RESTORE_H_
