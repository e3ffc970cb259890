// One feed's log and facts as held here: opening, applying the next verified batch, reading back,
// trimming, dropping.
#ifndef GUANTONG_RELAY_CORE_FEED_LOG_H_
#define GUANTONG_RELAY_CORE_FEED_LOG_H_

#include <optional>

#include "absl/status/status.h"
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

// The first durable batch after {epoch, sequence}; none when there is nothing newer; `gone` is set
// when the log no longer holds it.
std::optional<TailBatch> NextBatch(const Core& core, const FeedState& feed, uint64_t epoch,
                                   uint64_t sequence, bool* gone);

// How a neighbour's position relates to our durable log.
enum class Place { kHere, kGone, kAhead, kFork };
Place Locate(const Core& core, const FeedState& feed, const v1::Position& position);

// What the first batch of an epoch says about the one before; of a first epoch an empty position.
// INVALID_ARGUMENT epoch_malformed.
absl::StatusOr<v1::Position> PredecessorOf(const v1::BatchHeader& header,
                                           const v1::SignedBatch& batch);

// `position` stands in an epoch that has ended, outside the history in force: what leads to it is
// superseded.
bool IsSuperseded(const Core& core, const FeedState& feed, const v1::Position& position);

// Keeps a superseded batch apart, to be listed. False when it is kept already or the bound is
// reached. The caller saves the feed.
bool SetAside(Core& core, Turn& turn, FeedState& feed, const v1::BatchHeader& header,
              const v1::SignedBatch& batch);

// The frame of a stored batch that covers `sequence` in `epoch` or, if the epoch ends before, its
// first one; null when the log does not hold it. `signer_chain` is set to the digest of its chain.
Bytes BatchAround(const Core& core, const FeedState& feed, uint64_t epoch, uint64_t sequence,
                  std::string* signer_chain);

// Cuts the log until no more than `keep` bytes are left (the newest durable batch stays); whoever
// still needed what goes gets a snapshot.
void TrimLog(Core& core, Turn& turn, FeedState& feed, uint64_t keep);

// Adds to `writes` what takes all batches of the log out of the store; blocks the table needs stay.
void DeleteLog(const Core& core, const FeedState& feed, WriteSet* writes);

// Forgets log and snapshot; position and facts stay. Whoever is behind gets a snapshot.
void CutLog(Core& core, Turn& turn, FeedState& feed);

// Puts the feed at `manifest` without its log (what is held before is no longer continued by it).
void MoveTo(Core& core, Turn& turn, FeedState& feed, const v1::Manifest& manifest);

// Forgets the feed with log, facts, manifest. Invalidates references.
void DropFeed(Core& core, Turn& turn, const FeedKey& key);

// Facts that are verified and not the origin's to say stay in the log, not applied; the feed goes
// on. Counted, and an alarm the first time. The caller saves the feed.
void CountSkipped(Turn& turn, FeedState& feed, const SkippedFacts& skipped);

// Saves the feed record in this turn and counts the turn against the feed.
void SaveFeed(Core& core, Turn& turn, FeedState& feed);

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp ToTimestamp(absl::Time time);

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_FEED_LOG_H_
