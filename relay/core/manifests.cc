// The snapshot half of Sender: manifests for peers that the log does not reach, made here at the
// origin, asked for upstream elsewhere.
#include <algorithm>

#include "catalog/batch.h"
#include "relay/core/log_reads.h"
#include "relay/core/sender.h"

namespace guantong {

bool Sender::ManifestUsable(const FeedState& feed, Mark from) const {
  if (!feed.held.has_value()) return false;
  const v1::Manifest& manifest = feed.held->manifest;
  // Whoever wants it by scope takes it for where it was signed: from the place its origin has left
  // it would be taken by nobody at the new one.
  const VerifiedChain* signer = core_.chains.Find(manifest.signer_chain());
  if (signer == nullptr || signer->path != feed.proved_path) return false;
  // While we load it ourselves its chunks pass through here, and the log goes on from there.
  if (feed.load != nullptr && SamePosition(feed.load->manifest.at(), manifest.at())) return true;
  return MarkOf(manifest.at()) >= from && Locate(core_, feed, manifest.at()) == Place::kHere;
}

void Sender::NeedManifest(Turn& turn, Peer& peer, FeedState& feed, Mark from) {
  if (feed.record.closed()) return RefuseClosed(turn, peer, feed);
  Outgoing& out = peer.outgoing[feed.key];
  out.manifest_from = from;
  if (ManifestUsable(feed, from)) return SendManifest(turn, peer, feed);
  if (out.state != Outgoing::State::kWaitingManifest) out.progress_at = turn.now;
  out.state = Outgoing::State::kWaitingManifest;
  peer.active.insert(feed.key);
  if (feed.own) {
    // Before the end of an open push there may be none that helps; its end comes by here again.
    if (!feed.making_manifest && feed.record.visible().epoch().number() > 0 &&
        MarkOf(feed.record.visible()) >= from) {
      feed.making_manifest = true;
      // It is made from a store in which all that was let go of before is gone.
      if (feed.table.has_value()) feed.table->pins().LeaveAll();
      turn.when_durable.push_back([this, key = feed.key](Turn& later) {
        later.effects.snapshots.push_back({.feed = key, .encoding = core_.RowsEncoding()});
      });
    }
    return;
  }
  Peer* upstream = core_.NextHop(feed.origin_path);
  if (upstream == nullptr || upstream == &peer ||
      turn.now - feed.manifest_asked_at < absl::Seconds(1))
    return;
  feed.manifest_asked_at = turn.now;
  feed.manifest_for_others = true;
  // One that our log continues.
  const Mark least = std::max(from, MarkOf(feed.record.log_from()));
  v1::Frame frame;
  *frame.mutable_fetch()->mutable_feed() = feed.record.feed();
  frame.mutable_fetch()->set_snapshot(true);
  frame.mutable_fetch()->mutable_after()->mutable_epoch()->set_number(least.first);
  frame.mutable_fetch()->mutable_after()->set_sequence(least.second);
  SendFrame(turn, *upstream, v1::LANE_CONTROL, frame);
}

// Its rows are no longer given to anybody; who has a copy learns its end from the log.
void Sender::RefuseClosed(Turn& turn, Peer& peer, const FeedState& feed) {
  Stop(peer, feed.key);
  v1::Frame frame;
  v1::Nack* nack = frame.mutable_nack();
  nack->set_feed_key(feed.key.str());
  *nack->mutable_feed() = feed.record.feed();
  nack->set_reason(v1::NACK_REASON_REFUSED);
  nack->set_text("提供方已关闭该数据集 (closed by its provider)");
  nack->set_from_origin(true);
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
}

void Sender::SendManifest(Turn& turn, Peer& peer, FeedState& feed) {
  Outgoing& out = peer.outgoing[feed.key];
  out.state = Outgoing::State::kLoading;
  out.manifest_at = feed.held->manifest.at();
  out.progress_at = turn.now;
  feed.held->used_at = turn.now;
  peer.active.insert(feed.key);
  SendChain(turn, peer, v1::LANE_BULK, feed.held->manifest.signer_chain());
  v1::Frame frame;
  *frame.mutable_manifest() = feed.held->signed_manifest;
  SendFrame(turn, peer, v1::LANE_BULK, frame);
}

void Sender::ManifestHeld(Turn& turn, FeedState& feed) {
  for (auto& [link, peer] : core_.peers) {
    auto it = peer.outgoing.find(feed.key);
    if (it == peer.outgoing.end() || it->second.state != Outgoing::State::kWaitingManifest)
      continue;
    if (ManifestUsable(feed, it->second.manifest_from)) SendManifest(turn, peer, feed);
  }
}

}  // namespace guantong
