#include "relay/core/sender.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/batch.h"
#include "catalog/feed_kind.h"
#include "relay/core/log_reads.h"

namespace guantong {

namespace {

// Feeds looked at in vain before the rest waits for the next acknowledgement.
constexpr size_t kPassedOverMax = 64;
// A feed that is further behind catches up, which is nothing urgent.
constexpr uint64_t kUrgentRecordsMax = 256;
// What follows a gap tells of it, too, until the repeat has come: more repeats would fill the line.
constexpr absl::Duration kGapAgain = absl::Seconds(1);

// Enough of a digest to tell the chains of one feed apart; 0 is none.
uint64_t ChainMark(absl::string_view digest) {
  uint64_t mark = 0;
  for (char byte : digest.substr(0, sizeof(mark))) mark = mark << 8 | static_cast<uint8_t>(byte);
  return mark;
}

Mark Beyond(const v1::Position& position) {
  return {position.epoch().number(), position.sequence() + 1};
}

}  // namespace

bool Sender::Flows(const Peer& peer, const FeedState& feed) const {
  const Interests* theirs = core_.TheirInterests(peer);
  if (theirs == nullptr || feed.moved || feed.record.foreign()) return false;
  // Never back to where it comes from.
  if (peer.who.is_parent ? !core_.self_path().Contains(feed.origin_path)
                         : peer.who.path.Contains(feed.origin_path)) {
    return false;
  }
  if (const RecordKind* kind = FindRecordKind(feed.kind()); kind != nullptr) {
    if (!peer.who.is_parent) {
      if (kind->down == DownFlow::kNever) return false;
      if (kind->down == DownFlow::kToBranch && !feed.origin_path.Contains(peer.who.path))
        return false;
    }
    // It is taken for where its chain says it was signed, and wanted for where its origin stands.
    return theirs->CoversByScope(feed.kind(), feed.proved_path) &&
           theirs->CoversByScope(feed.kind(), feed.origin_path);
  }
  // An own dataset that is closed to others still tells its end to those who had it.
  return theirs->Wants(feed.key) && !core_.Paused(peer.who.node_id, feed.key) &&
         (!feed.own || feed.record.shared() || feed.record.closed());
}

bool Sender::MayHave(const Peer& peer, const FeedState& feed) const {
  // Whoever we have it from may have it back: the origin that takes back its own tail, and those
  // between it and us.
  return Flows(peer, feed) || feed.record.feed().origin() == peer.who.node_id ||
         core_.NextHop(feed.origin_path) == &peer;
}

void Sender::StartFrom(Turn& turn, Peer& peer, FeedState& feed, const v1::Position& have) {
  Outgoing& out = peer.outgoing[feed.key];
  Rewind(peer, feed.key, out, have);
  out.acked = have;
  if (feed.durable.epoch().number() == 0) {
    out.state = Outgoing::State::kUnknown;
    return;
  }
  if (!have.has_epoch()) {
    const bool log_is_whole = feed.record.log_from().epoch().number() == 0;
    const bool has_rows = feed.kind() == v1::FEED_KIND_ROWS && feed.record.visible_commit() > 0;
    // Its origin, that has forgotten it, is given the log itself: nobody else could make a
    // snapshot.
    const bool give_back = feed.record.feed().origin() == peer.who.node_id;
    if (!log_is_whole || (has_rows && !give_back)) return NeedManifest(turn, peer, feed, {});
  } else {
    switch (Locate(core_, feed, have)) {
      case Place::kHere:
        break;
      case Place::kAhead:
        // We are the ones behind; nothing to send until we have caught up.
        out.state = Outgoing::State::kUnknown;
        if (feed.own) return origin_.FoundBehind(turn, peer, feed, have);
        return AskBack(turn, peer, feed);
      case Place::kFork:
        // Before its origin opens an epoch there is nothing to send that the peer could take.
        out.state = Outgoing::State::kUnknown;
        return disputes_.Told(turn, peer, feed, have);
      case Place::kGone:
        if (IsSuperseded(core_, feed, have)) disputes_.ToldSuperseded(turn, peer, feed, have);
        // What lies before it does not bring the peer on.
        return NeedManifest(turn, peer, feed, Beyond(have));
    }
  }
  out.state = Outgoing::State::kStreaming;
  out.manifest_again = false;
  out.progress_at = turn.now;
  MarkReady(peer, feed.key, out);
  Pump(turn, peer);
}

// Restored to an older state, we are behind those we had sent to; the origin may be, too, and
// learns from us what there is.
void Sender::AskBack(Turn& turn, const Peer& peer, const FeedState& feed) {
  v1::Frame frame;
  *frame.mutable_fetch()->mutable_feed() = feed.record.feed();
  *frame.mutable_fetch()->mutable_after() = feed.record.head();
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
}

void Sender::Stop(Peer& peer, const FeedKey& key) {
  // By now it stands elsewhere than it told.
  peer.told.erase(key);
  auto it = peer.outgoing.find(key);
  if (it == peer.outgoing.end()) return;
  Rewind(peer, key, it->second, it->second.acked);
  peer.outgoing.erase(it);
}

void Sender::Advance(Turn& turn, FeedState& feed) {
  for (auto& [link, peer] : core_.peers) {
    if (!Flows(peer, feed)) continue;
    auto it = peer.outgoing.find(feed.key);
    if (it == peer.outgoing.end()) {
      // New since this session compared positions: the peer has told what it holds of it, or holds
      // nothing. What is older waits for the comparison.
      if (peer.told.count(feed.key) > 0) {
        const v1::Position have = core_.TheirInterests(peer)->feeds().at(feed.key).have;
        StartFrom(turn, peer, feed, have);
      } else if (feed.opened_at >= peer.since) {
        StartFrom(turn, peer, feed, {});
      }
      continue;
    }
    Outgoing& out = it->second;
    switch (out.state) {
      case Outgoing::State::kUnknown: {
        const v1::Position acked = out.acked;
        StartFrom(turn, peer, feed, acked);
        break;
      }
      case Outgoing::State::kStreaming:
        MarkReady(peer, feed.key, out);
        Pump(turn, peer);
        break;
      case Outgoing::State::kWaitingManifest:
        NeedManifest(turn, peer, feed, out.manifest_from);
        break;
      case Outgoing::State::kLoading:
        break;
    }
  }
}

void Sender::Forward(Turn& turn, const FeedState& feed) {
  for (auto& [link, peer] : core_.peers) {
    auto it = peer.outgoing.find(feed.key);
    if (it == peer.outgoing.end() || it->second.state != Outgoing::State::kStreaming) continue;
    if (!Flows(peer, feed)) continue;
    MarkReady(peer, feed.key, it->second);
    Pump(turn, peer);
  }
}

void Sender::MarkReady(Peer& peer, const FeedKey& key, Outgoing& out) {
  if (out.ready) return;
  out.ready = true;
  peer.ready.push_back(key);
}

void Sender::Rewind(Peer& peer, const FeedKey& key, Outgoing& out, const v1::Position& to) {
  peer.Forget(out);
  out.large_next = false;
  out.chain = 0;
  out.sent_epoch = to.epoch().number();
  out.sent = to.sequence();
  peer.active.erase(key);
}

// Beside the window there is room for what is small and follows nothing under way: it goes on the
// control lane, past the bulk of other feeds. The two lanes of a link do not wait for each other,
// so all that is unacknowledged of one feed is on one lane.
bool Sender::Room(const Peer& peer, v1::Lane lane) const {
  return lane == v1::LANE_CONTROL ? peer.urgent_in_flight < core_.options.urgent_window_bytes
                                  : peer.in_flight < core_.options.link_window_bytes;
}

bool Sender::MaySend(const Peer& peer, const Outgoing& out) const {
  if (!out.unacked.empty()) return Room(peer, out.lane);
  return Room(peer, v1::LANE_BULK) || (Room(peer, v1::LANE_CONTROL) && !out.large_next);
}

v1::Lane Sender::LaneOf(const Peer& peer, const Outgoing& out, const FeedState& feed,
                        const TailBatch& batch) const {
  if (!out.unacked.empty() && out.lane == v1::LANE_BULK) return v1::LANE_BULK;
  const Mark sendable = SendableTo(feed);
  const bool urgent = batch.frame->size() <= core_.options.urgent_bytes_max &&
                      batch.epoch == sendable.first &&
                      sendable.second - batch.last <= kUrgentRecordsMax;
  return urgent && Room(peer, v1::LANE_CONTROL) ? v1::LANE_CONTROL : v1::LANE_BULK;
}

void Sender::Pump(Turn& turn, Peer& peer) {
  size_t passed_over = 0;
  while (passed_over < std::min(peer.ready.size(), kPassedOverMax) &&
         (Room(peer, v1::LANE_BULK) || Room(peer, v1::LANE_CONTROL))) {
    const FeedKey key = peer.ready.front();
    auto it = peer.outgoing.find(key);
    FeedState* feed = core_.Find(key);
    // One batch a turn for each feed, so that a long catch-up does not hold back a fresh delta.
    peer.ready.pop_front();
    if (it == peer.outgoing.end() || feed == nullptr ||
        it->second.state != Outgoing::State::kStreaming || !MayHave(peer, *feed)) {
      if (it != peer.outgoing.end()) it->second.ready = false;
      continue;
    }
    Outgoing& out = it->second;
    if (!MaySend(peer, out)) {
      peer.ready.push_back(key);
      ++passed_over;
      continue;
    }
    out.ready = false;
    bool gone = false;
    std::optional<TailBatch> batch = NextBatch(core_, *feed, out.sent_epoch, out.sent, &gone);
    if (gone) {
      NeedManifest(turn, peer, *feed, Beyond(out.acked));
      continue;
    }
    if (!batch.has_value()) continue;
    if (out.until < Mark{batch->epoch, batch->last} && !Flows(peer, *feed)) {
      Stop(peer, key);
      continue;
    }
    // What was not taken is tried one by one, and leaves the window to the others.
    if (out.resends > 0 && !out.unacked.empty()) continue;
    const v1::Lane lane = LaneOf(peer, out, *feed, *batch);
    // What is large waits for the small before it; the acknowledgement comes by here again.
    if (!out.unacked.empty() && lane != out.lane) continue;
    if (!Room(peer, lane)) {
      out.large_next = true;
      MarkReady(peer, key, out);
      ++passed_over;
      continue;
    }
    passed_over = 0;
    SendNext(turn, peer, key, out, lane, *batch);
    MarkReady(peer, key, out);
  }
}

void Sender::SendNext(Turn& turn, Peer& peer, const FeedKey& key, Outgoing& out, v1::Lane lane,
                      const TailBatch& batch) {
  size_t bytes = batch.frame->size();
  const uint64_t chain = ChainMark(batch.signer_chain);
  if (std::exchange(out.chain, chain) != chain)
    bytes += SendChain(turn, peer, lane, batch.signer_chain);
  if (out.unacked.empty()) out.progress_at = turn.now;
  out.lane = lane;
  out.unacked.push_back({.epoch = batch.epoch, .last = batch.last, .bytes = bytes});
  out.sent_epoch = batch.epoch;
  out.sent = batch.last;
  out.large_next = false;
  peer.UnderWay(lane) += bytes;
  peer.active.insert(key);
  ++peer.batches_sent;
  SendShared(turn, peer, lane, batch.frame);
}

size_t Sender::SendChain(Turn& turn, Peer& peer, v1::Lane lane, const std::string& digest) {
  if (!peer.chains_sent.emplace(lane, digest).second) return 0;
  if (core_.chains.Find(digest) == nullptr) return 0;
  v1::Frame frame;
  *frame.mutable_chain() = core_.chains.Certificates(digest);
  SendFrame(turn, peer, lane, frame);
  return frame.ByteSizeLong();
}

void Sender::OnAcks(Turn& turn, Peer& peer, const v1::Acks& acks) {
  for (const v1::FeedPosition& ack : acks.acks()) {
    if (ack.feed_key().size() != kFeedKeyBytes) continue;
    const FeedKey key = FeedKey::FromBytes(ack.feed_key());
    auto it = peer.outgoing.find(key);
    FeedState* feed = core_.Find(key);
    if (it == peer.outgoing.end() || feed == nullptr) continue;
    Outgoing& out = it->second;
    const Mark at = MarkOf(ack.position());
    while (!out.unacked.empty() &&
           Mark{out.unacked.front().epoch, out.unacked.front().last} <= at) {
      peer.UnderWay(out.lane) -= out.unacked.front().bytes;
      out.unacked.pop_front();
      out.progress_at = turn.now;
      out.resends = 0;
    }
    if (out.state == Outgoing::State::kStreaming) {
      if (out.unacked.empty()) peer.active.erase(key);
      MarkReady(peer, key, out);
    }
    const bool forward = at >= MarkOf(out.acked);
    if (forward) out.acked = ack.position();
    if (out.state != Outgoing::State::kLoading) continue;
    // It has loaded the snapshot, or stands where it did not need it or is not helped by it.
    if (SamePosition(ack.position(), out.manifest_at) ||
        (forward && at >= MarkOf(out.manifest_at)) ||
        (forward && Locate(core_, *feed, ack.position()) == Place::kHere)) {
      StartFrom(turn, peer, *feed, ack.position());
    } else if (forward && !std::exchange(out.manifest_again, true) &&
               Locate(core_, *feed, ack.position()) == Place::kGone) {
      // It has passed the snapshot on and waits for a log that we do not have either: once more,
      // for itself.
      NeedManifest(turn, peer, *feed, out.manifest_from);
    }
  }
  Pump(turn, peer);
}

void Sender::OnFetch(Turn& turn, Peer& peer, const v1::Fetch& fetch) {
  FeedState* feed = core_.Find(FeedKey::Of(fetch.feed()));
  if (feed == nullptr || !MayHave(peer, *feed)) return;
  peer.chains_sent.clear();
  if (fetch.superseded()) return disputes_.Give(turn, peer, *feed, fetch.after());
  if (fetch.has_until()) return log_repair_.Give(turn, peer, *feed, fetch);
  Outgoing& out = peer.outgoing[feed->key];
  if (fetch.snapshot()) {
    Rewind(peer, feed->key, out, out.acked);
    // Who asks for something newer than what is here is ahead of us, or makes it up: waiting for it
    // would stop the feed for all behind us.
    return NeedManifest(turn, peer, *feed, std::min(MarkOf(fetch.after()), MarkOf(feed->durable)));
  }
  out.until = MarkOf(feed->durable);
  StartFrom(turn, peer, *feed, fetch.after());
}

// --- what goes wrong -----------------------------------------------------------------------------

void Sender::OnGap(Turn& turn, Peer& peer, const v1::Fetch& fetch) {
  if (auto it = peer.outgoing.find(FeedKey::Of(fetch.feed())); it != peer.outgoing.end()) {
    Outgoing& out = it->second;
    const bool again = out.again_from == MarkOf(fetch.after());
    if (again && turn.now - out.again_at < kGapAgain) return;
    out.again_from = MarkOf(fetch.after());
    out.again_at = turn.now;
  }
  OnFetch(turn, peer, fetch);
}

void Sender::ResendStale(Turn& turn, Peer& peer) {
  std::vector<FeedKey> stale;
  for (const FeedKey& key : peer.active) {
    if (turn.now >= ResendAt(peer.outgoing[key])) stale.push_back(key);
  }
  for (const FeedKey& key : stale) {
    Outgoing& out = peer.outgoing[key];
    FeedState* feed = core_.Find(key);
    if (feed == nullptr) continue;
    if (!Flows(peer, *feed)) {
      // Its origin had asked for its tail, and asks again as long as it needs it.
      Stop(peer, key);
      continue;
    }
    peer.chains_sent.clear();
    ++out.resends;
    out.progress_at = turn.now;
    if (out.state == Outgoing::State::kStreaming) {
      const v1::Position acked = out.acked;
      StartFrom(turn, peer, *feed, acked);
    } else {
      NeedManifest(turn, peer, *feed, out.manifest_from);
    }
  }
}

// A slow link is not a lossy one: each time it takes twice as long.
absl::Time Sender::ResendAt(const Outgoing& out) const {
  return out.progress_at + core_.options.resend_after * (1 << std::min(out.resends, 4));
}

absl::Time Sender::NextResend(const Peer& peer) const {
  absl::Time next = absl::InfiniteFuture();
  for (const FeedKey& key : peer.active) {
    auto it = peer.outgoing.find(key);
    if (it != peer.outgoing.end()) next = std::min(next, ResendAt(it->second));
  }
  return next;
}

}  // namespace guantong
