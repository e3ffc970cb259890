// The table of a rows feed: sorted runs that readers merge, newest first. The last one is the base.
//
// A run is puts, one key of the store each, or blocks: batches as they came (catalog/sorted_rows.h)
// and an index of their last keys. A small push is put into the newest run of puts; a large one
// adds its block to the oldest run it may stand in, which is where no newer run holds keys of its
// range. So rows that come in key order make one run, and nothing is ever rewritten for them.
//
// A push of several batches goes into runs that nobody reads until the push end, whose commit puts
// them in front. A snapshot is loaded the same way and replaces all runs in the commit that moves
// the position. So no reader, at any level, sees half a push, at any size.
//
// In the oldest run a delete removes the key; in front of others an empty value hides what is
// behind it. Several runs of about one size are merged into one, in steps between commits; nothing
// is added to them any more, and the new run takes their place in one commit. Runs go by range
// deletions in the commit that takes them out of the record, so nothing is left to clean up after a
// crash.
//
// A block that came as a batch is stored once, for the log and the table (LogBlockKey). Who of the
// two lets go of it last removes it: the log says so (LogLetsGo), the table is told from where the
// log reaches (`log_from`). A snapshot may keep it longer (catalog/block_pins.h).
//
// TableWriter is the in-memory half that the one ordering thread owns: it sees writes that are
// ordered but not yet durable. It emits TableRecord with every change, so that a restart continues
// from the store. TableReader works on a store snapshot, any thread.
#ifndef GUANTONG_CATALOG_TABLE_H_
#define GUANTONG_CATALOG_TABLE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/limits.h"
#include "catalog/block_pins.h"
#include "catalog/keys.h"
#include "catalog/run_cursor.h"
#include "catalog/sorted_rows.h"
#include "catalog/store.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/feed.pb.h"
#include "guantong/v1/row.pb.h"

namespace guantong {

// Epoch number and last sequence of a batch.
using BatchMark = std::pair<uint64_t, uint64_t>;

// Tests choose smaller ones, so that few rows make many blocks.
struct TableOptions {
  size_t puts_rows_max = kPutsRowsMax;
  size_t puts_bytes_max = kPutsBytesMax;
};

class TableWriter {
 public:
  TableWriter(FeedKey feed, storage::v1::TableRecord record, TableOptions options = {});
  static absl::StatusOr<TableWriter> Load(const Reader& store, const FeedKey& feed,
                                          TableOptions options = {});

  // Applies the rows of a verified, contiguous batch: a decoded RowBatch, or a block, whose bytes
  // the caller puts under LogBlockKey of the batch in the same commit. FAILED_PRECONDITION
  // batch_inapplicable when it cannot be applied here (unknown encoding, sealed, a row that is
  // none): the caller keeps it raw and marks the copy incomplete. Nothing is added to `writes`
  // then, and the record has not changed.
  absl::Status Apply(const v1::BatchHeader& header, const v1::RowBatch& batch, WriteSet* writes);
  absl::Status ApplyBlock(const v1::BatchHeader& header, absl::string_view block, WriteSet* writes);

  // Snapshot: Begin opens a staging run (dropping an older one), Stage adds a chunk, Switch makes
  // it the table at `manifest` and ends an open push; the caller drops log and LogBlocksPrefix with
  // it. Stage and Switch need a Begin, this time or before a restart. Staging a chunk twice has one
  // effect. A chunk that is a block is named by its hash. Stage: FAILED_PRECONDITION
  // batch_inapplicable.
  void BeginStaging(WriteSet* writes);
  absl::Status Stage(const v1::RowBatch& chunk, WriteSet* writes);
  absl::Status StageBlock(const std::string& hash, absl::string_view chunk, WriteSet* writes);
  void Switch(const v1::Manifest& manifest, WriteSet* writes);

  // A new epoch cuts off an unfinished push.
  void AbandonOpenPush(BatchMark log_from, WriteSet* writes);

  // True while runs are being merged, or are to be.
  bool needs_merge() const;
  // More runs stand than readers should have to look at: pushes wait.
  bool crowded() const { return record_.runs_size() > kRunsMax; }
  // One bounded step: chooses the runs, then writes at most one block made of `rows_max` rows and
  // about kMergeBytesPerStep, at last puts the new run in place. Reads committed state: the step
  // before and all that was ordered before the choice must be durable.
  absl::Status MergeStep(const Reader& store, size_t rows_max, BatchMark log_from,
                         WriteSet* writes);

  // The table needs the block of this batch.
  bool Holds(BatchMark mark) const;
  // The log needs the block of this batch no more.
  void LogLetsGo(BatchMark mark, WriteSet* writes);
  // A block of this key stands: log, table or a snapshot hold it.
  bool Stands(absl::string_view block, BatchMark log_from) const;

  BlockPins& pins() { return pins_; }
  const BlockPins& pins() const { return pins_; }

  // Removes the table, all of it.
  void Drop(BatchMark log_from, WriteSet* writes);

  const storage::v1::TableRecord& record() const { return record_; }

 private:
  using Run = storage::v1::RunInfo;

  void PutDirect(const v1::RowBatch& batch, WriteSet* writes);
  void PutOpen(const v1::RowBatch& batch, WriteSet* writes);
  void PutRows(const v1::RowBatch& batch, Run* run, bool oldest, WriteSet* writes);
  void AddBlock(const v1::BatchHeader& header, const SortedRows& block, size_t bytes, Run* run,
                WriteSet* writes);
  void Remember(absl::string_view last, storage::v1::BlockEntry entry);
  Run* RunForBlock(const SortedRows& block);
  Run* OpenRunForBlock(const SortedRows& block);
  Run* RunForRange(absl::string_view first, absl::string_view last);
  void EndPush(const v1::BatchHeader& header, WriteSet* writes);
  bool JoinOpenRun(WriteSet* writes);
  void Forget(uint32_t run);

  bool Frozen(uint32_t run) const;
  bool PickMerge(int* from, int* to) const;
  bool Overlap(int from, int to) const;
  void FinishMerge(BatchMark log_from, WriteSet* writes);

  Run* InfoOf(uint32_t run);
  const Run* InfoOf(uint32_t run) const;
  Run* NewRun(bool blocks);
  void DeleteRun(uint32_t run, BatchMark log_from, WriteSet* writes);
  static void Widen(absl::string_view first, absl::string_view last, uint64_t rows, Run* run);
  void Save(WriteSet* writes) const;

  FeedKey feed_;
  TableOptions options_;
  storage::v1::TableRecord record_;
  // Blocks of batches, in the order of the log, by the run they stand in.
  std::map<uint32_t, std::vector<BatchMark>> held_;
  // Index entries of the open push by last key; the first kJoinBlocksMax.
  std::map<std::string, storage::v1::BlockEntry> open_entries_;
  std::string staged_last_;  // hash of the chunk staged last
  BlockPins pins_;
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

  // Many keys, ascending: cheap where they stand close together.
  class Lookup {
   public:
    explicit Lookup(const TableReader* table);
    // NOT_FOUND when no such row is visible.
    absl::Status Get(absl::string_view key, std::string* row);

   private:
    const TableReader& table_;
    std::vector<std::unique_ptr<RunCursor>> runs_;  // of blocks, as far as they were needed
  };

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
  std::vector<storage::v1::RunInfo> runs_;  // visible, newest first
};

// The visible runs of a record, newest first; of older records what is known of them.
std::vector<storage::v1::RunInfo> VisibleRuns(const storage::v1::TableRecord& record);

// Removes a table, and the blocks that the log, which reaches back to `log_from`, does not need.
void RemoveTable(const FeedKey& feed, BatchMark log_from, WriteSet* writes);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_TABLE_H_
