// The table of a rows feed: sorted runs that readers merge, newest first.
//
// A push of one batch goes straight into the base run, in the commit of its log record. A push of
// several batches goes into a run of its own that nobody reads until the push end, whose commit
// puts the run in front (or makes it the base, when there was nothing). A snapshot is loaded the
// same way and replaces all runs in the commit that moves the position. So no reader, at any level,
// sees half a push, at any size. Runs in front are merged into the base in steps between commits,
// while a direct put also removes its key from them.
//
// In the base a delete removes the key; in a run in front an empty value hides what is behind it. A
// run goes by one range deletion, in the commit that takes it out of the record, so nothing is left
// to clean up after a crash.
//
// TableWriter is the in-memory half that the one ordering thread owns: it sees writes that are
// ordered but not yet durable. It emits TableRecord with every change, so that a restart continues
// from the store. TableReader works on a store snapshot, any thread.
#ifndef GUANTONG_CATALOG_TABLE_H_
#define GUANTONG_CATALOG_TABLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/feed.pb.h"
#include "guantong/v1/row.pb.h"

namespace guantong {

class TableWriter {
 public:
  TableWriter(FeedKey feed, storage::v1::TableRecord record);
  static absl::StatusOr<TableWriter> Load(const Reader& store, const FeedKey& feed);

  // Applies a decoded RowBatch of a verified, contiguous batch. FAILED_PRECONDITION
  // batch_inapplicable when it cannot be applied here (unknown encoding, sealed, a row that is
  // none): the caller keeps it raw and marks the copy incomplete. Nothing is added to `writes`
  // then, and the record has not changed.
  absl::Status Apply(const v1::BatchHeader& header, const v1::RowBatch& batch, WriteSet* writes);

  // Snapshot: Begin opens a staging run (dropping an older one), Stage adds a chunk, Switch makes
  // it the table at `manifest` and ends an open push. Stage and Switch need a Begin, this time or
  // before a restart. Staging a chunk twice has one effect. Stage: FAILED_PRECONDITION
  // batch_inapplicable.
  void BeginStaging(WriteSet* writes);
  absl::Status Stage(const v1::RowBatch& chunk, WriteSet* writes);
  void Switch(const v1::Manifest& manifest, WriteSet* writes);

  // A new epoch cuts off an unfinished push.
  void AbandonOpenPush(WriteSet* writes);

  // True while a run in front waits to be merged.
  bool needs_merge() const;
  // One bounded step of the oldest run in front into the base: at most `rows_max` rows and about
  // kMergeBytesPerStep. Reads committed state, so call it only when all earlier writes of this
  // table are durable.
  absl::Status MergeStep(const Reader& store, size_t rows_max, WriteSet* writes);

  // Removes the table, all of it.
  void Drop(WriteSet* writes);

  const storage::v1::TableRecord& record() const { return record_; }

 private:
  void ApplyDirect(const v1::RowBatch& batch, WriteSet* writes);
  void ApplyOpen(const v1::RowBatch& batch, WriteSet* writes);
  uint32_t NewRun();
  void DeleteRun(uint32_t run, WriteSet* writes) const;
  void Save(WriteSet* writes) const;
  FeedKey feed_;
  storage::v1::TableRecord record_;
};

class TableReader {
 public:
  // Borrows `snapshot`. NOT_FOUND table_absent; DATA_LOSS dataset_damaged: rows of an own dataset
  // are known to be lost, so it is neither read, nor pushed to, nor made into a snapshot.
  static absl::StatusOr<TableReader> Open(const Reader& snapshot, const FeedKey& feed);

  const storage::v1::TableRecord& record() const { return record_; }
  const v1::DatasetSchema& schema() const { return schema_; }

  // NOT_FOUND when no such row is visible.
  absl::Status Get(absl::string_view key, std::string* row) const;

  // Visible rows with begin <= key < end (empty end: to the end) in key order until `row` returns
  // false.
  absl::Status Scan(
      absl::string_view begin, absl::string_view end,
      const std::function<bool(absl::string_view key, absl::string_view row)>& row) const;

 private:
  TableReader(const Reader* snapshot, FeedKey feed, storage::v1::TableRecord record,
              v1::DatasetSchema schema);
  const Reader* snapshot_;
  FeedKey feed_;
  storage::v1::TableRecord record_;
  v1::DatasetSchema schema_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_TABLE_H_
