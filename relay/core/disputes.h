// Other histories of a feed than the one held here. Nobody is believed who says that there is one:
// the batch that differs goes toward the origin, whose own signature proves it; the origin then
// opens a new epoch. What that epoch cuts off is gathered, to be listed.
#ifndef GUANTONG_RELAY_CORE_DISPUTES_H_
#define GUANTONG_RELAY_CORE_DISPUTES_H_

#include "catalog/batch.h"
#include "relay/core/origin.h"
#include "relay/core/state.h"

namespace guantong {

class Disputes {
 public:
  Disputes(Core* core, Origin* origin) : core_(*core), origin_(*origin) {}

  // The peer says that it stands at `theirs`, in the epoch that is the newest here and outside its
  // history: it is shown our batch there, and shows its own.
  void Told(Turn& turn, Peer& peer, FeedState& feed, const v1::Position& theirs);

  // The peer says that it stands at `theirs`, in an ended epoch and beyond where that was left:
  // what it holds there is asked for.
  void ToldSuperseded(Turn& turn, const Peer& peer, FeedState& feed, const v1::Position& theirs);

  // A verified batch of another history has come.
  void Shown(Turn& turn, Peer& peer, FeedState& feed, const ParsedBatch& parsed,
             const v1::SignedBatch& batch, Bytes frame);

  // The same of an ended epoch: kept apart and passed on toward the origin.
  void ShownSuperseded(Turn& turn, Peer& peer, FeedState& feed, const ParsedBatch& parsed,
                       const v1::SignedBatch& batch, Bytes frame);

  // Answers Fetch.superseded: what is kept apart here after `after`, up to a window.
  void Give(Turn& turn, Peer& peer, const FeedState& feed, const v1::Position& after);

  // Asks again; a fork that is told of and never shown ends the wait: the origin opens an epoch,
  // and the teller is not believed again.
  void Tend(Turn& turn);

 private:
  // With the chain that signed it.
  void SendBatch(Turn& turn, const Peer& peer, const std::string& chain, Bytes frame);
  void Show(Turn& turn, const Peer& peer, const FeedState& feed, const v1::Position& theirs);
  void SendToOrigin(Turn& turn, const Peer& from, const FeedState& feed, const std::string& chain,
                    Bytes frame);
  void Remember(Turn& turn, const Peer& peer, FeedState& feed, const v1::Position& theirs);
  void AskSuperseded(Turn& turn, const Peer& peer, FeedState& feed);

  Core& core_;
  Origin& origin_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_DISPUTES_H_
