#include "node/push_diff.h"

#include <memory>
#include <utility>

#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/driver.h"
#include "node/limits.h"

namespace guantong {
namespace {

// The rows of one push, each key once.
class DistinctRows {
 public:
  explicit DistinctRows(PushDiff* push) : push_(*push), rows_(*push->rows) {}

  absl::Status Begin() {
    GT_RETURN_IF_ERROR(rows_.Rewind());
    return Next();
  }
  bool valid() const { return valid_; }
  const std::string& key() const { return key_; }
  absl::string_view row() const { return row_; }
  PushDiff& push() const { return push_; }

  // Copies the row at hand, then looks at those behind it.
  absl::Status Next() {
    valid_ = rows_.Valid();
    if (!valid_) return absl::OkStatus();
    key_.assign(rows_.key().data(), rows_.key().size());
    row_.assign(rows_.row().data(), rows_.row().size());
    const uint64_t line = rows_.line();
    GT_RETURN_IF_ERROR(rows_.Next());
    while (rows_.Valid() && rows_.key() == key_) {
      GT_RETURN_IF_ERROR(push_.on_repeated(line, rows_.line()));
      GT_RETURN_IF_ERROR(rows_.Next());
    }
    return absl::OkStatus();
  }

 private:
  PushDiff& push_;
  RowSorter& rows_;
  bool valid_ = false;
  std::string key_;
  std::string row_;
};

// The rows of all pushes in the order of their keys.
class MergedRows {
 public:
  absl::Status Begin(absl::Span<PushDiff> pushes) {
    rows_.reserve(pushes.size());
    for (PushDiff& push : pushes) GT_RETURN_IF_ERROR(rows_.emplace_back(&push).Begin());
    return Choose();
  }
  bool valid() const { return first_ != nullptr; }
  const DistinctRows& at() const { return *first_; }
  absl::Status Next() {
    GT_RETURN_IF_ERROR(first_->Next());
    return Choose();
  }

 private:
  absl::Status Choose() {
    first_ = nullptr;
    for (DistinctRows& rows : rows_) {
      if (!rows.valid()) continue;
      const int order = first_ == nullptr ? -1 : rows.key().compare(first_->key());
      if (order == 0) {
        return Error(absl::StatusCode::kAborted, "rows_overlap",
                     "两次推送改同一行 (two pushes change the same row)");
      }
      if (order < 0) first_ = &rows;
    }
    return absl::OkStatus();
  }

  std::vector<DistinctRows> rows_;
  DistinctRows* first_ = nullptr;
};

// What the row at hand does where `existing` stands, null: nothing.
absl::Status Meet(const DistinctRows& at, const absl::string_view* existing,
                  const OnChange& on_change) {
  DiffCounts& counts = at.push().counts;
  if (at.push().mode == v1::PUSH_MODE_DELETE) {
    if (existing == nullptr) {
      ++counts.unchanged;
      return absl::OkStatus();
    }
    ++counts.deletes;
    return on_change(at.key(), nullptr);
  }
  const absl::string_view row = at.row();
  if (existing != nullptr && *existing == row) {
    ++counts.unchanged;
    return absl::OkStatus();
  }
  ++(existing == nullptr ? counts.inserts : counts.updates);
  return on_change(at.key(), &row);
}

// `replaced`: the push whose rows are the whole dataset, or null.
absl::Status DiffByScan(const TableReader& table, MergedRows* rows, PushDiff* replaced,
                        const OnChange& on_change) {
  absl::Status status;
  auto one_of_ours = [&](const absl::string_view* existing) {
    GT_RETURN_IF_ERROR(Meet(rows->at(), existing, on_change));
    return rows->Next();
  };
  const std::string begin = replaced != nullptr || !rows->valid() ? "" : rows->at().key();
  GT_RETURN_IF_ERROR(table.Scan(begin, "", [&](absl::string_view key, absl::string_view row) {
    while (status.ok() && rows->valid() && rows->at().key() < key) status = one_of_ours(nullptr);
    if (!status.ok()) return false;
    if (rows->valid() && rows->at().key() == key) {
      status = one_of_ours(&row);
    } else if (replaced != nullptr) {
      ++replaced->counts.deletes;
      status = on_change(key, nullptr);
    }
    return status.ok() && (replaced != nullptr || rows->valid());
  }));
  GT_RETURN_IF_ERROR(status);
  while (rows->valid()) GT_RETURN_IF_ERROR(one_of_ours(nullptr));
  return absl::OkStatus();
}

absl::Status DiffByLookup(const TableReader& table, MergedRows* rows, const OnChange& on_change) {
  std::string existing;
  TableReader::Lookup lookup(&table);
  while (rows->valid()) {
    const absl::Status got = lookup.Get(rows->at().key(), &existing);
    if (!got.ok() && !absl::IsNotFound(got)) return got;
    const absl::string_view row = existing;
    GT_RETURN_IF_ERROR(Meet(rows->at(), got.ok() ? &row : nullptr, on_change));
    GT_RETURN_IF_ERROR(rows->Next());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Diff(const TableReader& table, absl::Span<PushDiff> pushes,
                  const OnChange& on_change) {
  uint64_t pushed = 0;
  PushDiff* replaced = nullptr;
  for (PushDiff& push : pushes) {
    push.counts = {};
    pushed += push.rows->rows();
    if (push.mode == v1::PUSH_MODE_REPLACE) replaced = &push;
  }
  GT_CHECK(replaced == nullptr || pushes.size() == 1);
  MergedRows rows;
  GT_RETURN_IF_ERROR(rows.Begin(pushes));
  const bool few = pushed < table.record().rows() / kDiffScanRatio;
  return replaced == nullptr && few ? DiffByLookup(table, &rows, on_change)
                                    : DiffByScan(table, &rows, replaced, on_change);
}

// --- payloads ----------------------------------------------------------------------------------

PayloadWriter::PayloadWriter(Driver* driver, FeedKey feed, std::string push_id)
    : driver_(driver), feed_(feed), push_id_(std::move(push_id)) {}

PayloadWriter::~PayloadWriter() {
  if (on_its_way_.valid()) on_its_way_.wait();
}

absl::Status PayloadWriter::Add(absl::string_view key, const absl::string_view* row) {
  const size_t bytes = key.size() + (row == nullptr ? 0 : row->size());
  if (payloads_ == 0 && block_.rows() == 0) {
    if (static_cast<size_t>(few_.changes_size()) < kPutsRowsMax &&
        few_bytes_ + bytes <= kPutsBytesMax) {
      v1::RowChange* change = few_.add_changes();
      change->set_key(key.data(), key.size());
      if (row != nullptr) change->set_row(row->data(), row->size());
      few_bytes_ += bytes;
      return absl::OkStatus();
    }
    for (const v1::RowChange& change : few_.changes()) block_.Add(change.key(), change.row());
    few_.Clear();
  }
  if (block_.rows() > 0 && block_.bytes() + bytes > kBatchBytesTarget) GT_RETURN_IF_ERROR(Cut());
  block_.Add(key, row == nullptr ? absl::string_view() : *row);
  return block_.rows() >= kBatchRowsMax ? Cut() : absl::OkStatus();
}

absl::Status PayloadWriter::Finish() {
  if (block_.rows() > 0 || few_.changes_size() > 0) GT_RETURN_IF_ERROR(Cut());
  if (payloads_ < 2) return absl::OkStatus();
  GT_RETURN_IF_ERROR(Flush());
  return AwaitFlush();
}

absl::Status PayloadWriter::Cut() {
  std::string payload = block_.rows() > 0 ? block_.Finish() : few_.SerializeAsString();
  ++payloads_;
  if (payloads_ == 1) {
    first_ = std::move(payload);
    return absl::OkStatus();
  }
  if (payloads_ == 2) GT_RETURN_IF_ERROR(Stage(std::move(first_)));
  return Stage(std::move(payload));
}

absl::Status PayloadWriter::Stage(std::string payload) {
  group_.Put(StagedKey(feed_, push_id_, stage_next_++), std::move(payload));
  return group_.bytes() < kStageGroupBytes ? absl::OkStatus() : Flush();
}

absl::Status PayloadWriter::Flush() {
  // One group is made while the one before is being committed.
  GT_RETURN_IF_ERROR(AwaitFlush());
  if (group_.empty()) return absl::OkStatus();
  auto promise = std::make_shared<std::promise<absl::Status>>();
  on_its_way_ = promise->get_future();
  const absl::Status taken =
      driver_->Submit(WriteFacts{.writes = std::exchange(group_, WriteSet())},
                      [promise](const WriteDone& done) { promise->set_value(done.status); });
  if (!taken.ok()) on_its_way_ = {};
  return taken;
}

absl::Status PayloadWriter::AwaitFlush() {
  return on_its_way_.valid() ? on_its_way_.get() : absl::OkStatus();
}

void PayloadWriter::Discard() {
  if (on_its_way_.valid()) on_its_way_.wait();
  WriteSet deletes;
  for (uint32_t n = 0; n < stage_next_; ++n) deletes.Delete(StagedKey(feed_, push_id_, n));
  if (deletes.empty()) return;
  // When this fails too, the next start removes them.
  driver_->Submit(WriteFacts{.writes = std::move(deletes)}, [](const WriteDone&) {}).IgnoreError();
}

}  // namespace guantong
