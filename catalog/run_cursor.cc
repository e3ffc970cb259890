#include "catalog/run_cursor.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/sorted_rows.h"

namespace guantong {
namespace {

constexpr size_t kRunPrefixBytes = 1 + kFeedKeyBytes + sizeof(uint32_t);

class PutsCursor : public RunCursor {
 public:
  PutsCursor(const Reader& reader, FeedKey feed, uint32_t run, absl::string_view end)
      : reader_(reader),
        feed_(feed),
        run_(run),
        end_(end.empty() ? PrefixEnd(RunPrefix(feed, run)) : RowKeyIn(feed, run, end)) {}

  absl::Status Start(absl::string_view key) {
    cursor_ = reader_.Scan(RowKeyIn(feed_, run_, key), end_);
    return cursor_->Valid() ? absl::OkStatus() : cursor_->status();
  }

  bool Valid() const override { return cursor_->Valid(); }
  absl::Status Next() override {
    cursor_->Next();
    return cursor_->Valid() ? absl::OkStatus() : cursor_->status();
  }
  absl::Status Seek(absl::string_view to) override {
    return !Valid() || key() >= to ? absl::OkStatus() : Start(to);
  }
  absl::string_view key() const override { return cursor_->key().substr(kRunPrefixBytes); }
  bool deleted() const override { return cursor_->value().empty(); }
  absl::StatusOr<absl::string_view> row() override { return cursor_->value(); }

 private:
  const Reader& reader_;
  const FeedKey feed_;
  const uint32_t run_;
  const std::string end_;
  std::unique_ptr<Cursor> cursor_;
};

class BlocksCursor : public RunCursor {
 public:
  BlocksCursor(const Reader& reader, FeedKey feed, uint32_t run, absl::string_view end)
      : reader_(reader), feed_(feed), run_(run), end_(end) {}

  absl::Status Start(absl::string_view key) {
    const std::string prefix = BlockEntryPrefix(feed_, run_);
    index_ = reader_.Scan(BlockEntryKey(feed_, run_, key), PrefixEnd(prefix));
    return Enter(key);
  }

  bool Valid() const override { return rows_.has_value(); }
  absl::Status Next() override {
    GT_RETURN_IF_ERROR(rows_->Next());
    if (rows_->Valid()) {
      StopAtEnd();
      return absl::OkStatus();
    }
    index_->Next();
    return Enter("");
  }
  absl::Status Seek(absl::string_view to) override {
    if (!Valid() || key() >= to) return absl::OkStatus();
    if (index_->key().substr(kRunPrefixBytes) >= to) {
      GT_RETURN_IF_ERROR(rows_->Seek(to));
      StopAtEnd();
      return absl::OkStatus();
    }
    // Often it is the next block.
    index_->Next();
    if (index_->Valid() && index_->key().substr(kRunPrefixBytes) < to) return Start(to);
    return Enter(to);
  }
  absl::string_view key() const override { return rows_->key(); }
  bool deleted() const override { return rows_->deleted(); }
  absl::StatusOr<absl::string_view> row() override { return rows_->row(); }

 private:
  void StopAtEnd() {
    if (rows_->Valid() && !end_.empty() && rows_->key() >= end_) rows_.reset();
  }

  // The block at the index cursor, from `key` on.
  absl::Status Enter(absl::string_view key) {
    rows_.reset();
    if (!index_->Valid()) return index_->status();
    storage::v1::BlockEntry entry;
    if (!entry.ParseFromArray(index_->value().data(), static_cast<int>(index_->value().size()))) {
      return Error(absl::StatusCode::kDataLoss, "store_corrupt",
                   "the index of a run cannot be read");
    }
    if (!end_.empty() && entry.first() >= end_) return absl::OkStatus();
    const absl::string_view last = index_->key().substr(kRunPrefixBytes);
    auto block = std::make_shared<std::string>();
    const absl::Status got =
        reader_.Get(entry.epoch() == 0 ? OwnBlockKey(feed_, run_, last)
                                       : LogBlockKey(feed_, entry.epoch(), entry.last()),
                    block.get());
    if (absl::IsNotFound(got)) {
      return Error(absl::StatusCode::kDataLoss, "store_corrupt", "a block of rows is missing");
    }
    GT_RETURN_IF_ERROR(got);
    GT_ASSIGN_OR_RETURN(rows_, SortedRowsCursor::Open(std::move(block), key));
    if (!rows_->Valid()) {
      return Error(absl::StatusCode::kDataLoss, "store_corrupt", "a block ends before its index");
    }
    StopAtEnd();
    return absl::OkStatus();
  }

  const Reader& reader_;
  const FeedKey feed_;
  const uint32_t run_;
  const std::string end_;
  std::unique_ptr<Cursor> index_;
  std::optional<SortedRowsCursor> rows_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RunCursor>> OpenRun(const Reader& reader, const FeedKey& feed,
                                                   const storage::v1::RunInfo& run,
                                                   absl::string_view begin, absl::string_view end) {
  if (run.blocks()) {
    auto cursor = std::make_unique<BlocksCursor>(reader, feed, run.run(), end);
    GT_RETURN_IF_ERROR(cursor->Start(begin));
    return cursor;
  }
  auto cursor = std::make_unique<PutsCursor>(reader, feed, run.run(), end);
  GT_RETURN_IF_ERROR(cursor->Start(begin));
  return cursor;
}

absl::StatusOr<RunsCursor> RunsCursor::Open(const Reader& reader, const FeedKey& feed,
                                            const std::vector<storage::v1::RunInfo>& runs,
                                            absl::string_view begin, absl::string_view end) {
  RunsCursor cursor;
  for (const storage::v1::RunInfo& run : runs) {
    if (run.ranged() && (run.last() < begin || (!end.empty() && run.first() >= end))) continue;
    GT_ASSIGN_OR_RETURN(std::unique_ptr<RunCursor> opened, OpenRun(reader, feed, run, begin, end));
    if (opened->Valid()) cursor.runs_.push_back(std::move(opened));
  }
  cursor.Find();
  return cursor;
}

// Few runs stand unmerged: a heap would cost more than looking at each.
void RunsCursor::Find() {
  newest_ = nullptr;
  for (const std::unique_ptr<RunCursor>& run : runs_) {
    if (!run->Valid()) continue;
    if (newest_ == nullptr || run->key() < newest_->key()) newest_ = run.get();
  }
}

absl::Status RunsCursor::Next() {
  if (runs_.size() == 1) {
    GT_RETURN_IF_ERROR(newest_->Next());
  } else {
    key_.assign(newest_->key().data(), newest_->key().size());
    for (const std::unique_ptr<RunCursor>& run : runs_) {
      if (run->Valid() && run->key() == key_) GT_RETURN_IF_ERROR(run->Next());
    }
  }
  Find();
  return absl::OkStatus();
}

}  // namespace guantong
