#include "catalog/table.h"

#include <algorithm>
#include <utility>

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

}  // namespace

TableWriter::TableWriter(FeedKey feed, storage::v1::TableRecord record)
    : feed_(feed), record_(std::move(record)) {}

absl::StatusOr<TableWriter> TableWriter::Load(const Reader& store, const FeedKey& feed) {
  storage::v1::TableRecord record;
  std::string value;
  const absl::Status got = store.Get(TableKey(feed), &value);
  if (got.ok()) {
    if (!record.ParseFromString(value)) return Corrupt("a table record cannot be read");
  } else if (!absl::IsNotFound(got)) {
    return got;
  }
  return TableWriter(feed, std::move(record));
}

absl::Status TableWriter::Apply(const v1::BatchHeader& header, const v1::RowBatch& batch,
                                WriteSet* writes) {
  if (header.encoding() != v1::ENCODING_ROWS) return Inapplicable("unknown encoding");
  if (header.sealing() == v1::SEALING_CONTENT_KEY) return Inapplicable("they are sealed");
  GT_RETURN_IF_ERROR(CheckRows(batch));

  if (!batch.schema().empty()) record_.set_open_schema(batch.schema());
  if (header.push_end() && record_.open_run() == 0) {
    ApplyDirect(batch, writes);
  } else {
    ApplyOpen(batch, writes);
  }
  if (header.push_end()) {
    if (record_.open_run() != 0) {
      record_.mutable_runs()->Add(record_.open_run());
      std::rotate(record_.mutable_runs()->begin(), record_.mutable_runs()->end() - 1,
                  record_.mutable_runs()->end());
      record_.clear_open_run();
    }
    if (!record_.open_schema().empty()) {
      record_.set_schema(record_.open_schema());
      record_.clear_open_schema();
    }
    record_.set_rows(header.rows());
    record_.set_commit(header.commit());
    *record_.mutable_as_of() = header.signed_at();
  }
  Save(writes);
  return absl::OkStatus();
}

void TableWriter::ApplyDirect(const v1::RowBatch& batch, WriteSet* writes) {
  if (record_.runs().empty()) record_.add_runs(NewRun());
  const int base = record_.runs_size() - 1;
  for (const v1::RowChange& change : batch.changes()) {
    std::string key = RowKeyIn(feed_, record_.runs(base), change.key());
    if (change.has_row()) {
      writes->Put(std::move(key), change.row());
    } else {
      writes->Delete(std::move(key));
    }
    for (int run = 0; run < base; ++run) {
      writes->Delete(RowKeyIn(feed_, record_.runs(run), change.key()));
    }
  }
}

void TableWriter::ApplyOpen(const v1::RowBatch& batch, WriteSet* writes) {
  if (record_.open_run() == 0) record_.set_open_run(NewRun());
  // Without runs behind it this one becomes the base, and nothing else can become visible before
  // its end.
  const bool base = record_.runs().empty();
  for (const v1::RowChange& change : batch.changes()) {
    std::string key = RowKeyIn(feed_, record_.open_run(), change.key());
    if (change.has_row() || !base) {
      writes->Put(std::move(key), change.row());
    } else {
      writes->Delete(std::move(key));
    }
  }
}

void TableWriter::BeginStaging(WriteSet* writes) {
  if (record_.staging_run() != 0) DeleteRun(record_.staging_run(), writes);
  record_.set_staging_run(NewRun());
  Save(writes);
}

absl::Status TableWriter::Stage(const v1::RowBatch& chunk, WriteSet* writes) {
  GT_CHECK(record_.staging_run() != 0);
  GT_RETURN_IF_ERROR(CheckRows(chunk));
  for (const v1::RowChange& change : chunk.changes()) {
    if (!change.has_row()) return Inapplicable("a delete in a snapshot");
  }
  for (const v1::RowChange& change : chunk.changes()) {
    writes->Put(RowKeyIn(feed_, record_.staging_run(), change.key()), change.row());
  }
  return absl::OkStatus();
}

void TableWriter::Switch(const v1::Manifest& manifest, WriteSet* writes) {
  GT_CHECK(record_.staging_run() != 0);
  for (const uint32_t run : record_.runs()) DeleteRun(run, writes);
  if (record_.open_run() != 0) DeleteRun(record_.open_run(), writes);
  record_.clear_open_run();
  record_.clear_open_schema();
  record_.clear_merge_after();
  record_.clear_runs();
  record_.add_runs(record_.staging_run());
  record_.clear_staging_run();
  record_.set_schema(manifest.schema());
  record_.set_rows(manifest.records());
  record_.set_commit(manifest.commit());
  *record_.mutable_as_of() = manifest.signed_at();
  Save(writes);
}

void TableWriter::AbandonOpenPush(WriteSet* writes) {
  if (record_.open_run() == 0) return;
  DeleteRun(record_.open_run(), writes);
  record_.clear_open_run();
  record_.clear_open_schema();
  Save(writes);
}

bool TableWriter::needs_merge() const { return record_.runs_size() > 1; }

absl::Status TableWriter::MergeStep(const Reader& store, size_t rows_max, WriteSet* writes) {
  if (!needs_merge()) return absl::OkStatus();
  const int source_at = record_.runs_size() - 2;
  const uint32_t source = record_.runs(source_at);
  const uint32_t base = record_.runs(source_at + 1);
  const std::string prefix = RunPrefix(feed_, source);
  std::string begin = prefix;
  // The first key after the last one merged.
  if (!record_.merge_after().empty())
    absl::StrAppend(&begin, record_.merge_after(), std::string(1, '\0'));

  WriteSet step;
  std::string last;
  const auto cursor = store.Scan(begin, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    if (step.ops().size() >= rows_max || step.bytes() >= kMergeBytesPerStep) break;
    const absl::string_view key = cursor->key().substr(prefix.size());
    last.assign(key.data(), key.size());
    if (cursor->value().empty()) {
      step.Delete(RowKeyIn(feed_, base, key));
    } else {
      step.Put(RowKeyIn(feed_, base, key), std::string(cursor->value()));
    }
  }
  GT_RETURN_IF_ERROR(cursor->status());
  if (cursor->Valid()) {
    record_.set_merge_after(last);
  } else {
    DeleteRun(source, &step);
    record_.mutable_runs()->erase(record_.mutable_runs()->begin() + source_at);
    record_.clear_merge_after();
  }
  Save(&step);
  writes->Append(std::move(step));
  return absl::OkStatus();
}

void TableWriter::Drop(WriteSet* writes) {
  const std::string rows = RowsPrefix(feed_);
  writes->DeleteRange(rows, PrefixEnd(rows));
  writes->Delete(TableKey(feed_));
  record_.Clear();
}

uint32_t TableWriter::NewRun() {
  const uint32_t run = std::max(record_.next_run(), 1u);  // 0 stands for no run
  record_.set_next_run(run + 1);
  return run;
}

void TableWriter::DeleteRun(uint32_t run, WriteSet* writes) const {
  const std::string prefix = RunPrefix(feed_, run);
  writes->DeleteRange(prefix, PrefixEnd(prefix));
}

void TableWriter::Save(WriteSet* writes) const {
  writes->Put(TableKey(feed_), record_.SerializeAsString());
}

// --- reading ------------------------------------------------------------------------------------

TableReader::TableReader(const Reader* snapshot, FeedKey feed, storage::v1::TableRecord record,
                         v1::DatasetSchema schema)
    : snapshot_(snapshot), feed_(feed), record_(std::move(record)), schema_(std::move(schema)) {}

absl::StatusOr<TableReader> TableReader::Open(const Reader& snapshot, const FeedKey& feed) {
  std::string feed_bytes;
  storage::v1::FeedRecord feed_record;
  // Rows of our own that are known to be missing would look like rows that were deleted.
  if (snapshot.Get(FeedRecordKey(feed), &feed_bytes).ok() &&
      feed_record.ParseFromString(feed_bytes) && feed_record.own() &&
      feed_record.incomplete_since() != 0) {
    return Error(absl::StatusCode::kDataLoss, "dataset_damaged", feed_record.fault_text(),
                 feed_record.feed().resource(),
                 "restore a backup of this node; without one bind the data to a new resource and "
                 "push all of it");
  }
  std::string value;
  const absl::Status got = snapshot.Get(TableKey(feed), &value);
  if (absl::IsNotFound(got)) {
    return Error(absl::StatusCode::kNotFound, "table_absent", "no table of this feed is held here");
  }
  if (!got.ok()) return got;
  storage::v1::TableRecord record;
  if (!record.ParseFromString(value)) return Corrupt("a table record cannot be read");
  v1::DatasetSchema schema;
  if (!schema.ParseFromString(record.schema())) return Corrupt("a table's schema cannot be read");
  return TableReader(&snapshot, feed, std::move(record), std::move(schema));
}

absl::Status TableReader::Get(absl::string_view key, std::string* row) const {
  const absl::Status absent = absl::NotFoundError("no such row");
  for (const uint32_t run : record_.runs()) {
    const absl::Status got = snapshot_->Get(RowKeyIn(feed_, run, key), row);
    if (got.ok()) return row->empty() ? absent : got;
    if (!absl::IsNotFound(got)) return got;
  }
  return absent;
}

absl::Status TableReader::Scan(
    absl::string_view begin, absl::string_view end,
    const std::function<bool(absl::string_view key, absl::string_view row)>& row) const {
  constexpr size_t kPrefixBytes = 1 + kFeedKeyBytes + sizeof(uint32_t);
  std::vector<std::unique_ptr<Cursor>> runs;  // newest first; ended ones leave
  const auto ended = [](const std::unique_ptr<Cursor>& cursor) { return !cursor->Valid(); };
  for (const uint32_t run : record_.runs()) {
    runs.push_back(
        snapshot_->Scan(RowKeyIn(feed_, run, begin), end.empty() ? PrefixEnd(RunPrefix(feed_, run))
                                                                 : RowKeyIn(feed_, run, end)));
  }
  std::string key;
  while (true) {
    // Few runs stand unmerged: a heap would cost more than looking at each.
    const Cursor* newest = nullptr;
    absl::string_view least;
    bool any_ended = false;
    for (const auto& cursor : runs) {
      if (!cursor->Valid()) {
        GT_RETURN_IF_ERROR(cursor->status());
        any_ended = true;
        continue;
      }
      const absl::string_view at = cursor->key().substr(kPrefixBytes);
      if (newest == nullptr || at < least) {
        newest = cursor.get();
        least = at;
      }
    }
    if (newest == nullptr) return absl::OkStatus();
    if (!newest->value().empty() && !row(least, newest->value())) return absl::OkStatus();
    key.assign(least.data(), least.size());
    for (const auto& cursor : runs) {
      if (cursor->Valid() && cursor->key().substr(kPrefixBytes) == key) cursor->Next();
    }
    if (any_ended) runs.erase(std::remove_if(runs.begin(), runs.end(), ended), runs.end());
  }
}

}  // namespace guantong
