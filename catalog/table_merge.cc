// Merging the runs of a table: which, and in steps.
#include <algorithm>
#include <utility>

#include "catalog/base/status.h"
#include "catalog/table.h"

namespace guantong {

bool TableWriter::Frozen(uint32_t run) const {
  for (const storage::v1::Merge& merge : record_.merges()) {
    if (std::find(merge.inputs().begin(), merge.inputs().end(), run) != merge.inputs().end())
      return true;
  }
  return false;
}

bool TableWriter::needs_merge() const {
  int from = 0;
  int to = 0;
  return !record_.merges().empty() || PickMerge(&from, &to);
}

// Neighbours in `runs`, first and last of them; in front of those that are being merged already, so
// that the many small runs of the meantime need not wait for a large merge.
bool TableWriter::PickMerge(int* from, int* to) const {
  int runs = 0;
  while (runs < record_.runs_size() && !Frozen(record_.runs(runs))) ++runs;
  if (runs < 2) return false;
  const auto rows = [&](int i) { return std::max<uint64_t>(1, InfoOf(record_.runs(i))->rows()); };
  if (runs == record_.runs_size()) {
    // What stands in front has grown to half of the base: half as much again is kept at most, and
    // the base is rewritten for that much change.
    uint64_t front = 0;
    for (int i = 0; i + 1 < runs; ++i) front += rows(i);
    *from = 0;
    *to = runs - 1;
    if (front >= rows(runs - 1) / 2 && Overlap(*from, *to)) return true;
  }
  // Of about one size, so that a row is rewritten about once for every fourfold of what is in
  // front.
  for (*from = 0; *from + kMergeRunsMin <= runs; ++*from) {
    uint64_t sum = rows(*from);
    for (*to = *from; *to + 1 < runs && rows(*to + 1) <= sum; ++*to) sum += rows(*to + 1);
    if (*to - *from + 1 >= kMergeRunsMin && Overlap(*from, *to)) return true;
  }
  *from = 0;
  *to = runs / 2;
  return runs > kRunsMax;
}

// Runs that share no range cost a reader nothing.
bool TableWriter::Overlap(int from, int to) const {
  for (int i = from; i <= to; ++i) {
    const Run& a = *InfoOf(record_.runs(i));
    for (int j = i + 1; j <= to; ++j) {
      const Run& b = *InfoOf(record_.runs(j));
      if (!a.ranged() || !b.ranged()) return true;
      if (a.first() <= b.last() && b.first() <= a.last()) return true;
    }
  }
  return false;
}

absl::Status TableWriter::MergeStep(const Reader& store, size_t rows_max, BatchMark log_from,
                                    WriteSet* writes) {
  int from = 0;
  int to = 0;
  if (PickMerge(&from, &to)) {
    storage::v1::Merge merge;
    for (int i = from; i <= to; ++i) merge.add_inputs(record_.runs(i));
    merge.set_output(NewRun(/*blocks=*/true)->run());
    // What stands in front of it is newer.
    record_.mutable_merges()->Add(std::move(merge));
    std::rotate(record_.mutable_merges()->begin(), record_.mutable_merges()->end() - 1,
                record_.mutable_merges()->end());
    Save(writes);
    return absl::OkStatus();
  }
  if (record_.merges().empty()) return absl::OkStatus();
  storage::v1::Merge& merge = *record_.mutable_merges(0);
  std::vector<Run> inputs;
  for (const uint32_t run : merge.inputs()) inputs.push_back(*InfoOf(run));
  // Behind the base there is nothing to hide.
  const bool to_base = inputs.back().run() == record_.runs(record_.runs_size() - 1);
  std::string begin = merge.after();
  // The first key after the last one merged.
  if (!begin.empty()) begin.push_back('\0');
  GT_ASSIGN_OR_RETURN(RunsCursor cursor, RunsCursor::Open(store, feed_, inputs, begin, ""));
  if (!cursor.Valid()) {
    FinishMerge(log_from, writes);
    return absl::OkStatus();
  }
  SortedRowsBuilder block;
  std::string first;
  std::string last;
  std::string after;
  size_t seen = 0;
  for (; cursor.Valid() && seen < rows_max && block.bytes() < kMergeBytesPerStep; ++seen) {
    after.assign(cursor.key().data(), cursor.key().size());
    if (!cursor.deleted() || !to_base) {
      GT_ASSIGN_OR_RETURN(const absl::string_view row, cursor.row());
      if (block.rows() == 0) first = after;
      last = after;
      block.Add(after, row);
    }
    GT_RETURN_IF_ERROR(cursor.Next());
  }
  if (block.rows() > 0) {
    storage::v1::BlockEntry entry;
    entry.set_first(first);
    entry.set_rows(block.rows());
    Run* output = InfoOf(merge.output());
    Widen(first, last, block.rows(), output);
    std::string bytes = block.Finish();
    entry.set_bytes(static_cast<uint32_t>(bytes.size()));
    writes->Put(BlockEntryKey(feed_, output->run(), last), entry.SerializeAsString());
    writes->Put(OwnBlockKey(feed_, output->run(), last), std::move(bytes));
  }
  merge.set_after(after);
  Save(writes);
  return absl::OkStatus();
}

void TableWriter::FinishMerge(BatchMark log_from, WriteSet* writes) {
  const storage::v1::Merge merge = record_.merges(0);
  const bool empty = InfoOf(merge.output())->rows() == 0;
  google::protobuf::RepeatedField<uint32_t> runs;
  for (const uint32_t run : record_.runs()) {
    if (std::find(merge.inputs().begin(), merge.inputs().end(), run) == merge.inputs().end()) {
      runs.Add(run);
    } else if (run == merge.inputs(0) && !empty) {
      runs.Add(merge.output());
    }
  }
  if (empty) DeleteRun(merge.output(), log_from, writes);
  for (const uint32_t run : merge.inputs()) DeleteRun(run, log_from, writes);
  *record_.mutable_runs() = std::move(runs);
  record_.mutable_merges()->DeleteSubrange(0, 1);
  Save(writes);
}

}  // namespace guantong
