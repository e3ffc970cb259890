// The half of Origin for an origin that finds its own feed elsewhere: longer than here (a store
// restored from a backup), or with another history (restored, and written to before it heard of
// anybody). What neighbours hold is taken back while that is possible; then a new epoch opens,
// which every copy can tell from both histories.
#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_cuts.h"
#include "relay/core/log_reads.h"
#include "relay/core/origin.h"

namespace guantong {

namespace {

// After what was announced has come back other neighbours may hold still more: so long they are
// waited for.
constexpr absl::Duration kSettleWithin = absl::Seconds(15);
// A neighbour that claims to hold more and does not show it must not stop an origin: who has shown
// nothing yet is waited for so long, whether it is there or not.
constexpr absl::Duration kShowWithin = absl::Seconds(30);
// Who has shown a part and is away is waited for longer: the rest may exist nowhere else.
constexpr absl::Duration kReturnWithin = absl::Minutes(10);
constexpr absl::Duration kAskEvery = absl::Seconds(5);
// Against neighbours that report forks to make us open epochs, or to use up their numbers.
constexpr absl::Duration kEpochEvery = absl::Minutes(1);
constexpr uint64_t kEpochsAheadMax = 1 << 20;

bool Credible(const FeedState& feed, const v1::Position& theirs) {
  return theirs.epoch().number() <= feed.record.head().epoch().number() + kEpochsAheadMax;
}

}  // namespace

void Origin::FoundBehind(Turn& turn, Peer& peer, FeedState& feed, const v1::Position& theirs) {
  // Our own memory knows better than a message that was overtaken.
  const v1::Position& head = feed.record.head();
  if (MarkOf(theirs) <= MarkOf(head) || !Credible(feed, theirs)) return;
  if (feed.disbelieved.count(peer.who.node_id) > 0) return;
  feed.epoch_number_max = std::max(feed.epoch_number_max, theirs.epoch().number());
  if (!feed.recovery.has_value()) {
    turn.Alarm(absl::StrCat("feed ", feed.record.feed().resource(), " kind ", feed.kind(), ": ",
                            DisplayPath(peer.who.path), " holds records of ours up to ",
                            theirs.sequence(), ", we end at ", head.sequence(),
                            "; taking them back"));
    feed.recovery.emplace();
    core_.recovering.insert(feed.key);
    AbandonPush(turn, feed);
  }
  const bool furthest =
      std::none_of(feed.recovery->claims.begin(), feed.recovery->claims.end(),
                   [&](const auto& entry) { return MarkOf(entry.second.to) > MarkOf(theirs); });
  // Who claims ever more gains no time by it.
  TailClaim& claim =
      feed.recovery->claims.try_emplace(peer.who.node_id, TailClaim{.progress_at = turn.now})
          .first->second;
  if (MarkOf(claim.to) < MarkOf(theirs)) claim.to = theirs;
  feed.recovery->caught_up_at = absl::InfiniteFuture();
  if (furthest && turn.now - claim.asked_at >= absl::Seconds(1)) AskTail(turn, peer, feed, claim);
}

bool Origin::Forgotten(const FeedKey& key) const {
  const FeedState* feed = core_.Find(key);
  return feed == nullptr || feed->record.head().epoch().number() == 0;
}

void Origin::FoundForgotten(Turn& turn, Peer& peer, const v1::FeedId& id,
                            const v1::Position& theirs) {
  if (theirs.epoch().number() == 0) return;
  FeedState* feed = core_.Find(FeedKey::Of(id));
  if (feed == nullptr) feed = &OpenFeed(core_, turn, id, core_.self_path(), /*applied=*/true);
  FoundBehind(turn, peer, *feed, theirs);
}

void Origin::AskTail(Turn& turn, const Peer& peer, const FeedState& feed, TailClaim& claim) {
  claim.asked_at = turn.now;
  v1::Frame frame;
  *frame.mutable_fetch()->mutable_feed() = feed.record.feed();
  const v1::Position& head = feed.record.head();
  if (head.epoch().number() > 0) *frame.mutable_fetch()->mutable_after() = head;
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
}

// What comes back may hold the push, or others after it: it was validated against rows that are no
// longer the newest.
void Origin::AbandonPush(Turn& turn, FeedState& feed) {
  if (!feed.push.has_value()) return;
  const absl::Status cut_off =
      Error(absl::StatusCode::kUnavailable, "feed_recovering",
            "the push was cut off: this node takes back newer records of its own",
            feed.record.feed().resource(), "push again in a few seconds");
  Finish(turn, feed.push_token, cut_off);
  for (Token token : std::exchange(feed.push_awaited, {})) Finish(turn, token, cut_off);
  turn.writes().Delete(PendingPushKey(feed.key));
  turn.writes().DeleteRange(StagedPrefix(feed.key), PrefixEnd(StagedPrefix(feed.key)));
  feed.push.reset();
  feed.push_token = 0;
}

void Origin::Recovered(Turn& turn, FeedState& feed, const Peer* from) {
  if (!feed.recovery.has_value()) return;
  Recovery& recovery = *feed.recovery;
  if (auto it = from == nullptr ? recovery.claims.end() : recovery.claims.find(from->who.node_id);
      it != recovery.claims.end()) {
    it->second.shown = true;
    it->second.progress_at = turn.now;
  }
  std::erase_if(recovery.claims, [&](const auto& entry) {
    return MarkOf(entry.second.to) <= MarkOf(feed.record.head());
  });
  if (!recovery.claims.empty()) return;
  if (recovery.caught_up_at == absl::InfiniteFuture()) recovery.caught_up_at = turn.now;
  Settled(turn, feed);
}

void Origin::Settled(Turn& turn, FeedState& feed) {
  if (!AllTold() && turn.now - feed.recovery->caught_up_at < kSettleWithin) return;
  EndRecovery(turn, feed);
  turn.Alarm(absl::StrCat("feed ", feed.record.feed().resource(), " kind ", feed.kind(),
                          ": own records taken back, epoch ", feed.record.head().epoch().number(),
                          " opened"));
}

// Every neighbour we know of is linked and has said what it holds.
bool Origin::AllTold() const {
  std::set<NodePath> silent = core_.children;
  bool parent = core_.self_path().is_root();
  for (const auto& [link, peer] : core_.peers) {
    if (!peer.interest_told || !peer.compared) continue;
    silent.erase(peer.who.path);
    parent |= peer.who.is_parent;
  }
  return parent && silent.empty();
}

// A store made from a backup: nothing new before those who may hold more have answered.
void Origin::CheckRestored(Turn& turn) {
  if (!core_.restored.has_value()) return;
  const bool anybody = std::any_of(core_.peers.begin(), core_.peers.end(), [](const auto& entry) {
    return entry.second.interest_told && entry.second.compared;
  });
  if (anybody && core_.first_told_at == absl::InfiniteFuture()) core_.first_told_at = turn.now;
  const bool heard = anybody && (AllTold() || turn.now - core_.first_told_at >= kSettleWithin);
  if (!core_.restored->alone() && !heard) return;
  turn.writes().Delete(RestoredKey());
  core_.restored.reset();
  std::vector<FeedState*> own;
  for (auto& [key, feed] : core_.feeds) {
    if (feed.own && !feed.recovery.has_value() && feed.record.head().epoch().number() > 0 &&
        !feed.record.closed() && feed.epoch_opened_at == absl::InfinitePast()) {
      own.push_back(&feed);
    }
  }
  for (FeedState* feed : own) Reopen(turn, *feed);
  for (auto& [key, feed] : core_.feeds) {
    if (feed.push_stalled) ContinuePush(turn, feed);
  }
  turn.Alarm(absl::StrCat("restored from a backup: ", own.size(), " feeds go on in a new epoch"));
}

// A push that the epoch cuts off goes again as a whole, its payloads are still staged.
void Origin::Reopen(Turn& turn, FeedState& feed) {
  EndRecovery(turn, feed);
  if (!feed.push.has_value()) return;
  feed.push->set_next(0);
  feed.push->set_commit(feed.record.commit() + 1);
  feed.push->mutable_record()->mutable_response()->set_commit(feed.push->commit());
  turn.writes().Put(PendingPushKey(feed.key), feed.push->SerializeAsString());
}

void Origin::EndRecovery(Turn& turn, FeedState& feed) {
  feed.recovery.reset();
  core_.recovering.erase(feed.key);
  // Nothing follows the end of a feed, no epoch either.
  if (!feed.record.closed()) OpenEpoch(turn, feed, nullptr);
}

void Origin::FoundFork(Turn& turn, FeedState& feed, const v1::Position& theirs) {
  const v1::Position& head = feed.record.head();
  if (head.epoch().number() == 0 || feed.record.closed() || !Credible(feed, theirs)) return;
  // Of an epoch that has ended, or no other history at all: nothing new to a copy that will load us
  // anew.
  if (theirs.epoch().number() < head.epoch().number()) return;
  if (Locate(core_, feed, theirs) == Place::kHere) return;
  if (turn.now - feed.epoch_opened_at < kEpochEvery) return;
  feed.epoch_number_max = std::max(feed.epoch_number_max, theirs.epoch().number());
  feed.record.set_forks(feed.record.forks() + 1);
  if (MarkOf(feed.record.superseded()) < MarkOf(theirs)) *feed.record.mutable_superseded() = theirs;
  Reopen(turn, feed);
  turn.Alarm(absl::StrCat("feed ", feed.record.feed().resource(), " kind ", feed.kind(),
                          ": a neighbour holds another history of it up to ", theirs.sequence(),
                          ", superseded by epoch ", feed.record.head().epoch().number(),
                          "; copies load it anew"));
}

// True when the claim is not believed any more.
bool Origin::Overdue(const Turn& turn, const std::string& claimant, const TailClaim& claim) {
  const Peer* peer = core_.FindPeer(claimant);
  const bool away = peer == nullptr || turn.now - peer->since < kShowWithin;
  return turn.now - claim.progress_at >= (claim.shown && away ? kReturnWithin : kShowWithin);
}

void Origin::CheckRecoveries(Turn& turn) {
  CheckRestored(turn);
  const std::vector<FeedKey> recovering(core_.recovering.begin(), core_.recovering.end());
  for (const FeedKey& key : recovering) {
    FeedState& feed = *core_.Find(key);
    Recovery& recovery = *feed.recovery;
    if (recovery.caught_up_at != absl::InfiniteFuture()) {
      Settled(turn, feed);
      continue;
    }
    for (auto it = recovery.claims.begin(); it != recovery.claims.end();) {
      TailClaim& claim = it->second;
      if (!Overdue(turn, it->first, claim)) {
        const Peer* peer = core_.FindPeer(it->first);
        if (peer != nullptr &&
            turn.now - std::max(claim.progress_at, claim.asked_at) >= kAskEvery) {
          AskTail(turn, *peer, feed, claim);
        }
        ++it;
        continue;
      }
      turn.Alarm(
          absl::StrCat("feed ", feed.record.feed().resource(), " kind ", feed.kind(),
                       ": records up to ", claim.to.sequence(),
                       " were announced and never came; going on without them in a new epoch"));
      feed.disbelieved.insert(it->first);
      if (MarkOf(feed.record.superseded()) < MarkOf(claim.to))
        *feed.record.mutable_superseded() = claim.to;
      it = recovery.claims.erase(it);
    }
    if (!recovery.claims.empty()) continue;
    if (feed.record.head().epoch().number() == 0) {
      // We know of it by the announcement alone.
      DropFeed(core_, turn, key);
    } else {
      EndRecovery(turn, feed);
    }
  }
}

}  // namespace guantong
