#include "relay/core/sender.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/batch.h"
#include "relay/core/feed_log.h"

namespace guantong {

namespace {

Mark Beyond(const v1::Position& position) {
  return {position.epoch().number(), position.sequence() + 1};
}

}  // namespace

bool Sender::Flows(const Peer& peer, const FeedState& feed) const {
  const Interests* theirs = core_.TheirInterests(peer);
  if (theirs == nullptr) return false;
  // Never back to where it comes from.
  if (peer.who.is_parent ? !core_.self_path().Contains(feed.origin_path)
                         : peer.who.path.Contains(feed.origin_path)) {
    return false;
  }
  switch (feed.kind()) {
    case v1::FEED_KIND_CATALOG_UPWARD:
      if (!peer.who.is_parent) return false;
      [[fallthrough]];
    case v1::FEED_KIND_MEMBERSHIP:
    case v1::FEED_KIND_CATALOG_OPEN:
      return theirs->CoversByScope(feed.kind(), feed.origin_path);
    default:
      // An own dataset that is closed to others still tells its end to those who had it.
      return theirs->Wants(feed.key) && !core_.Paused(peer.who.node_id, feed.key) &&
             (!feed.own || feed.record.shared() || feed.record.closed());
  }
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

void Sender::MarkReady(Peer& peer, const FeedKey& key, Outgoing& out) {
  if (out.ready) return;
  out.ready = true;
  peer.ready.push_back(key);
}

void Sender::Rewind(Peer& peer, const FeedKey& key, Outgoing& out, const v1::Position& to) {
  for (const Unacked& unacked : out.unacked) peer.in_flight -= unacked.bytes;
  out.unacked.clear();
  out.sent_epoch = to.epoch().number();
  out.sent = to.sequence();
  peer.active.erase(key);
}

void Sender::Pump(Turn& turn, Peer& peer) {
  while (!peer.ready.empty() && peer.in_flight < core_.options.link_window_bytes) {
    const FeedKey key = peer.ready.front();
    auto it = peer.outgoing.find(key);
    FeedState* feed = core_.Find(key);
    if (it == peer.outgoing.end() || feed == nullptr ||
        it->second.state != Outgoing::State::kStreaming || !MayHave(peer, *feed)) {
      if (it != peer.outgoing.end()) it->second.ready = false;
      peer.ready.pop_front();
      continue;
    }
    Outgoing& out = it->second;
    bool gone = false;
    std::optional<TailBatch> batch = NextBatch(core_, *feed, out.sent_epoch, out.sent, &gone);
    // One batch a turn for each feed, so that a long catch-up does not hold back a fresh delta.
    peer.ready.pop_front();
    out.ready = false;
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
    SendChain(turn, peer, batch->signer_chain);
    if (out.unacked.empty()) out.progress_at = turn.now;
    out.unacked.push_back(
        {.epoch = batch->epoch, .last = batch->last, .bytes = batch->frame->size()});
    out.sent_epoch = batch->epoch;
    out.sent = batch->last;
    peer.in_flight += batch->frame->size();
    peer.active.insert(key);
    ++peer.batches_sent;
    SendShared(turn, peer, v1::LANE_BULK, batch->frame);
    MarkReady(peer, key, out);
  }
}

void Sender::SendChain(Turn& turn, Peer& peer, const std::string& digest) {
  if (!peer.chains_sent.insert(digest).second) return;
  if (core_.chains.Find(digest) == nullptr) return;
  v1::Frame frame;
  *frame.mutable_chain() = core_.chains.Certificates(digest);
  SendFrame(turn, peer, v1::LANE_BULK, frame);
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
      peer.in_flight -= out.unacked.front().bytes;
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
