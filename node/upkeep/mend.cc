#include "node/upkeep/mend.h"

#include <sys/statvfs.h>

#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/salvage.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/clock.h"
#include "node/identity/files.h"
#include "node/limits.h"
#include "node/log.h"
#include "node/upkeep/damage.h"
#include "node/upkeep/mend_blocks.h"
#include "node/upkeep/mend_feeds.h"

namespace guantong {
namespace {

namespace fs = std::filesystem;

absl::Status Failed(const std::string& path, const std::error_code& error) {
  return Error(absl::StatusCode::kUnavailable, "file_unwritable",
               absl::StrCat(path, ": ", error.message()), path,
               "检查目录和权限 (check the folder and its permissions)");
}

absl::Status Move(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  return error ? Failed(to, error) : absl::OkStatus();
}

absl::Status Remove(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return error ? Failed(path, error) : absl::OkStatus();
}

class Mending {
 public:
  Mending(const std::string& store_dir, const Identity& identity)
      : store_dir_(store_dir), new_dir_(store_dir + ".mending"), identity_(identity) {
    *damage_.mutable_at() = TimestampOf(absl::Now());
    kept_ = absl::StrCat(store_dir, ".damaged-",
                         absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(), absl::LocalTimeZone()));
  }

  absl::Status Run(absl::string_view found_by, absl::string_view text) {
    damage_.set_found_by(std::string(found_by));
    damage_.set_text(std::string(text));
    Log(LogLevel::kWarning,
        absl::StrCat("开始修复数据目录 (mending the store) ", store_dir_, ": ", text));
    GT_ASSIGN_OR_RETURN(std::unique_ptr<RocksStore> old, OpenOld());
    for (const TableFile& file : old->TableFiles()) {
      const absl::Status checked = old->CheckTableFile(file, nullptr);
      if (absl::IsDataLoss(checked)) damage_.add_files(file.name);
    }
    if (damage_.files().empty()) {
      old.reset();
      Log(LogLevel::kWarning, "逐块重读没有发现损坏 (every block reads well now)");
      return absl::OkStatus();
    }
    GT_RETURN_IF_ERROR(CheckRoom(*old));
    GT_RETURN_IF_ERROR(Remove(new_dir_));
    GT_ASSIGN_OR_RETURN(std::unique_ptr<RocksStore> made, OpenRocksStore(new_dir_));
    std::vector<LostRange> lost;
    GT_RETURN_IF_ERROR(Copy(*old, made.get(), &lost));
    std::vector<std::string> files;
    for (const std::string& file : damage_.files())
      files.push_back(absl::StrCat(store_dir_, "/", file));
    GT_RETURN_IF_ERROR(MendBlocks(made.get(), lost, files, &damage_));
    GT_RETURN_IF_ERROR(MendFeeds(made.get(), identity_, lost, &damage_));
    damage_.set_kept(kept_);
    GT_RETURN_IF_ERROR(Record(made.get()));
    // Closed, and with nothing left in its write-ahead log that a look at the files would miss.
    made.reset();
    old.reset();
    GT_RETURN_IF_ERROR(Move(store_dir_, kept_));
    GT_RETURN_IF_ERROR(Move(new_dir_, store_dir_));
    KeepDamagedOnly();
    Tell();
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::unique_ptr<RocksStore>> OpenOld() {
    absl::StatusOr<std::unique_ptr<RocksStore>> old = OpenRocksStore(store_dir_);
    if (old.ok() || !absl::IsDataLoss(old.status())) return old;
    // Opening it the other way consumes the log; the original is kept.
    const std::string logs = kept_ + ".log";
    GT_RETURN_IF_ERROR(MakeFolder(logs));
    std::error_code error;
    for (fs::directory_iterator it(store_dir_, error), end; !error && it != end;
         it.increment(error)) {
      if (it->path().extension() == ".log")
        fs::copy_file(it->path(), fs::path(logs) / it->path().filename(), error);
    }
    if (error) return Failed(logs, error);
    absl::StatusOr<std::unique_ptr<RocksStore>> cut =
        OpenRocksStore(store_dir_, {.log_to_first_damage = true});
    if (!cut.ok()) {
      return Error(
          absl::StatusCode::kDataLoss, "store_corrupt",
          absl::StrCat("数据目录损坏，无法就地修复 (the store is damaged beyond mending): ",
                       cut.status().message()),
          store_dir_,
          "用 guantong restore --dir 节点目录 --from 备份目录 --replace 恢复 (restore a backup)");
    }
    storage::v1::Restored restored;
    *restored.mutable_at() = damage_.at();
    WriteSet writes;
    writes.Put(RestoredKey(), restored.SerializeAsString());
    damage_.add_lost(
        "预写日志损坏处之后的提交，先向邻居取回 (what was committed after the damage in the "
        "write-ahead log; "
        "neighbours are asked for it first)");
    damage_.set_kept(logs);
    damage_.set_repaired(true);
    AddDamage(damage_, &writes);
    GT_RETURN_IF_ERROR((*cut)->Commit({&writes, 1}));
    Log(LogLevel::kError, absl::StrCat("预写日志损坏：取到损坏处为止，原文件在 (the write-ahead "
                                       "log is damaged; read up to there, kept in) ",
                                       logs));
    return cut;
  }

  absl::Status CheckRoom(const RocksStore& old) const {
    struct statvfs disk = {};
    const uint64_t needed = old.Usage().disk_bytes + kMendRoomBytes;
    if (statvfs(fs::path(store_dir_).parent_path().c_str(), &disk) != 0 ||
        uint64_t{disk.f_bavail} * disk.f_frsize >= needed) {
      return absl::OkStatus();
    }
    return Error(absl::StatusCode::kResourceExhausted, "disk_full",
                 absl::StrCat("修复需要 ", needed >> 20, " MiB 空间 (mending needs so much room)"),
                 store_dir_,
                 "清理或扩容数据盘后重启节点 (free some space, then start the node again)");
  }

  static absl::Status Copy(const RocksStore& old, RocksStore* made, std::vector<LostRange>* lost) {
    WriteSet writes;
    const absl::Status scanned = ScanAround(
        old,
        [&](absl::string_view key, absl::string_view value) {
          writes.Put(std::string(key), std::string(value));
          if (writes.bytes() < kStageGroupBytes) return absl::OkStatus();
          const WriteSet part = std::exchange(writes, WriteSet());
          return made->Commit({&part, 1});
        },
        [&](LostRange range) { lost->push_back(std::move(range)); });
    GT_RETURN_IF_ERROR(scanned);
    return writes.empty() ? absl::OkStatus() : made->Commit({&writes, 1});
  }

  absl::Status Record(RocksStore* made) {
    damage_.set_repaired(true);
    for (const v1::DamagedFeed& feed : damage_.feeds()) {
      if (feed.cure() == "none") damage_.set_repaired(false);
    }
    WriteSet writes;
    AddDamage(damage_, &writes);
    return made->Commit({&writes, 1});
  }

  // The rest of the old store is in the new one.
  void KeepDamagedOnly() const {
    const std::set<std::string> bad(damage_.files().begin(), damage_.files().end());
    std::error_code error;
    for (fs::directory_iterator it(kept_, error), end; !error && it != end; it.increment(error)) {
      if (bad.count(it->path().filename().string()) == 0) fs::remove_all(it->path(), error);
    }
  }

  void Tell() const {
    Log(LogLevel::kError,
        absl::StrCat("已修复，损坏的文件 ", absl::StrJoin(damage_.files(), ", "), " 移到 ", kept_,
                     " (mended; the damaged files moved there)"));
    for (const v1::DamagedFeed& feed : damage_.feeds()) {
      Log(LogLevel::kError, absl::StrCat("  ", feed.feed_key(), " ", feed.feed().resource(), " ",
                                         feed.part(), " ", feed.cure(), ": ", feed.text()));
    }
    for (const std::string& lost : damage_.lost())
      Log(LogLevel::kError, absl::StrCat("  可能缺失 (may be lost): ", lost));
  }

  const std::string store_dir_;
  const std::string new_dir_;
  std::string kept_;
  const Identity& identity_;
  v1::Damage damage_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RocksStore>> OpenAndMend(const std::string& store_dir,
                                                        const Identity& identity,
                                                        const RocksOptions& options) {
  // Stopped between the two renames.
  if (!FileExists(store_dir) && FileExists(store_dir + ".mending")) {
    GT_RETURN_IF_ERROR(Move(store_dir + ".mending", store_dir));
  }
  const std::string mark = DamageMark(store_dir);
  std::string found_by = "start";
  std::string text;
  bool mend = false;
  if (const absl::StatusOr<std::string> noted = ReadSmallFile(mark); noted.ok()) {
    const std::vector<std::string> lines = absl::StrSplit(*noted, absl::MaxSplits('\n', 1));
    found_by = lines[0];
    text = lines.size() > 1 ? lines[1] : "";
    mend = true;
  } else {
    absl::StatusOr<std::unique_ptr<RocksStore>> opened = OpenRocksStore(store_dir, options);
    if (opened.ok() || !absl::IsDataLoss(opened.status())) return opened;
    text = std::string(opened.status().message());
    mend = true;
  }
  if (mend) {
    const absl::Status mended = Mending(store_dir, identity).Run(found_by, text);
    // Without room it runs as it is: what is damaged is refused at every read, and said by doctor.
    if (absl::IsResourceExhausted(mended)) {
      Log(LogLevel::kError, mended.message());
    } else {
      GT_RETURN_IF_ERROR(mended);
    }
    GT_RETURN_IF_ERROR(Remove(mark));
  }
  return OpenRocksStore(store_dir, options);
}

}  // namespace guantong
