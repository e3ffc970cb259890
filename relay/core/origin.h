// Own feeds: appending, pushes, epochs, and taking back a tail that neighbours hold and we have
// lost.
#ifndef GUANTONG_RELAY_CORE_ORIGIN_H_
#define GUANTONG_RELAY_CORE_ORIGIN_H_

#include <functional>
#include <string>

#include "relay/core/state.h"

namespace guantong {

class Origin {
 public:
  explicit Origin(Core* core) : core_(*core) {}

  void On(Turn& turn, AppendRecords event);
  void On(Turn& turn, OpenRows event);
  void On(Turn& turn, CloseRows event);
  void On(Turn& turn, PushRows event);
  void On(Turn& turn, const AwaitPush& event);

  // The next batch of a push that is being sequenced; one each turn, as earlier ones become
  // durable.
  void ContinuePush(Turn& turn, FeedState& feed);

  // This node stands elsewhere than when it last signed, perhaps in another network: every own feed
  // goes on in a new epoch, without the log before it, and the children are named anew. Feeds that
  // may not be signed yet follow later.
  void GoOnElsewhere(Turn& turn);

  // Of the own membership, as committed; removed ones are no members.
  void ForEachMember(const std::function<void(const v1::Member&)>& visit) const;
  // A child was admitted by another parent.
  void MemberLeft(Turn& turn, const std::string& node_id, const NodePath& to);

  // After a start: pushes whose first batch was promised go on.
  void ResumePushes(Turn& turn);

  // A neighbour holds more of our own feed than we do (`theirs` is ahead), or another history
  // (fork).
  void FoundBehind(Turn& turn, Peer& peer, FeedState& feed, const v1::Position& theirs);
  void FoundFork(Turn& turn, FeedState& feed, const v1::Position& theirs);

  // We know nothing of the feed, or the name alone: somebody asked to write to it and was refused.
  bool Forgotten(const FeedKey& key) const;

  // A neighbour holds such a feed of ours.
  void FoundForgotten(Turn& turn, Peer& peer, const v1::FeedId& id, const v1::Position& theirs);

  // A neighbour has told its clock.
  void ClockCompared(Turn& turn);

  // A batch of our own feed has come back (from a neighbour that may be gone: null); opens the new
  // epoch once the known end is reached.
  void Recovered(Turn& turn, FeedState& feed, const Peer* from);

  // Asks again; a recovery that nobody answers ends here: the feed goes on alone, with an alarm.
  void CheckRecoveries(Turn& turn);

 private:
  FeedState& OwnFeed(Turn& turn, v1::FeedKind kind, const std::string& resource);
  void OpenEpoch(Turn& turn, FeedState& feed, const v1::DatasetSchema* schema);
  void Append(Turn& turn, FeedState& feed, v1::BatchHeader header, uint64_t records,
              std::string payload);
  void Finish(Turn& turn, Token token, absl::Status status);
  void FinishWhenDurable(Turn& turn, Token token, const FeedState& feed);
  void AskTail(Turn& turn, const Peer& peer, const FeedState& feed, TailClaim& claim);
  bool Overdue(const Turn& turn, const std::string& claimant, const TailClaim& claim);
  void AbandonPush(Turn& turn, FeedState& feed);
  void EndRecovery(Turn& turn, FeedState& feed);
  void Settled(Turn& turn, FeedState& feed);
  void Reopen(Turn& turn, FeedState& feed);
  void NameChildrenAnew(Turn& turn);
  FeedKey OwnMembership() const;
  void CheckRestored(Turn& turn);
  bool AllTold() const;
  // UNAVAILABLE feed_recovering, clock_ahead.
  absl::Status MaySign(const FeedState& feed) const;
  bool ClockAhead() const;
  void AppendPushBatch(Turn& turn, FeedState& feed, std::string payload, bool end,
                       const std::vector<EndedPush>& joined = {});
  void KeepResult(Turn& turn, const FeedState& feed, const std::string& push_id,
                  storage::v1::PushRecord record);

  Core& core_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_ORIGIN_H_
