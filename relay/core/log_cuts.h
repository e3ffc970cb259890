// What is let go of a feed: batches set aside or trimmed, a log that is cut, a feed that moves to a
// snapshot or is dropped.
#ifndef GUANTONG_RELAY_CORE_LOG_CUTS_H_
#define GUANTONG_RELAY_CORE_LOG_CUTS_H_

#include "relay/core/state.h"

namespace guantong {

// Keeps a superseded batch apart, to be listed. False when it is kept already or the bound is
// reached. The caller saves the feed.
bool SetAside(Core& core, Turn& turn, FeedState& feed, const v1::BatchHeader& header,
              const v1::SignedBatch& batch);

// Cuts the log until no more than `keep` bytes are left (the newest durable batch stays); whoever
// still needed what goes gets a snapshot.
void TrimLog(Core& core, Turn& turn, FeedState& feed, uint64_t keep);

// What damage took of the log is not asked for any more; own blocks of rows awaited with it are
// lost.
void LeaveLogDamage(storage::v1::FeedRecord& record);

// Adds to `writes` what takes all batches of the log out of the store; blocks the table needs stay.
void DeleteLog(const Core& core, FeedState& feed, WriteSet* writes);

// Forgets log and snapshot; position and facts stay. Whoever is behind gets a snapshot.
void CutLog(Core& core, Turn& turn, FeedState& feed);

// Forgets the snapshot held, its chunks, and what stays for it.
void DropSnapshot(FeedState& feed, WriteSet* writes);

// Puts the feed at `manifest` without its log (what is held before is no longer continued by it).
void MoveTo(Core& core, Turn& turn, FeedState& feed, const v1::Manifest& manifest);

// Forgets the feed with log, facts, manifest. Invalidates references.
void DropFeed(Core& core, Turn& turn, const FeedKey& key);

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_LOG_CUTS_H_
