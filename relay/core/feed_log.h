// One feed's log and facts as held here: opening, and applying the next verified batch.
#ifndef GUANTONG_RELAY_CORE_FEED_LOG_H_
#define GUANTONG_RELAY_CORE_FEED_LOG_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "catalog/batch.h"
#include "catalog/facts.h"
#include "relay/core/state.h"

namespace guantong {

// Reads every feed record, manifest and subscription of the store into `core`.
absl::Status LoadFeeds(Core& core);

// A feed held from now on, empty. `applied`: rows are kept as a table, not only the log.
FeedState& OpenFeed(Core& core, Turn& turn, const v1::FeedId& id, const NodePath& origin_path,
                    bool applied);

// Appends a batch that is verified and continues the feed (or opens an epoch that does), with all
// it changes. Facts that cannot be applied here are kept raw and mark the copy incomplete.
void AppendBatch(Core& core, Turn& turn, FeedState& feed, const ParsedBatch& parsed,
                 const v1::SignedBatch& batch, Bytes frame);

// Facts that are verified and not the origin's to say stay in the log, not applied; the feed goes
// on. Counted, and an alarm the first time. The caller saves the feed.
void CountSkipped(Turn& turn, FeedState& feed, const SkippedFacts& skipped);

// Saves the feed record in this turn and counts the turn against the feed.
void SaveFeed(Core& core, Turn& turn, FeedState& feed);

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp ToTimestamp(absl::Time time);

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_FEED_LOG_H_
