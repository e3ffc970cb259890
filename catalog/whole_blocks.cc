#include "catalog/whole_blocks.h"

#include <algorithm>
#include <utility>

#include "catalog/base/status.h"
#include "catalog/sorted_rows.h"

namespace guantong {
namespace {

absl::Status Corrupt(absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "store_corrupt", what);
}

struct Candidate {
  WholeBlock block;
  bool alone = true;
};

absl::Status AddBlocks(const Reader& snapshot, const FeedKey& feed, uint32_t run,
                       std::vector<Candidate>* candidates) {
  const std::string prefix = BlockEntryPrefix(feed, run);
  auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    storage::v1::BlockEntry entry;
    if (!entry.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
      return Corrupt("the index of a run cannot be read");
    std::string last(cursor->key().substr(prefix.size()));
    std::string key = entry.epoch() == 0 ? OwnBlockKey(feed, run, last)
                                         : LogBlockKey(feed, entry.epoch(), entry.last());
    candidates->push_back({{.first = entry.first(),
                            .last = std::move(last),
                            .key = std::move(key),
                            .rows = entry.rows()}});
  }
  return cursor->status();
}

// `candidates` by their first keys: which of them share a range with one before.
void MarkOverlaps(std::vector<Candidate>* candidates) {
  Candidate* furthest = nullptr;
  for (Candidate& candidate : *candidates) {
    if (furthest != nullptr && candidate.block.first <= furthest->block.last)
      candidate.alone = furthest->alone = false;
    if (furthest == nullptr || candidate.block.last > furthest->block.last) furthest = &candidate;
  }
}

// Rows of a run of puts stand in the ranges of some.
absl::Status MarkPuts(const Reader& snapshot, const FeedKey& feed, uint32_t run,
                      std::vector<Candidate>* candidates) {
  const std::string prefix = RunPrefix(feed, run);
  auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  auto candidate = candidates->begin();
  for (; cursor->Valid() && candidate != candidates->end(); cursor->Next()) {
    const absl::string_view key = cursor->key().substr(prefix.size());
    // What is not alone may reach further than those behind it; it counts no more.
    while (candidate != candidates->end() && (!candidate->alone || candidate->block.last < key))
      ++candidate;
    if (candidate != candidates->end() && candidate->block.first <= key) candidate->alone = false;
  }
  return cursor->status();
}

}  // namespace

absl::StatusOr<std::vector<WholeBlock>> FindWholeBlocks(
    const Reader& snapshot, const FeedKey& feed, const std::vector<storage::v1::RunInfo>& runs) {
  std::vector<Candidate> candidates;
  for (const storage::v1::RunInfo& run : runs) {
    if (run.blocks()) GT_RETURN_IF_ERROR(AddBlocks(snapshot, feed, run.run(), &candidates));
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.block.first < b.block.first; });
  MarkOverlaps(&candidates);
  for (const storage::v1::RunInfo& run : runs) {
    if (!run.blocks()) GT_RETURN_IF_ERROR(MarkPuts(snapshot, feed, run.run(), &candidates));
  }
  std::vector<WholeBlock> whole;
  for (Candidate& candidate : candidates) {
    if (candidate.alone) whole.push_back(std::move(candidate.block));
  }
  return whole;
}

absl::StatusOr<std::string> ReadWholeBlock(const Reader& snapshot, const WholeBlock& block,
                                           size_t bytes_min) {
  std::string bytes;
  const absl::Status got = snapshot.Get(block.key, &bytes);
  if (absl::IsNotFound(got)) return Corrupt("a block of rows is missing");
  GT_RETURN_IF_ERROR(got);
  if (bytes.size() < bytes_min) return std::string();
  GT_ASSIGN_OR_RETURN(const SortedRows rows, SortedRows::Check(bytes));
  if (rows.first() != block.first || rows.last() != block.last)
    return Corrupt("a block of rows is not what its index says");
  return rows.has_deletes() ? std::string() : bytes;
}

}  // namespace guantong
