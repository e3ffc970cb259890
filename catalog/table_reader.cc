// The reading half of tables.
#include <utility>

#include "catalog/base/status.h"
#include "catalog/table.h"

namespace guantong {
namespace {

absl::Status Corrupt(absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "store_corrupt", what);
}

}  // namespace

std::vector<storage::v1::RunInfo> VisibleRuns(const storage::v1::TableRecord& record) {
  std::vector<storage::v1::RunInfo> runs;
  for (const uint32_t run : record.runs()) {
    storage::v1::RunInfo found;
    found.set_run(run);
    for (const storage::v1::RunInfo& info : record.infos()) {
      if (info.run() == run) found = info;
    }
    runs.push_back(std::move(found));
  }
  return runs;
}

TableReader::TableReader(const Reader* snapshot, FeedKey feed, storage::v1::TableRecord record,
                         v1::DatasetSchema schema)
    : snapshot_(snapshot),
      feed_(feed),
      record_(std::move(record)),
      schema_(std::move(schema)),
      runs_(VisibleRuns(record_)) {}

absl::StatusOr<TableReader> TableReader::Open(const Reader& snapshot, const FeedKey& feed) {
  std::string feed_bytes;
  storage::v1::FeedRecord feed_record;
  // Rows of our own that are known to be missing would look like rows that were deleted.
  if (snapshot.Get(FeedRecordKey(feed), &feed_bytes).ok() &&
      feed_record.ParseFromString(feed_bytes) && feed_record.own() &&
      feed_record.incomplete_since() != 0) {
    return Error(absl::StatusCode::kDataLoss, "dataset_damaged", feed_record.fault_text(),
                 feed_record.feed().resource(),
                 feed_record.blocks_awaited()
                     ? "try again when neighbours have given it back; see the feed's text"
                     : "restore a backup of this node; without one bind the data to a new "
                       "resource and push all of it");
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
  return Lookup(this).Get(key, row);
}

TableReader::Lookup::Lookup(const TableReader* table)
    : table_(*table), runs_(table->runs_.size()) {}

absl::Status TableReader::Lookup::Get(absl::string_view key, std::string* row) {
  const absl::Status absent = absl::NotFoundError("no such row");
  for (size_t i = 0; i < runs_.size(); ++i) {
    const storage::v1::RunInfo& run = table_.runs_[i];
    if (run.ranged() && (key < run.first() || key > run.last())) continue;
    if (!run.blocks()) {
      const absl::Status got = table_.snapshot_->Get(RowKeyIn(table_.feed_, run.run(), key), row);
      if (got.ok()) return row->empty() ? absent : got;
      if (!absl::IsNotFound(got)) return got;
      continue;
    }
    if (runs_[i] == nullptr) {
      GT_ASSIGN_OR_RETURN(runs_[i], OpenRun(*table_.snapshot_, table_.feed_, run, key, ""));
    } else {
      GT_RETURN_IF_ERROR(runs_[i]->Seek(key));
    }
    if (!runs_[i]->Valid() || runs_[i]->key() != key) continue;
    if (runs_[i]->deleted()) return absent;
    GT_ASSIGN_OR_RETURN(const absl::string_view found, runs_[i]->row());
    row->assign(found.data(), found.size());
    return absl::OkStatus();
  }
  return absent;
}

absl::Status TableReader::Scan(
    absl::string_view begin, absl::string_view end,
    const std::function<bool(absl::string_view key, absl::string_view row)>& row) const {
  GT_ASSIGN_OR_RETURN(RunsCursor cursor, RunsCursor::Open(*snapshot_, feed_, runs_, begin, end));
  while (cursor.Valid()) {
    if (!cursor.deleted()) {
      GT_ASSIGN_OR_RETURN(const absl::string_view value, cursor.row());
      if (!row(cursor.key(), value)) return absl::OkStatus();
    }
    GT_RETURN_IF_ERROR(cursor.Next());
  }
  return absl::OkStatus();
}

}  // namespace guantong
