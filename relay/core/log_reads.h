// Reading back what the log of a feed holds, and how positions relate to it. Changes nothing.
#ifndef GUANTONG_RELAY_CORE_LOG_READS_H_
#define GUANTONG_RELAY_CORE_LOG_READS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "relay/core/state.h"

namespace guantong {

// A batch as it is sent.
Bytes FrameOf(v1::SignedBatch batch);

// How far a feed may be sent. What its origin has made durable and is in order here need not wait
// for this disk, too (L3); an own feed does, and so does whatever opens an epoch.
Mark SendableTo(const FeedState& feed);

// The first batch after {epoch, sequence} that may be sent; none when there is nothing newer;
// `gone` is set when the log no longer holds it.
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

// The frame of a stored batch that covers `sequence` in `epoch` or, if the epoch ends before, its
// first one; null when the log does not hold it. `signer_chain` is set to the digest of its chain.
Bytes BatchAround(const Core& core, const FeedState& feed, uint64_t epoch, uint64_t sequence,
                  std::string* signer_chain);

// `position` lies behind the end of its epoch, as `cuts` tell the history in force.
bool BeyondCuts(const google::protobuf::RepeatedPtrField<v1::Position>& cuts,
                const v1::Position& position);

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_LOG_READS_H_
