#include "catalog/rocks/faulty_disk.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

#include <atomic>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "catalog/base/status.h"

namespace guantong {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

std::string FolderOf(const std::string& file) { return file.substr(0, file.rfind('/')); }

}  // namespace

class FaultyDisk::Files : public rocksdb::FileSystemWrapper {
 public:
  Files() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyDisk"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* debug) override;
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* debug) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    if (dead_) return Dead();
    std::lock_guard lock(mutex_);
    if (const auto at = synced_bytes_.find(from); at != synced_bytes_.end()) {
      synced_bytes_[to] = at->second;
      synced_bytes_.erase(at);
    }
    unlisted_.erase(from);
    return FileSystemWrapper::RenameFile(from, to, options, debug);
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions& options,
                      IODebugContext* debug) override {
    if (dead_) return Dead();
    std::lock_guard lock(mutex_);
    synced_bytes_.erase(name);
    unlisted_.erase(name);
    return FileSystemWrapper::DeleteFile(name, options, debug);
  }

  IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, uint64_t* bytes,
                        IODebugContext* debug) override {
    if (!full_) return FileSystemWrapper::GetFreeSpace(path, options, bytes, debug);
    *bytes = 0;
    return IOStatus::OK();
  }

  IOStatus BeforeWrite() const {
    if (dead_) return Dead();
    if (!full_) return IOStatus::OK();
    IOStatus full = IOStatus::NoSpace("the disk is full");
    full.SetRetryable(true);  // as the real file system says it
    return full;
  }
  void Synced(const std::string& name, uint64_t bytes) {
    std::lock_guard lock(mutex_);
    synced_bytes_[name] = bytes;
  }
  void SyncedFolder(const std::string& folder) {
    std::lock_guard lock(mutex_);
    for (auto file = unlisted_.begin(); file != unlisted_.end();) {
      file = FolderOf(*file) == folder ? unlisted_.erase(file) : std::next(file);
    }
  }

  void SetFull(bool full) { full_ = full; }
  void CutPower() { dead_ = true; }
  void RestorePower() {
    std::lock_guard lock(mutex_);
    for (const std::string& file : unlisted_) {
      GT_CHECK(::unlink(file.c_str()) == 0);
      synced_bytes_.erase(file);
    }
    for (const auto& [file, bytes] : synced_bytes_) {
      GT_CHECK(::truncate(file.c_str(), static_cast<off_t>(bytes)) == 0);
    }
    unlisted_.clear();
    synced_bytes_.clear();
    dead_ = false;
  }

  static IOStatus Dead() { return IOStatus::IOError("the power is cut"); }

 private:
  std::atomic<bool> full_ = false;
  std::atomic<bool> dead_ = false;
  std::mutex mutex_;
  std::map<std::string, uint64_t> synced_bytes_;  // of every file written here
  std::set<std::string> unlisted_;                // new since their folder was synced
};

namespace {

template <typename Files>
class FaultyFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(Files* files, std::string name, std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), files_(files), name_(std::move(name)) {}

  using FSWritableFileOwnerWrapper::Append;
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    if (IOStatus fault = files_->BeforeWrite(); !fault.ok()) {
      if (fault.IsNoSpace()) AppendHalf(data, options, debug);
      return fault;
    }
    bytes_ += data.size();
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    if (IOStatus fault = files_->BeforeWrite(); !fault.ok()) return fault;
    IOStatus synced = FSWritableFileOwnerWrapper::Sync(options, debug);
    if (synced.ok()) files_->Synced(name_, bytes_);
    return synced;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(options, debug);
  }

 private:
  void AppendHalf(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) {
    const rocksdb::Slice half(data.data(), data.size() / 2);
    if (FSWritableFileOwnerWrapper::Append(half, options, debug).ok()) bytes_ += half.size();
  }

  Files* files_;
  const std::string name_;
  uint64_t bytes_ = 0;
};

template <typename Files>
class FaultyFolder : public rocksdb::FSDirectoryWrapper {
 public:
  FaultyFolder(Files* files, std::string name, std::unique_ptr<rocksdb::FSDirectory> folder)
      : FSDirectoryWrapper(std::move(folder)), files_(files), name_(std::move(name)) {
    while (name_.size() > 1 && name_.back() == '/') name_.pop_back();
  }

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    if (IOStatus fault = files_->BeforeWrite(); !fault.ok()) return fault;
    files_->SyncedFolder(name_);
    return FSDirectoryWrapper::Fsync(options, debug);
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

 private:
  Files* files_;
  std::string name_;
};

}  // namespace

IOStatus FaultyDisk::Files::NewWritableFile(const std::string& name,
                                            const rocksdb::FileOptions& options,
                                            std::unique_ptr<rocksdb::FSWritableFile>* result,
                                            IODebugContext* debug) {
  if (dead_) return Dead();
  IOStatus made = FileSystemWrapper::NewWritableFile(name, options, result, debug);
  if (!made.ok()) return made;
  *result = std::make_unique<FaultyFile<Files>>(this, name, std::move(*result));
  std::lock_guard lock(mutex_);
  synced_bytes_[name] = 0;
  unlisted_.insert(name);
  return made;
}

IOStatus FaultyDisk::Files::NewDirectory(const std::string& name, const IOOptions& options,
                                         std::unique_ptr<rocksdb::FSDirectory>* result,
                                         IODebugContext* debug) {
  IOStatus made = FileSystemWrapper::NewDirectory(name, options, result, debug);
  if (made.ok()) {
    *result = std::make_unique<FaultyFolder<Files>>(this, name, std::move(*result));
  }
  return made;
}

FaultyDisk::FaultyDisk()
    : files_(std::make_shared<Files>()), env_(rocksdb::NewCompositeEnv(files_)) {}
FaultyDisk::~FaultyDisk() = default;

rocksdb::Env* FaultyDisk::env() { return env_.get(); }
void FaultyDisk::FillUp() { files_->SetFull(true); }
void FaultyDisk::FreeUp() { files_->SetFull(false); }
void FaultyDisk::CutPower() { files_->CutPower(); }
void FaultyDisk::RestorePower() { files_->RestorePower(); }

}  // namespace guantong
