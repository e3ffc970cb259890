// Every range is split by column family and every read is pinned to one sequence number, so that
// what callers see is one ordered map; every Commit is one WriteBatch with one fsync.
#include "catalog/rocks/rocks_store.h"

#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/write_batch.h>
#include <sys/statvfs.h>

#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/rocks/families.h"
#include "catalog/rocks/files.h"
#include "catalog/rocks/info_log.h"
#include "catalog/rocks/log_checksum.h"
#include "catalog/rocks/rocks_status.h"
#include "catalog/rocks/snapshot_marks.h"
#include "catalog/rocks/table_pace.h"

namespace guantong {
namespace {

rocksdb::Slice SliceOf(absl::string_view bytes) { return {bytes.data(), bytes.size()}; }
absl::string_view ViewOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

struct Database {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  std::function<void(const absl::Status&)> on_damage;
  std::shared_ptr<TablePace> pace;
  absl::Duration brief_snapshot_max;
  absl::Duration unmarked_max;
  std::atomic<std::chrono::steady_clock::time_point> marked = std::chrono::steady_clock::now();

  absl::Status Convert(const rocksdb::Status& status, absl::string_view what) const {
    absl::Status converted = FromRocks(status, what);
    if (status.IsCorruption() && on_damage) on_damage(converted);
    return converted;
  }

  ~Database() {
    for (rocksdb::ColumnFamilyHandle* family : families) {
      db->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    }
    if (db != nullptr) db->Close().PermitUncheckedError();
  }
};

// What flushes and compactions meet.
class DamageListener : public rocksdb::EventListener {
 public:
  explicit DamageListener(std::function<void(const absl::Status&)> on_damage)
      : on_damage_(std::move(on_damage)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    if (error->IsCorruption()) on_damage_(FromRocks(*error, "in the background"));
  }

 private:
  const std::function<void(const absl::Status&)> on_damage_;
};

// One sequence number of the database, readable while this lives.
class Pin {
 public:
  explicit Pin(Database* database) : database_(*database), snapshot_(database->db->GetSnapshot()) {}
  ~Pin() {
    const auto now = std::chrono::steady_clock::now();
    if (absl::FromChrono(now - since_) < database_.brief_snapshot_max &&
        absl::FromChrono(now - database_.marked.load()) < database_.unmarked_max) {
      const UnmarkedRelease unmarked;
      database_.db->ReleaseSnapshot(snapshot_);
      return;
    }
    database_.marked = now;
    database_.db->ReleaseSnapshot(snapshot_);
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

  const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  Database& database_;
  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  const rocksdb::Snapshot* const snapshot_;
};

// Walks the segments of a range one after the other.
class RocksCursor : public Cursor {
 public:
  RocksCursor(const Database* database, std::shared_ptr<const Pin> pin,
              std::vector<Segment> segments)
      : database_(database), pin_(std::move(pin)), segments_(std::move(segments)) {
    Enter(0);
  }

  bool Valid() const override { return iterator_ != nullptr && iterator_->Valid(); }
  void Next() override {
    iterator_->Next();
    if (!iterator_->Valid()) Leave();
  }
  absl::string_view key() const override { return ViewOf(iterator_->key()); }
  absl::string_view value() const override { return ViewOf(iterator_->value()); }
  absl::Status status() const override { return status_; }

 private:
  void Enter(size_t segment) {
    at_ = segment;
    iterator_.reset();
    if (segment == segments_.size()) return;
    const Segment& range = segments_[segment];
    rocksdb::ReadOptions options;
    options.snapshot = pin_->get();
    end_ = SliceOf(range.end);
    if (!range.end.empty()) options.iterate_upper_bound = &end_;
    iterator_.reset(database_->db->NewIterator(options, database_->families[range.family]));
    iterator_->Seek(SliceOf(range.begin));
    if (!iterator_->Valid()) Leave();
  }

  void Leave() {
    status_ = database_->Convert(iterator_->status(), "reading a range");
    Enter(status_.ok() ? at_ + 1 : segments_.size());
  }

  const Database* database_;
  std::shared_ptr<const Pin> pin_;
  const std::vector<Segment> segments_;
  size_t at_ = 0;
  rocksdb::Slice end_;                           // borrowed by the iterator
  std::unique_ptr<rocksdb::Iterator> iterator_;  // before the pin goes
  absl::Status status_;
};

absl::Status GetAt(const Database& database, const rocksdb::Snapshot* snapshot,
                   absl::string_view key, std::string* value) {
  if (key.empty()) return absl::NotFoundError("no such key");
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  return database.Convert(
      database.db->Get(options, database.families[FamilyOf(key[0])], SliceOf(key), value),
      "reading a key");
}

class RocksSnapshot : public Reader {
 public:
  explicit RocksSnapshot(Database* database)
      : database_(database), pin_(std::make_shared<const Pin>(database)) {}

  absl::Status Get(absl::string_view key, std::string* value) const override {
    return GetAt(*database_, pin_->get(), key, value);
  }
  std::unique_ptr<Cursor> Scan(absl::string_view begin, absl::string_view end) const override {
    return std::make_unique<RocksCursor>(database_, pin_, SegmentsOf(begin, end));
  }

 private:
  const Database* database_;
  std::shared_ptr<const Pin> pin_;
};

class OpenStore : public RocksStore {
 public:
  OpenStore(std::unique_ptr<Database> database, std::string dir)
      : database_(std::move(database)), dir_(std::move(dir)) {}

  absl::Status Get(absl::string_view key, std::string* value) const override {
    return GetAt(*database_, nullptr, key, value);
  }
  std::unique_ptr<Cursor> Scan(absl::string_view begin, absl::string_view end) const override {
    return RocksSnapshot(database_.get()).Scan(begin, end);
  }
  std::unique_ptr<Reader> Snapshot() const override {
    return std::make_unique<RocksSnapshot>(database_.get());
  }

  absl::Status Commit(absl::Span<const WriteSet> groups) override {
    size_t bytes = 0;
    for (const WriteSet& group : groups) bytes += group.bytes() + 16 * group.ops().size();
    GT_RETURN_IF_ERROR(CheckRoom(bytes));
    if (failed_) {
      // Busy: RocksDB is already waiting for space by itself, and the write says whether it still
      // does.
      const rocksdb::Status resumed = database_->db->Resume();
      if (!resumed.ok() && !resumed.IsBusy()) {
        return database_->Convert(resumed, "recovering from a failed write");
      }
    }
    rocksdb::WriteBatch batch(bytes);
    for (const WriteSet& group : groups) {
      for (const WriteSet::Op& op : group.ops()) {
        GT_RETURN_IF_ERROR(FromRocks(Add(op, &batch), "collecting a commit"));
      }
    }
    rocksdb::WriteOptions options;
    options.sync = true;
    const rocksdb::Status written = database_->db->Write(options, &batch);
    failed_ = !written.ok();
    if (!failed_) database_->pace->Committed(bytes);
    return database_->Convert(written, "committing");
  }

  StoreUsage Usage() const override {
    StoreUsage usage;
    for (rocksdb::ColumnFamilyHandle* family : database_->families) {
      usage.disk_bytes += Property(family, rocksdb::DB::Properties::kTotalSstFilesSize);
      usage.memory_bytes += Property(family, rocksdb::DB::Properties::kSizeAllMemTables) +
                            Property(family, rocksdb::DB::Properties::kEstimateTableReadersMem);
    }
    // The cache is shared by the families.
    usage.memory_bytes +=
        Property(database_->families[0], rocksdb::DB::Properties::kBlockCacheUsage);
    return usage;
  }

  std::vector<TableFile> TableFiles() const override { return TableFilesOf(database_->db.get()); }
  absl::Status CheckTableFile(const TableFile& file, const Pace& pace) const override {
    return CheckTable(*database_->db, file, pace);
  }
  absl::StatusOr<StoreBackup> BackUp(const std::string& dir,
                                     const std::function<void(uint64_t bytes)>& copied) override {
    return BackUpDatabase(database_->db.get(), dir, copied);
  }

 private:
  // A log that met the end of the disk in its first record is of no use to RocksDB any more, and it
  // ends the process at the next: so the end is not met. What is kept free is also what flushes and
  // merges of tables need to go on.
  absl::Status CheckRoom(size_t bytes) const {
    struct statvfs disk = {};
    if (statvfs(dir_.c_str(), &disk) != 0) return absl::OkStatus();  // the write will tell
    const uint64_t left = uint64_t{disk.f_bavail} * disk.f_frsize;
    const uint64_t needed = kDiskReserveBytes + 2 * bytes;
    if (left >= needed) return absl::OkStatus();
    return Error(absl::StatusCode::kResourceExhausted, "disk_full",
                 absl::StrCat("the disk of ", dir_, " has ", left >> 20, " MiB left, and ",
                              needed >> 20, " MiB are kept free"),
                 dir_, "free space on the disk of the node's folder; the node goes on by itself");
  }

  rocksdb::Status Add(const WriteSet::Op& op, rocksdb::WriteBatch* batch) const {
    GT_CHECK(!op.key.empty());
    rocksdb::ColumnFamilyHandle* const family = database_->families[FamilyOf(op.key[0])];
    switch (op.kind) {
      case WriteSet::Kind::kPut:
        return batch->Put(family, SliceOf(op.key), SliceOf(op.value));
      case WriteSet::Kind::kDelete:
        return batch->Delete(family, SliceOf(op.key));
      case WriteSet::Kind::kDeleteRange:
        for (const Segment& segment : SegmentsOf(op.key, op.value)) {
          const rocksdb::Status added = batch->DeleteRange(
              database_->families[segment.family], SliceOf(segment.begin), SliceOf(segment.end));
          if (!added.ok()) return added;
        }
    }
    return rocksdb::Status::OK();
  }

  uint64_t Property(rocksdb::ColumnFamilyHandle* family, const std::string& name) const {
    uint64_t value = 0;
    return database_->db->GetIntProperty(family, name, &value) ? value : 0;
  }

  std::unique_ptr<Database> database_;
  const std::string dir_;
  bool failed_ = false;  // of the one committer
};

}  // namespace

absl::StatusOr<std::unique_ptr<RocksStore>> OpenRocksStore(const std::string& dir,
                                                           const RocksOptions& options) {
  Layout layout = LayoutOf(options);
  layout.database.info_log = MakeInfoLog(dir);
  const auto pace = std::make_shared<TablePace>(options.table_bytes_per_second_min);
  layout.database.rate_limiter = pace;
  if (!LogChecksumIsOurs()) {
    rocksdb::Warn(layout.database.info_log,
                  "the checksum of the write-ahead log is computed by the library, slower");
  }
  if (!SnapshotMarksAreOurs()) {
    rocksdb::Warn(layout.database.info_log,
                  "files of blocks are written once more when a snapshot of theirs ends");
  }
  if (options.on_damage) {
    layout.database.listeners.push_back(std::make_shared<DamageListener>(options.on_damage));
  }
  auto database = std::make_unique<Database>();
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(layout.database, dir, layout.families, &database->families, &db);
  database->db.reset(db);
  if (!opened.ok()) return FromOpen(opened, dir);
  database->on_damage = options.on_damage;
  database->brief_snapshot_max = options.brief_snapshot_max;
  database->unmarked_max = options.unmarked_max;
  database->pace = pace;
  return std::make_unique<OpenStore>(std::move(database), dir);
}

}  // namespace guantong
