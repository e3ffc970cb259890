// One feed's log as it lies in a store at rest: whether it is whole, and what it says.
#ifndef GUANTONG_NODE_UPKEEP_FEED_REPLAY_H_
#define GUANTONG_NODE_UPKEEP_FEED_REPLAY_H_

#include <functional>

#include "absl/status/status.h"
#include "catalog/batch.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {

// Every batch that parses, in order. `batch` ends the walk by an error, which is returned.
using OnBatch =
    std::function<absl::Status(const ParsedBatch& parsed, const v1::SignedBatch& batch)>;
absl::Status WalkLog(const Reader& store, const FeedKey& feed, const OnBatch& batch);

// What of the log is usable: the run of batches, each continuing the one before and signed by a
// chain that is stored, that ends at the recorded head.
struct LogExtent {
  v1::Position from;  // the run begins after this
  uint64_t bytes = 0;
  uint64_t batches = 0;
  bool cut = false;  // it does not begin where the record says
  uint64_t gone_from =
      0;  // sequences of the first and the last record that is gone, as far as the ends are known
  uint64_t gone_to = 0;
  bool whole() const { return from.epoch().number() == 0; }  // since the feed began
};
absl::StatusOr<LogExtent> MeasureLog(const Reader& store, const FeedKey& feed,
                                     const storage::v1::FeedRecord& record);

// Makes the table, or the facts, of a feed again from its whole log, in several commits. DATA_LOSS
// replay_failed when the log does not bring it to the recorded position.
absl::Status ReplayLog(Store* store, const FeedKey& feed, const storage::v1::FeedRecord& record);

// The record of an own feed from its log; `record->feed` is unset when there is no batch.
absl::Status RecordFromLog(const Reader& store, const FeedKey& feed,
                           storage::v1::FeedRecord* record);

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_FEED_REPLAY_H_
