#include "relay/core/sync.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/batch.h"
#include "catalog/feed_kind.h"
#include "relay/core/places.h"

namespace guantong {

namespace {

// `prefix` holds leading half-bytes, one per byte.
bool InRange(const FeedKey& key, absl::string_view prefix) {
  const absl::string_view bytes = key.bytes();
  for (size_t i = 0; i < prefix.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i / 2]);
    const unsigned half = i % 2 == 0 ? byte >> 4 : byte & 15;
    if (half != static_cast<unsigned char>(prefix[i])) return false;
  }
  return true;
}

bool ValidPrefix(absl::string_view prefix) {
  return prefix.size() <= 2 * kFeedKeyBytes &&
         std::all_of(prefix.begin(), prefix.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 16; });
}

std::string DigestOf(const std::vector<FeedState*>& feeds) {
  Sha256Stream stream;
  for (const FeedState* feed : feeds) {
    stream.Update(feed->key.bytes());
    stream.UpdatePart(feed->durable.epoch().id());
    std::string sequence;
    AppendBigEndian64(feed->durable.sequence(), &sequence);
    stream.Update(sequence);
    // Two histories of one length.
    stream.UpdatePart(feed->durable.chain_hash());
  }
  return stream.Finish();
}

}  // namespace

Sync::Held Sync::Incoming(const Peer& peer, absl::string_view prefix) const {
  Held feeds;
  for (auto& [key, feed] : core_.feeds) {
    if (feed.own || feed.durable.epoch().number() == 0 || !InRange(key, prefix)) continue;
    const bool from_there = peer.who.is_parent ? !core_.self_path().Contains(feed.origin_path)
                                               : peer.who.path.Contains(feed.origin_path);
    if (!from_there) continue;
    if (peer.ours.Wants(key) || peer.ours.CoversByScope(feed.kind(), feed.origin_path))
      feeds.push_back(&feed);
  }
  return feeds;
}

Sync::Held Sync::Outflowing(const Peer& peer, absl::string_view prefix) const {
  Held feeds;
  for (auto& [key, feed] : core_.feeds) {
    if (feed.durable.epoch().number() != 0 && InRange(key, prefix) && sender_.Flows(peer, feed)) {
      feeds.push_back(&feed);
    }
  }
  return feeds;
}

v1::SyncRange Sync::Range(const Held& feeds, const std::string& prefix, bool list) const {
  v1::SyncRange range;
  range.set_prefix(prefix);
  range.set_feeds(static_cast<uint32_t>(feeds.size()));
  range.set_digest(DigestOf(feeds));
  range.set_listed(list);
  if (!list) return range;
  for (const FeedState* feed : feeds) {
    v1::FeedPosition* position = range.add_positions();
    position->set_feed_key(feed->key.str());
    *position->mutable_position() = feed->durable;
  }
  return range;
}

void Sync::Offer(Turn& turn, Peer& peer) {
  peer.offered_at = turn.now;
  v1::Frame frame;
  frame.mutable_sync_offer()->set_interest(peer.ours.Digest());
  *frame.mutable_sync_offer()->add_ranges() = Range(Incoming(peer, ""), "", false);
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
}

void Sync::OnOffer(Turn& turn, Peer& peer, const v1::SyncOffer& offer) {
  if (!offer.interest().empty()) {
    const Interests* theirs = core_.TheirInterests(peer);
    if (theirs == nullptr || theirs->Digest() != offer.interest()) {
      // An interest we cannot take whole stays different: its positions are compared all the same.
      const bool first = peer.interest_asked_at == absl::InfinitePast();
      if (turn.now - peer.interest_asked_at >= absl::Seconds(1)) {
        peer.interest_asked_at = turn.now;
        v1::Frame frame;
        frame.mutable_sync_ask()->set_interest(true);
        SendFrame(turn, peer, v1::LANE_CONTROL, frame);
      }
      if (first || theirs == nullptr) return;
    } else {
      peer.interest_told = true;
    }
  }
  v1::Frame answer;
  v1::SyncAsk* ask = answer.mutable_sync_ask();
  int ranges = 0;
  for (const v1::SyncRange& range : offer.ranges()) {
    if (!ValidPrefix(range.prefix()) || ++ranges > static_cast<int>(kSyncRangesPerFrameMax))
      continue;
    const Held mine = Outflowing(peer, range.prefix());
    if (DigestOf(mine) == range.digest()) {
      Resume(turn, peer, mine);
    } else if (range.listed()) {
      Compare(turn, peer, mine, range);
    } else {
      v1::SyncRangeAsk* part = ask->add_ranges();
      part->set_prefix(range.prefix());
      part->set_list(std::max<size_t>(mine.size(), range.feeds()) <= kSyncListFeedsMax ||
                     range.prefix().size() == 2 * kFeedKeyBytes);
    }
  }
  if (ask->ranges_size() > 0) {
    SendFrame(turn, peer, v1::LANE_CONTROL, answer);
  } else {
    peer.compared = true;
  }
}

void Sync::OnAsk(Turn& turn, Peer& peer, const v1::SyncAsk& ask) {
  if (ask.interest()) {
    peer.ours = wants_.Desired(peer);
    v1::Frame frame;
    *frame.mutable_interest() = peer.ours.Whole();
    SendFrame(turn, peer, v1::LANE_CONTROL, frame);
    Offer(turn, peer);
  }
  v1::Frame answer;
  v1::SyncOffer* offer = answer.mutable_sync_offer();
  int ranges = 0;
  for (const v1::SyncRangeAsk& part : ask.ranges()) {
    if (!ValidPrefix(part.prefix()) || ++ranges > static_cast<int>(kSyncRangesPerFrameMax))
      continue;
    if (part.list()) {
      *offer->add_ranges() = Range(Incoming(peer, part.prefix()), part.prefix(), true);
      continue;
    }
    for (char half = 0; half < 16; ++half) {
      const std::string prefix = part.prefix() + half;
      *offer->add_ranges() = Range(Incoming(peer, prefix), prefix, false);
    }
  }
  if (offer->ranges_size() > 0) SendFrame(turn, peer, v1::LANE_CONTROL, answer);
}

void Sync::Resume(Turn& turn, Peer& peer, const Held& feeds) {
  for (FeedState* feed : feeds) {
    const Outgoing& out = peer.outgoing[feed->key];
    if (out.state == Outgoing::State::kUnknown) sender_.StartFrom(turn, peer, *feed, feed->durable);
  }
}

void Sync::Compare(Turn& turn, Peer& peer, const Held& feeds, const v1::SyncRange& range) {
  std::map<std::string, const v1::Position*> theirs;
  for (const v1::FeedPosition& position : range.positions()) {
    theirs[position.feed_key()] = &position.position();
  }
  // A store that was restored may lack a whole record feed of ours; of rows the neighbour's
  // interest tells.
  for (const RecordKind& kind : kRecordKinds) {
    v1::FeedId id;
    id.set_origin(core_.self_id());
    id.set_kind(kind.kind);
    auto it = theirs.find(FeedKey::Of(id).str());
    if (it == theirs.end() || !origin_.Forgotten(FeedKey::Of(id))) continue;
    origin_.FoundForgotten(turn, peer, id, *it->second);
  }
  if (!peer.who.is_parent) TellOfOthers(turn, peer, feeds, range);
  for (FeedState* feed : feeds) {
    auto it = theirs.find(feed->key.str());
    const v1::Position have = it == theirs.end() ? v1::Position() : *it->second;
    const Outgoing& out = peer.outgoing[feed->key];
    // What is on its way speaks for itself; what was lost on its way is sent again when its time is
    // over.
    if (out.state == Outgoing::State::kWaitingManifest || out.state == Outgoing::State::kLoading)
      continue;
    if (out.state == Outgoing::State::kStreaming && !out.unacked.empty()) continue;
    sender_.StartFrom(turn, peer, *feed, have);
  }
}

// It holds what does not come from here: of somebody who went elsewhere, perhaps.
void Sync::TellOfOthers(Turn& turn, Peer& peer, const Held& feeds, const v1::SyncRange& range) {
  std::set<FeedKey> given;
  for (const FeedState* feed : feeds) given.insert(feed->key);
  for (const v1::FeedPosition& position : range.positions()) {
    if (position.feed_key().size() != kFeedKeyBytes) continue;
    const FeedKey key = FeedKey::FromBytes(position.feed_key());
    if (given.count(key) > 0) continue;
    if (const FeedState* feed = core_.Find(key); feed != nullptr) {
      TellPlace(core_, turn, peer, feed->record.feed().origin());
      continue;
    }
    v1::Frame frame;
    frame.mutable_nack()->set_feed_key(key.str());
    frame.mutable_nack()->set_reason(v1::NACK_REASON_UNKNOWN_FEED);
    SendFrame(turn, peer, v1::LANE_CONTROL, frame);
  }
}

}  // namespace guantong
