#include "relay/core/disputes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_cuts.h"
#include "relay/core/log_reads.h"

namespace guantong {

namespace {

// A neighbour that tells of another history and is there, and never shows it.
constexpr absl::Duration kShowWithin = absl::Seconds(30);
constexpr absl::Duration kAskEvery = absl::Seconds(5);
// A copy that moves to the new epoch sets aside what it had within that many asks.
constexpr int kAsksMax = 24;

}  // namespace

void Disputes::SendBatch(Turn& turn, const Peer& peer, const std::string& chain, Bytes frame) {
  if (core_.chains.Find(chain) == nullptr) return;  // of a network this node has left
  v1::Frame certificates;
  *certificates.mutable_chain() = core_.chains.Certificates(chain);
  SendFrame(turn, peer, v1::LANE_BULK, certificates);
  SendShared(turn, peer, v1::LANE_BULK, std::move(frame));
}

void Disputes::SendToOrigin(Turn& turn, const Peer& from, const FeedState& feed,
                            const std::string& chain, Bytes frame) {
  const Peer* upstream = core_.NextHop(feed.origin_path);
  if (upstream == nullptr || upstream == &from) return;
  SendBatch(turn, *upstream, chain, std::move(frame));
}

void Disputes::Show(Turn& turn, const Peer& peer, const FeedState& feed,
                    const v1::Position& theirs) {
  std::string chain;
  Bytes frame = BatchAround(core_, feed, theirs.epoch().number(), theirs.sequence(), &chain);
  if (frame != nullptr) SendBatch(turn, peer, chain, std::move(frame));
}

void Disputes::Remember(Turn& turn, const Peer& peer, FeedState& feed, const v1::Position& theirs) {
  if (feed.dispute.has_value() && feed.dispute->claimant == peer.who.node_id &&
      SamePosition(feed.dispute->to, theirs)) {
    return;
  }
  // One at a time: the next one tells again.
  if (feed.dispute.has_value() && core_.FindPeer(feed.dispute->claimant) != nullptr) return;
  feed.dispute =
      Dispute{.to = theirs, .claimant = peer.who.node_id, .since = turn.now, .asked_at = turn.now};
  core_.disputed.insert(feed.key);
}

void Disputes::Told(Turn& turn, Peer& peer, FeedState& feed, const v1::Position& theirs) {
  if (feed.own && feed.disbelieved.count(peer.who.node_id) > 0) return;
  if (feed.own) Remember(turn, peer, feed, theirs);
  Show(turn, peer, feed, theirs);
}

void Disputes::Shown(Turn& turn, Peer& peer, FeedState& feed, const ParsedBatch& parsed,
                     const v1::SignedBatch& batch, Bytes frame) {
  const v1::Position theirs = PositionOf(parsed.header, parsed.chain_hash);
  if (auto it = peer.outgoing.find(feed.key); it != peer.outgoing.end()) {
    // It takes nothing that continues ours: a new epoch it takes as a snapshot, when it comes.
    peer.Forget(it->second);
    it->second.acked = theirs;
    it->second.state = Outgoing::State::kUnknown;
    peer.active.erase(feed.key);
  }
  if (feed.own) {
    const uint64_t forks = feed.record.forks();
    origin_.FoundFork(turn, feed, theirs);
    // Before the epoch that was opened for another fork is a minute old it is told again.
    if (feed.record.forks() == forks) {
      if (feed.dispute.has_value() && feed.dispute->claimant == peer.who.node_id)
        feed.dispute->shown = true;
      return;
    }
    SetAside(core_, turn, feed, parsed.header, batch);
    SaveFeed(core_, turn, feed);
    // What it holds around that one is asked for, too.
    if (!feed.dispute.has_value() || feed.dispute->claimant != peer.who.node_id ||
        MarkOf(feed.dispute->to) < MarkOf(theirs)) {
      feed.dispute.reset();
      Remember(turn, peer, feed, theirs);
    }
    return;
  }
  const bool again = turn.now - feed.fork_told_at < absl::Seconds(10);
  SendToOrigin(turn, peer, feed, parsed.header.signer_chain(), std::move(frame));
  // Upstream may hold what the peer does: then ours is the other history there.
  if (const Peer* upstream = core_.NextHop(feed.origin_path); upstream != nullptr && !again) {
    Show(turn, *upstream, feed, theirs);
  }
  if (again) return;
  feed.fork_told_at = turn.now;
  feed.record.set_forks(feed.record.forks() + 1);
  SaveFeed(core_, turn, feed);
  turn.Alarm(absl::StrCat("feed ", HexOf(feed.key.bytes()), " of ", DisplayPath(feed.origin_path),
                          " has forked: ", DisplayPath(peer.who.path),
                          " holds another record at sequence ", theirs.sequence()));
}

// --- of ended epochs -----------------------------------------------------------------------------

void Disputes::ToldSuperseded(Turn& turn, const Peer& peer, FeedState& feed,
                              const v1::Position& theirs) {
  Remember(turn, peer, feed, theirs);
}

void Disputes::ShownSuperseded(Turn& turn, Peer& peer, FeedState& feed, const ParsedBatch& parsed,
                               const v1::SignedBatch& batch, Bytes frame) {
  const v1::Position at = PositionOf(parsed.header, parsed.chain_hash);
  const bool asked = feed.dispute.has_value() && feed.dispute->claimant == peer.who.node_id;
  const bool first = feed.record.superseded_batches() == 0;
  if (SetAside(core_, turn, feed, parsed.header, batch)) {
    if (MarkOf(at) > MarkOf(feed.record.superseded())) *feed.record.mutable_superseded() = at;
    SaveFeed(core_, turn, feed);
    if (first) {
      turn.Alarm(absl::StrCat(
          "feed ", feed.record.feed().resource(), " kind ", feed.kind(), " of ",
          DisplayPath(feed.origin_path), ": ", DisplayPath(peer.who.path),
          " holds records of epoch ", at.epoch().number(),
          " that a later epoch has cut off; they are gathered, see `guantong feeds --superseded`"));
    }
    if (!feed.own) SendToOrigin(turn, peer, feed, parsed.header.signer_chain(), std::move(frame));
  }
  if (asked && MarkOf(at) >= MarkOf(feed.dispute->to)) {
    feed.dispute.reset();
    core_.disputed.erase(feed.key);
  }
}

void Disputes::Give(Turn& turn, Peer& peer, const FeedState& feed, const v1::Position& after) {
  auto cursor =
      core_.store->Scan(SupersededKey(feed.key, after.epoch().number(), after.sequence() + 1),
                        PrefixEnd(SupersededPrefix(feed.key)));
  size_t bytes = 0;
  std::string chain;
  for (; cursor->Valid() && bytes < core_.options.link_window_bytes; cursor->Next()) {
    v1::Frame frame;
    v1::BatchHeader header;
    if (!frame.mutable_batch()->ParseFromArray(cursor->value().data(),
                                               static_cast<int>(cursor->value().size())) ||
        !header.ParseFromString(frame.batch().header())) {
      continue;
    }
    if (core_.chains.Find(header.signer_chain()) == nullptr) continue;
    if (header.signer_chain() != chain) {
      chain = header.signer_chain();
      v1::Frame certificates;
      *certificates.mutable_chain() = core_.chains.Certificates(chain);
      SendFrame(turn, peer, v1::LANE_BULK, certificates);
    }
    bytes += cursor->value().size();
    SendFrame(turn, peer, v1::LANE_BULK, frame);
  }
}

void Disputes::AskSuperseded(Turn& turn, const Peer& peer, FeedState& feed) {
  v1::Position held;
  const std::string prefix = SupersededPrefix(feed.key);
  auto cursor = core_.store->Scan(SupersededKey(feed.key, feed.dispute->to.epoch().number(), 0),
                                  PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    const absl::string_view place = cursor->key().substr(prefix.size());
    held.mutable_epoch()->set_number(ReadBigEndian64(place));
    held.set_sequence(ReadBigEndian64(place.substr(8)));
  }
  if (MarkOf(held) >= MarkOf(feed.dispute->to)) held.Clear();  // of later ones: all again
  v1::Frame frame;
  *frame.mutable_fetch()->mutable_feed() = feed.record.feed();
  frame.mutable_fetch()->set_superseded(true);
  *frame.mutable_fetch()->mutable_after() = held;
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
}

void Disputes::Tend(Turn& turn) {
  const std::vector<FeedKey> disputed(core_.disputed.begin(), core_.disputed.end());
  for (const FeedKey& key : disputed) {
    FeedState* feed = core_.Find(key);
    if (feed == nullptr || !feed->dispute.has_value()) {
      core_.disputed.erase(key);
      continue;
    }
    Dispute& dispute = *feed->dispute;
    const Peer* claimant = core_.FindPeer(dispute.claimant);
    const bool ended = dispute.to.epoch().number() < feed->record.head().epoch().number();
    if (ended && dispute.asks >= kAsksMax) {
      feed->dispute.reset();
      core_.disputed.erase(key);
    } else if (ended && claimant != nullptr && turn.now - dispute.asked_at >= kAskEvery) {
      ++dispute.asks;
      dispute.asked_at = turn.now;
      AskSuperseded(turn, *claimant, *feed);
    } else if (!ended && !dispute.shown && claimant != nullptr &&
               turn.now - std::max(dispute.since, claimant->since) >= kShowWithin) {
      // Told again as long as it stands; a copy without a log cannot show what it stands on.
      const v1::Position theirs = dispute.to;
      feed->disbelieved.insert(dispute.claimant);
      feed->dispute.reset();
      core_.disputed.erase(key);
      if (feed->own && Locate(core_, *feed, theirs) == Place::kFork)
        origin_.FoundFork(turn, *feed, theirs);
    }
  }
}

}  // namespace guantong
