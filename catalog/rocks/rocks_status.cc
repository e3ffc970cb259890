#include "catalog/rocks/rocks_status.h"

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"

namespace guantong {

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsNotFound()) return absl::NotFoundError("no such key");
  const std::string text = absl::StrCat(what, ": ", status.ToString());
  if (status.IsNoSpace()) {
    return Error(absl::StatusCode::kResourceExhausted, "disk_full", text, "",
                 "free space on the disk of the node's folder; the node goes on by itself");
  }
  if (status.IsCorruption()) {
    return Error(absl::StatusCode::kDataLoss, "store_corrupt", text, "",
                 "a running node mends it, see `guantong status`; check the disk");
  }
  return Error(absl::StatusCode::kUnavailable, "store_failed", text, "",
               "check the disk of the node's folder, then start the node again");
}

absl::Status FromOpen(const rocksdb::Status& status, const std::string& dir) {
  // RocksDB has no code of its own for the lock that another holder keeps.
  if (status.IsIOError() && status.ToString().find("/LOCK") != std::string::npos) {
    return Error(absl::StatusCode::kFailedPrecondition, "store_locked",
                 absl::StrCat("the store is in use: ", status.ToString()), dir,
                 "only one node may run on a folder: stop the other one");
  }
  return FromRocks(status, absl::StrCat("opening ", dir));
}

}  // namespace guantong
