#include "catalog/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

absl::Status Inapplicable(absl::string_view what) {
  return Error(absl::StatusCode::kFailedPrecondition, "batch_inapplicable",
               absl::StrCat("rows cannot be applied here: ", what));
}

absl::Status Corrupt(absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "store_corrupt", what);
}

absl::Status CheckBatch(const v1::BatchHeader& header) {
  if (header.sealing() == v1::SEALING_CONTENT_KEY) return Inapplicable("they are sealed");
  return absl::OkStatus();
}

absl::Status CheckRows(const v1::RowBatch& batch) {
  v1::DatasetSchema schema;
  if (!batch.schema().empty() && !schema.ParseFromString(batch.schema())) {
    return Inapplicable("the schema is not one");
  }
  for (const v1::RowChange& change : batch.changes()) {
    if (change.key().empty() || change.key().size() > kRowKeyBytesMax) {
      return Inapplicable("a row key is empty or too long");
    }
    // In a run the empty value is a delete.
    if (change.has_row() && change.row().empty()) return Inapplicable("a row without values");
  }
  return absl::OkStatus();
}

void PutInFront(uint32_t run, google::protobuf::RepeatedField<uint32_t>* runs) {
  runs->Add(run);
  std::rotate(runs->begin(), runs->end() - 1, runs->end());
}

}  // namespace

// A run that holds nothing yet has an empty first key, which no row has.
void TableWriter::Widen(absl::string_view first, absl::string_view last, uint64_t rows, Run* run) {
  run->set_rows(run->rows() + rows);
  if (!run->ranged()) return;
  if (run->first().empty() || first < run->first()) run->set_first(first.data(), first.size());
  if (last > run->last()) run->set_last(last.data(), last.size());
}

TableWriter::TableWriter(FeedKey feed, storage::v1::TableRecord record, TableOptions options)
    : feed_(feed), options_(options), record_(std::move(record)), pins_(feed) {
  // What builds without open_runs and infos have left.
  if (record_.open_run() != 0) record_.add_open_runs(record_.open_run());
  record_.clear_open_run();
  record_.clear_merge_after();
  const auto know = [&](uint32_t run) {
    for (const Run& info : record_.infos()) {
      if (info.run() == run) return;
    }
    Run* info = record_.add_infos();
    info->set_run(run);
    info->set_rows(record_.rows());
  };
  for (const uint32_t run : record_.runs()) know(run);
  for (const uint32_t run : record_.open_runs()) know(run);
  if (record_.staging_run() != 0) know(record_.staging_run());
}

absl::StatusOr<TableWriter> TableWriter::Load(const Reader& store, const FeedKey& feed,
                                              TableOptions options) {
  storage::v1::TableRecord record;
  std::string value;
  const absl::Status got = store.Get(TableKey(feed), &value);
  if (got.ok()) {
    if (!record.ParseFromString(value)) return Corrupt("a table record cannot be read");
  } else if (!absl::IsNotFound(got)) {
    return got;
  }
  TableWriter table(feed, std::move(record), options);
  for (const Run& run : table.record_.infos()) {
    if (!run.blocks()) continue;
    std::vector<BatchMark> marks;
    const std::string prefix = BlockEntryPrefix(feed, run.run());
    const auto cursor = store.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      storage::v1::BlockEntry entry;
      if (!entry.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
        return Corrupt("the index of a run cannot be read");
      if (entry.epoch() != 0) marks.emplace_back(entry.epoch(), entry.last());
      if (table.record_.open_runs_size() == 1 && table.record_.open_runs(0) == run.run())
        table.Remember(cursor->key().substr(prefix.size()), std::move(entry));
    }
    GT_RETURN_IF_ERROR(cursor->status());
    std::sort(marks.begin(), marks.end());
    if (!marks.empty()) table.held_[run.run()] = std::move(marks);
  }
  return table;
}

absl::Status TableWriter::Apply(const v1::BatchHeader& header, const v1::RowBatch& batch,
                                WriteSet* writes) {
  if (header.encoding() != v1::ENCODING_ROWS) return Inapplicable("unknown encoding");
  GT_RETURN_IF_ERROR(CheckBatch(header));
  GT_RETURN_IF_ERROR(CheckRows(batch));
  if (!batch.schema().empty()) record_.set_open_schema(batch.schema());
  if (header.push_end() && record_.open_runs().empty()) {
    PutDirect(batch, writes);
  } else {
    PutOpen(batch, writes);
  }
  if (header.push_end()) EndPush(header, writes);
  Save(writes);
  return absl::OkStatus();
}

absl::Status TableWriter::ApplyBlock(const v1::BatchHeader& header, absl::string_view bytes,
                                     WriteSet* writes) {
  if (header.encoding() != v1::ENCODING_SORTED_ROWS) return Inapplicable("unknown encoding");
  GT_RETURN_IF_ERROR(CheckBatch(header));
  const absl::StatusOr<SortedRows> block = SortedRows::Check(bytes);
  if (!block.ok()) return Inapplicable(block.status().message());
  const bool direct = header.push_end() && record_.open_runs().empty();
  if (direct && block->rows() <= options_.puts_rows_max &&
      bytes.size() <= options_.puts_bytes_max) {
    v1::RowBatch rows;
    if (!UnpackBlock(bytes, &rows).ok()) return Inapplicable("its rows cannot be unpacked");
    PutDirect(rows, writes);
  } else {
    Run* run = direct ? RunForBlock(*block) : OpenRunForBlock(*block);
    if (run == nullptr) return Inapplicable("the batches of a push are not in order");
    AddBlock(header, *block, bytes.size(), run, writes);
  }
  if (header.push_end()) EndPush(header, writes);
  Save(writes);
  return absl::OkStatus();
}

void TableWriter::EndPush(const v1::BatchHeader& header, WriteSet* writes) {
  if (!record_.open_runs().empty() && !JoinOpenRun(writes)) {
    const auto older = record_.runs();
    *record_.mutable_runs() = record_.open_runs();
    record_.mutable_runs()->MergeFrom(older);
  }
  record_.clear_open_runs();
  open_entries_.clear();
  if (!record_.open_schema().empty()) {
    record_.set_schema(record_.open_schema());
    record_.clear_open_schema();
  }
  record_.set_rows(header.rows());
  record_.set_commit(header.commit());
  *record_.mutable_as_of() = header.signed_at();
}

// --- puts ----------------------------------------------------------------------------------------

void TableWriter::PutDirect(const v1::RowBatch& batch, WriteSet* writes) {
  if (batch.changes().empty()) return;
  const bool into_newest =
      !record_.runs().empty() && !InfoOf(record_.runs(0))->blocks() && !Frozen(record_.runs(0));
  if (!into_newest) {
    PutInFront(NewRun(/*blocks=*/false)->run(), record_.mutable_runs());
  }
  PutRows(batch, InfoOf(record_.runs(0)), /*oldest=*/record_.runs_size() == 1, writes);
}

void TableWriter::PutOpen(const v1::RowBatch& batch, WriteSet* writes) {
  if (batch.changes().empty()) return;
  if (record_.open_runs().empty() || InfoOf(record_.open_runs(0))->blocks()) {
    PutInFront(NewRun(/*blocks=*/false)->run(), record_.mutable_open_runs());
  }
  // With nothing behind it this run becomes the base, and nothing else can become visible before
  // its end.
  PutRows(batch, InfoOf(record_.open_runs(0)),
          /*oldest=*/record_.runs().empty() && record_.open_runs_size() == 1, writes);
}

void TableWriter::PutRows(const v1::RowBatch& batch, Run* run, bool oldest, WriteSet* writes) {
  for (const v1::RowChange& change : batch.changes()) {
    std::string key = RowKeyIn(feed_, run->run(), change.key());
    if (change.has_row() || !oldest) {
      writes->Put(std::move(key), change.row());
    } else {
      writes->Delete(std::move(key));
    }
    Widen(change.key(), change.key(), 1, run);
  }
}

// --- blocks --------------------------------------------------------------------------------------

// The oldest run that may take it: no newer one holds keys of its range. Null when there is none.
TableWriter::Run* TableWriter::RunForRange(absl::string_view first, absl::string_view last) {
  Run* oldest = nullptr;
  for (const uint32_t run : record_.runs()) {
    Run* info = InfoOf(run);
    if (!info->ranged() || !(last < info->first() || first > info->last())) break;
    if (info->blocks() && !Frozen(run)) oldest = info;
  }
  return oldest;
}

TableWriter::Run* TableWriter::RunForBlock(const SortedRows& block) {
  if (Run* oldest = RunForRange(block.first(), block.last()); oldest != nullptr) return oldest;
  Run* run = NewRun(/*blocks=*/true);
  PutInFront(run->run(), record_.mutable_runs());
  return run;
}

// A push in key order is a run that another may take as it would take a block: its entries move,
// the blocks stay where they are.
bool TableWriter::JoinOpenRun(WriteSet* writes) {
  if (record_.open_runs_size() != 1) return false;
  const Run open = *InfoOf(record_.open_runs(0));
  const auto held = held_.find(open.run());
  // Puts, or more than are remembered.
  if (held == held_.end() || held->second.size() != open_entries_.size()) return false;
  Run* target = RunForRange(open.first(), open.last());
  if (target == nullptr) return false;
  for (const auto& [last, entry] : open_entries_) {
    writes->Delete(BlockEntryKey(feed_, open.run(), last));
    writes->Put(BlockEntryKey(feed_, target->run(), last), entry.SerializeAsString());
  }
  std::vector<BatchMark>& marks = held_[target->run()];
  marks.insert(marks.end(), held->second.begin(), held->second.end());
  held_.erase(held);
  Widen(open.first(), open.last(), open.rows(), target);
  Forget(open.run());
  return true;
}

TableWriter::Run* TableWriter::OpenRunForBlock(const SortedRows& block) {
  if (!record_.open_runs().empty()) {
    Run* newest = InfoOf(record_.open_runs(0));
    if (newest->blocks() && block.first() > newest->last()) return newest;
    if (record_.open_runs_size() >= kOpenRunsMax) return nullptr;
  }
  Run* run = NewRun(/*blocks=*/true);
  PutInFront(run->run(), record_.mutable_open_runs());
  return run;
}

void TableWriter::AddBlock(const v1::BatchHeader& header, const SortedRows& block, size_t bytes,
                           Run* run, WriteSet* writes) {
  storage::v1::BlockEntry entry;
  entry.set_first(block.first());
  entry.set_epoch(header.epoch().number());
  entry.set_last(header.last());
  entry.set_rows(block.rows());
  entry.set_bytes(static_cast<uint32_t>(bytes));
  writes->Put(BlockEntryKey(feed_, run->run(), block.last()), entry.SerializeAsString());
  held_[run->run()].emplace_back(entry.epoch(), entry.last());
  Widen(block.first(), block.last(), block.rows(), run);
  if (!record_.open_runs().empty()) Remember(block.last(), std::move(entry));
}

void TableWriter::Remember(absl::string_view last, storage::v1::BlockEntry entry) {
  if (open_entries_.size() < kJoinBlocksMax) open_entries_[std::string(last)] = std::move(entry);
}

bool TableWriter::Holds(BatchMark mark) const {
  for (const auto& [run, marks] : held_) {
    if (std::binary_search(marks.begin(), marks.end(), mark)) return true;
  }
  return false;
}

void TableWriter::LogLetsGo(BatchMark mark, WriteSet* writes) {
  if (!Holds(mark)) pins_.LetGo(LogBlockKey(feed_, mark.first, mark.second), writes);
}

bool TableWriter::Stands(absl::string_view block, BatchMark log_from) const {
  if (pins_.Left(block)) return true;
  const absl::string_view tail = block.substr(LogBlocksPrefix(feed_).size());
  if (absl::StartsWith(block, LogBlocksPrefix(feed_))) {
    const BatchMark mark{ReadBigEndian64(tail), ReadBigEndian64(tail.substr(sizeof(uint64_t)))};
    return mark > log_from || Holds(mark);
  }
  const uint32_t run = ReadBigEndian32(tail);
  return std::any_of(record_.infos().begin(), record_.infos().end(),
                     [run](const Run& info) { return info.run() == run; });
}

// --- snapshots -----------------------------------------------------------------------------------

void TableWriter::BeginStaging(WriteSet* writes) {
  if (record_.staging_run() != 0) DeleteRun(record_.staging_run(), {}, writes);
  // What its chunks are, the first of them says.
  record_.set_staging_run(NewRun(/*blocks=*/false)->run());
  staged_last_.clear();
  Save(writes);
}

absl::Status TableWriter::Stage(const v1::RowBatch& chunk, WriteSet* writes) {
  GT_CHECK(record_.staging_run() != 0);
  Run* run = InfoOf(record_.staging_run());
  if (run->blocks()) return Inapplicable("chunks of two encodings");
  GT_RETURN_IF_ERROR(CheckRows(chunk));
  for (const v1::RowChange& change : chunk.changes()) {
    if (!change.has_row()) return Inapplicable("a delete in a snapshot");
  }
  PutRows(chunk, run, /*oldest=*/true, writes);
  Save(writes);
  return absl::OkStatus();
}

absl::Status TableWriter::StageBlock(const std::string& hash, absl::string_view chunk,
                                     WriteSet* writes) {
  GT_CHECK(record_.staging_run() != 0);
  Run* run = InfoOf(record_.staging_run());
  if (run->rows() > 0 && !run->blocks()) return Inapplicable("chunks of two encodings");
  const absl::StatusOr<SortedRows> block = SortedRows::Check(chunk);
  if (!block.ok()) return Inapplicable(block.status().message());
  if (block->has_deletes()) return Inapplicable("a delete in a snapshot");
  if (hash == staged_last_) return absl::OkStatus();
  if (run->rows() > 0 && block->first() <= run->last()) return Inapplicable("chunks out of order");
  run->set_blocks(true);
  storage::v1::BlockEntry entry;
  entry.set_first(block->first());
  entry.set_rows(block->rows());
  entry.set_bytes(static_cast<uint32_t>(chunk.size()));
  writes->Put(BlockEntryKey(feed_, run->run(), block->last()), entry.SerializeAsString());
  const std::string key = OwnBlockKey(feed_, run->run(), block->last());
  writes->Put(key, std::string(chunk));
  pins_.Name({.hash = hash, .block = key}, writes);
  Widen(block->first(), block->last(), block->rows(), run);
  staged_last_ = hash;
  Save(writes);
  return absl::OkStatus();
}

void TableWriter::Switch(const v1::Manifest& manifest, WriteSet* writes) {
  GT_CHECK(record_.staging_run() != 0);
  const uint32_t staged = record_.staging_run();
  std::vector<uint32_t> gone(record_.runs().begin(), record_.runs().end());
  gone.insert(gone.end(), record_.open_runs().begin(), record_.open_runs().end());
  for (const storage::v1::Merge& merge : record_.merges()) gone.push_back(merge.output());
  // The log goes with them, and all blocks of it.
  for (const uint32_t run : gone) DeleteRun(run, {}, writes);
  record_.clear_open_runs();
  record_.clear_open_schema();
  open_entries_.clear();
  record_.clear_merges();
  record_.clear_runs();
  record_.add_runs(staged);
  record_.clear_staging_run();
  record_.set_schema(manifest.schema());
  record_.set_rows(manifest.records());
  record_.set_commit(manifest.commit());
  *record_.mutable_as_of() = manifest.signed_at();
  Save(writes);
}

void TableWriter::AbandonOpenPush(BatchMark log_from, WriteSet* writes) {
  if (record_.open_runs().empty() && record_.open_schema().empty()) return;
  for (const uint32_t run :
       std::vector<uint32_t>(record_.open_runs().begin(), record_.open_runs().end())) {
    DeleteRun(run, log_from, writes);
  }
  record_.clear_open_runs();
  record_.clear_open_schema();
  open_entries_.clear();
  Save(writes);
}

// --- runs ----------------------------------------------------------------------------------------

void TableWriter::Drop(BatchMark log_from, WriteSet* writes) {
  RemoveTable(feed_, log_from, writes);
  held_.clear();
  pins_ = BlockPins(feed_);
  record_.Clear();
}

TableWriter::Run* TableWriter::InfoOf(uint32_t run) {
  for (Run& info : *record_.mutable_infos()) {
    if (info.run() == run) return &info;
  }
  GT_CHECK(false);
  return nullptr;
}

const TableWriter::Run* TableWriter::InfoOf(uint32_t run) const {
  return const_cast<TableWriter*>(this)->InfoOf(run);
}

TableWriter::Run* TableWriter::NewRun(bool blocks) {
  const uint32_t run = std::max(record_.next_run(), 1u);  // 0 stands for no run
  record_.set_next_run(run + 1);
  Run* info = record_.add_infos();
  info->set_run(run);
  info->set_blocks(blocks);
  // Nothing in it yet: its keys will say.
  info->set_ranged(true);
  return info;
}

void TableWriter::DeleteRun(uint32_t run, BatchMark log_from, WriteSet* writes) {
  const bool blocks = InfoOf(run)->blocks();
  const std::string prefix = blocks ? BlockEntryPrefix(feed_, run) : RunPrefix(feed_, run);
  writes->DeleteRange(prefix, PrefixEnd(prefix));
  if (blocks) {
    pins_.LetGo(OwnBlockPrefix(feed_, run), writes);
    if (const auto held = held_.find(run); held != held_.end()) {
      for (const BatchMark& mark : held->second) {
        if (mark <= log_from) pins_.LetGo(LogBlockKey(feed_, mark.first, mark.second), writes);
      }
      held_.erase(held);
    }
  }
  Forget(run);
}

void TableWriter::Forget(uint32_t run) {
  for (int i = 0; i < record_.infos_size(); ++i) {
    if (record_.infos(i).run() != run) continue;
    record_.mutable_infos()->DeleteSubrange(i, 1);
    return;
  }
}

void TableWriter::Save(WriteSet* writes) const {
  writes->Put(TableKey(feed_), record_.SerializeAsString());
}

void RemoveTable(const FeedKey& feed, BatchMark log_from, WriteSet* writes) {
  for (const std::string& prefix :
       {RowsPrefix(feed), BlockEntriesPrefix(feed), OwnBlocksPrefix(feed), ChunkNamesPrefix(feed),
        LeftPrefix(feed)}) {
    writes->DeleteRange(prefix, PrefixEnd(prefix));
  }
  writes->Delete(TableKey(feed));
  // Up to there no batch of the log is left that could need one.
  writes->DeleteRange(LogBlocksPrefix(feed),
                      LogBlockKey(feed, log_from.first, log_from.second + 1));
}

}  // namespace guantong
