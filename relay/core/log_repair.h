// Logs that lost a part with a damaged file, taken back from neighbours.
//
// The part is fetched from its end: each batch is proved by the one after it, which names its hash,
// and by its signature. So `log_from` moves back batch by batch and is true at every moment, and
// what is missing needs no state but the position it goes down to (FeedRecord.log_lost_from).
//
// Blocks of rows come with it, to where the table looks for them. Own rows of which nothing but
// such blocks was lost (FeedRecord.blocks_awaited) are complete again with the log, in the same
// commit; they are asked for as long as it takes, for who has them may be away.
#ifndef GUANTONG_RELAY_CORE_LOG_REPAIR_H_
#define GUANTONG_RELAY_CORE_LOG_REPAIR_H_

#include "absl/strings/string_view.h"
#include "catalog/batch.h"
#include "relay/core/state.h"

namespace guantong {

class LogRepair {
 public:
  explicit LogRepair(Core* core) : core_(*core) {}

  // True when the batch is the one before the log of `feed`: it is kept, if its signature holds.
  bool Takes(Turn& turn, Peer& peer, FeedState& feed, const ParsedBatch& parsed,
             const v1::SignedBatch& batch);

  // Answers Fetch.until: in a second no more than a quarter of a window, however often it is asked.
  void Give(Turn& turn, Peer& peer, const FeedState& feed, const v1::Fetch& fetch);

  // Asks one neighbour after the other, the way to the origin first; ends with an alarm when for
  // ten minutes nobody has had any of it.
  void Tend(Turn& turn);

 private:
  const Peer* NextToAsk(const FeedState& feed);
  void BlocksAreBack(FeedState& feed);
  // Nobody has had any of it for long.
  void Despair(Turn& turn, FeedState& feed);
  void End(Turn& turn, FeedState& feed, absl::string_view why);

  Core& core_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_LOG_REPAIR_H_
