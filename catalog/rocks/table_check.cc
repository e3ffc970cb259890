// Reading table files for their checksums. The page cache would answer for the disk, so it is
// passed by where the file system allows it; the pace is kept below the table reader, in the file
// it reads from.
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/rocks/files.h"
#include "catalog/rocks/rocks_status.h"

namespace guantong {
namespace {

constexpr size_t kReadAheadBytes = 256 << 10;

class PacedFile : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  PacedFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file, const RocksStore::Pace* pace)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), pace_(*pace) {}

  rocksdb::IOStatus Read(uint64_t offset, size_t n, const rocksdb::IOOptions& options,
                         rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext* context) const override {
    if (pace_ && !pace_(n)) return rocksdb::IOStatus::Aborted("stopped");
    return FSRandomAccessFileOwnerWrapper::Read(offset, n, options, result, scratch, context);
  }
  rocksdb::IOStatus MultiRead(rocksdb::FSReadRequest* requests, size_t count,
                              const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* context) override {
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) bytes += requests[i].len;
    if (pace_ && !pace_(bytes)) return rocksdb::IOStatus::Aborted("stopped");
    return FSRandomAccessFileOwnerWrapper::MultiRead(requests, count, options, context);
  }

 private:
  const RocksStore::Pace& pace_;
};

class PacedDisk : public rocksdb::FileSystemWrapper {
 public:
  explicit PacedDisk(const RocksStore::Pace* pace)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), pace_(pace) {}
  const char* Name() const override { return "PacedDisk"; }

  rocksdb::IOStatus NewRandomAccessFile(const std::string& name,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* context) override {
    rocksdb::FileOptions direct = options;
    direct.use_direct_reads = true;
    direct.use_mmap_reads = false;
    rocksdb::IOStatus opened = target()->NewRandomAccessFile(name, direct, file, context);
    // Some file systems know no direct reads.
    if (!opened.ok()) opened = target()->NewRandomAccessFile(name, options, file, context);
    if (opened.ok()) *file = std::make_unique<PacedFile>(std::move(*file), pace_);
    return opened;
  }

 private:
  const RocksStore::Pace* const pace_;
};

}  // namespace

std::vector<TableFile> TableFilesOf(rocksdb::DB* db) {
  std::vector<rocksdb::LiveFileMetaData> live;
  db->GetLiveFilesMetaData(&live);
  std::vector<TableFile> files;
  for (const rocksdb::LiveFileMetaData& file : live) {
    files.push_back(
        {.name = file.relative_filename.empty() ? file.name.substr(1) : file.relative_filename,
         .family = file.column_family_name,
         .number = file.file_number,
         .bytes = file.size});
  }
  std::sort(files.begin(), files.end(),
            [](const TableFile& a, const TableFile& b) { return a.number < b.number; });
  return files;
}

absl::Status CheckTableAt(const std::string& file, const RocksStore::Pace& pace) {
  const auto disk = std::make_shared<PacedDisk>(&pace);
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk);
  rocksdb::Options options;
  options.env = env.get();
  rocksdb::SstFileReader reader(options);
  rocksdb::Status read = reader.Open(file);
  if (read.ok()) {
    rocksdb::ReadOptions how;
    how.readahead_size = kReadAheadBytes;
    how.fill_cache = false;
    read = reader.VerifyChecksum(how);
  }
  if (read.IsAborted()) return absl::CancelledError("stopped");
  absl::Status checked = FromRocks(read, file);
  if (!absl::IsDataLoss(checked)) return checked;
  return Error(absl::StatusCode::kDataLoss, "store_corrupt", checked.message(), file,
               DetailOf(checked).remedy);
}

absl::Status CheckTable(const rocksdb::DB& db, const TableFile& file,
                        const RocksStore::Pace& pace) {
  const std::string path = absl::StrCat(db.GetName(), "/", file.name);
  const absl::Status checked = CheckTableAt(path, pace);
  if (absl::IsDataLoss(checked) || checked.ok() || absl::IsCancelled(checked)) return checked;
  const bool there = db.GetEnv()->FileExists(path).ok();
  return there ? checked : absl::NotFoundError("no longer in force");
}

}  // namespace guantong
