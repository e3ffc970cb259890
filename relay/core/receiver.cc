#include "relay/core/receiver.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_reads.h"

namespace guantong {

namespace {

absl::string_view TextOf(const absl::Status& status) { return status.message(); }

}  // namespace

void Receiver::OnChain(Turn& turn, Peer& peer, const v1::CertificateChain& chain) {
  absl::StatusOr<std::string> learned = core_.chains.Learn(chain);
  if (learned.ok()) return;
  ++peer.frames_rejected;
  turn.Say(absl::StrCat("link ", DisplayPath(peer.who.path),
                        ": certificate chain refused: ", TextOf(learned.status())));
}

bool Receiver::MayComeFrom(const Peer& peer, const v1::FeedId& id, const NodePath& origin) const {
  if (id.origin() == core_.self_id()) return true;
  const FeedKey key = FeedKey::Of(id);
  // What is held here may go on from any neighbour: its signature says whether it is the next.
  return peer.ours.Wants(key) || peer.ours.CoversByScope(id.kind(), origin) ||
         core_.feeds.count(key) > 0;
}

bool Receiver::MayOpen(Turn& turn, Peer& peer, const v1::FeedId& id, const NodePath& origin) {
  if (!core_.IsBelow(origin) || core_.feeds_below[core_.ChildToward(origin)] < kFeedsBelowMax)
    return true;
  Reject(turn, peer, id, nullptr, v1::NACK_REASON_BUDGET,
         "as many feeds are held from below this child as may be");
  return false;
}

void Receiver::OnBatch(Turn& turn, Peer& peer, const v1::SignedBatch& batch, Bytes frame) {
  ++peer.batches_received;
  absl::StatusOr<ParsedBatch> parsed = ParseBatch(batch);
  if (!parsed.ok()) {
    ++peer.frames_rejected;
    v1::BatchHeader header;
    // What does not parse names no feed, and a part of it is nothing to repeat to anybody.
    if (!header.ParseFromString(batch.header())) header.Clear();
    return Reject(turn, peer, header.feed(), core_.Find(FeedKey::Of(header.feed())),
                  v1::NACK_REASON_BAD_CHAIN, TextOf(parsed.status()));
  }
  const v1::BatchHeader& header = parsed->header;
  FeedState* feed = core_.Find(parsed->key);
  const VerifiedChain* signer = core_.chains.Find(header.signer_chain());
  if (signer == nullptr) {
    return Reject(turn, peer, header.feed(), feed, v1::NACK_REASON_GAP,
                  "certificate chain not held");
  }
  if (places_.Outdated(turn, peer, *signer)) return;
  if (!MayComeFrom(peer, header.feed(), signer->path))
    return;  // interest dropped while it travelled
  const bool own = header.feed().origin() == core_.self_id();
  if (own && feed == nullptr) return;

  if (feed != nullptr && log_repair_.Takes(turn, peer, *feed, *parsed, batch)) return;
  const bool fresh = feed == nullptr || feed->record.head().epoch().number() == 0;
  const Continuity continuity = fresh ? Continuity::kNext : Compare(*feed, *parsed, batch);
  const bool other_history =
      continuity == Continuity::kFork || continuity == Continuity::kSuperseded;
  if (feed != nullptr && (feed->load != nullptr || feed->wants_snapshot) &&
      continuity != Continuity::kSuperseded)
    return;
  // Of our own we know the end, unless we have found that we do not; what contradicts it is heard.
  if (own && !feed->recovery.has_value() && !other_history) return;
  if (continuity == Continuity::kRepeat) return Ack(turn, peer.who.link, *feed);
  if (continuity == Continuity::kGap) {
    return Reject(turn, peer, header.feed(), feed, v1::NACK_REASON_GAP,
                  "records are missing before it");
  }
  if (absl::Status signature = CheckBatchSignature(*parsed, batch, *signer, core_.chains.network());
      !signature.ok()) {
    ++peer.frames_rejected;
    return Reject(turn, peer, header.feed(), feed,
                  DetailOf(signature).reason == "bad_signer" ? v1::NACK_REASON_BAD_SIGNER
                                                             : v1::NACK_REASON_BAD_CHAIN,
                  TextOf(signature));
  }
  if (TimeOf(header.signed_at()) > turn.now + absl::Seconds(kClockAheadSeconds)) {
    return Reject(turn, peer, header.feed(), feed, v1::NACK_REASON_CLOCK_AHEAD,
                  "signed more than ten minutes ahead of our clock");
  }
  if (continuity == Continuity::kFork) {
    return disputes_.Shown(turn, peer, *feed, *parsed, batch, std::move(frame));
  }
  if (continuity == Continuity::kSuperseded) {
    return disputes_.ShownSuperseded(turn, peer, *feed, *parsed, batch, std::move(frame));
  }
  if (continuity == Continuity::kSnapshot) {
    *feed->record.mutable_superseded() = feed->record.head();
    return AskSnapshot(turn, *feed, {header.epoch().number(), 0});
  }
  if (absl::Status rules = CheckRules(feed, *parsed, batch); !rules.ok()) {
    ++peer.frames_rejected;
    return Reject(turn, peer, header.feed(), feed, v1::NACK_REASON_RULE_BROKEN, TextOf(rules));
  }
  if (feed == nullptr) {
    if (!MayOpen(turn, peer, header.feed(), signer->path)) return;
    const bool applied = core_.subscriptions.count(parsed->key) > 0;
    feed = &OpenFeed(core_, turn, header.feed(), signer->path, applied);
  }
  if (fresh) {
    const bool from_start = header.prev() == 0 && header.epoch().number() == 1;
    const bool facts = feed->kind() != v1::FEED_KIND_ROWS || feed->record.applied();
    if (!from_start && facts) return AskSnapshot(turn, *feed, {});
    if (!from_start) {
      // A relay without a copy may begin anywhere: the signature vouches for what came before.
      v1::Position before;
      *before.mutable_epoch() = header.epoch();
      before.set_sequence(header.prev());
      before.set_chain_hash(header.prev_hash());
      *feed->record.mutable_head() = before;
      *feed->record.mutable_log_from() = before;
    }
  }
  places_.Proved(turn, *feed, *signer, header.signer_chain());
  Apply(turn, peer, *feed, *parsed, batch, std::move(frame));
}

absl::Status Receiver::CheckRules(const FeedState* feed, const ParsedBatch& parsed,
                                  const v1::SignedBatch& batch) {
  const v1::BatchHeader& header = parsed.header;
  const auto broken = [](absl::string_view text) {
    return Error(absl::StatusCode::kInvalidArgument, "rule_broken", text);
  };
  if (feed != nullptr && feed->record.closed())
    return broken("nothing may follow the end of a feed");
  // Of a snapshot's date nothing follows. An epoch may begin earlier: after a clock that was wrong.
  if (feed != nullptr && feed->record.log_batches() > 0 && header.prev() > 0 &&
      TimeOf(header.signed_at()) < TimeOf(feed->record.last_signed_at())) {
    return broken("signed before the batch that it follows");
  }
  // Rows are counted where they are read; a relay does not look at them.
  if (header.encoding() != v1::ENCODING_RECORDS || header.sealing() > v1::SEALING_NONE)
    return absl::OkStatus();
  const absl::StatusOr<std::string> payload = DecodePayload(header.compression(), batch.payload());
  v1::Records records;
  if (!payload.ok() || !records.ParseFromString(*payload)) return absl::OkStatus();
  if (static_cast<uint64_t>(records.records_size()) == header.last() - header.prev())
    return absl::OkStatus();
  return broken(absl::StrCat("it holds ", records.records_size(), " records and numbers ",
                             header.last() - header.prev()));
}

Receiver::Continuity Receiver::Compare(const FeedState& feed, const ParsedBatch& parsed,
                                       const v1::SignedBatch& batch) const {
  const v1::BatchHeader& header = parsed.header;
  const v1::Position& head = feed.record.head();
  if (header.epoch().number() < head.epoch().number()) {
    return IsSuperseded(core_, feed, PositionOf(header, parsed.chain_hash))
               ? Continuity::kSuperseded
               : Continuity::kRepeat;
  }
  if (header.epoch().number() == head.epoch().number()) {
    if (header.epoch().id() != head.epoch().id()) return Continuity::kFork;
    if (header.last() <= head.sequence()) {
      const Place place = Locate(core_, feed, PositionOf(header, parsed.chain_hash));
      return place == Place::kFork ? Continuity::kFork : Continuity::kRepeat;
    }
    if (header.prev() > head.sequence()) return Continuity::kGap;
    if (header.prev() < head.sequence() || header.prev_hash() != head.chain_hash())
      return Continuity::kFork;
    return Continuity::kNext;
  }
  if (header.prev() != 0) return Continuity::kGap;
  absl::StatusOr<v1::Position> predecessor = PredecessorOf(header, batch);
  if (!predecessor.ok()) return Continuity::kSnapshot;
  if (SamePosition(*predecessor, head) && header.prev_hash() == head.chain_hash())
    return Continuity::kNext;
  const bool behind =
      predecessor->epoch().id() == head.epoch().id() && head.sequence() < predecessor->sequence();
  return behind ? Continuity::kGap : Continuity::kSnapshot;
}

void Receiver::Apply(Turn& turn, Peer& peer, FeedState& feed, const ParsedBatch& parsed,
                     const v1::SignedBatch& batch, Bytes frame) {
  const bool was_closed = feed.record.closed();
  Given(turn, feed.key);
  AppendBatch(core_, turn, feed, parsed, batch, std::move(frame));
  if (auto it = core_.subscriptions.find(feed.key); it != core_.subscriptions.end()) {
    storage::v1::StoredInterest& interest = it->second;
    if (feed.record.closed() && !was_closed) {
      // The provider ended the dataset: the copy goes, the record of it stays in the log for those
      // behind us.
      interest.set_ended(true);
      turn.writes().Put(SubscriptionKey(interest.code()), interest.SerializeAsString());
      if (feed.table.has_value()) feed.table->Drop(MarkOf(feed.record.log_from()), &turn.writes());
      feed.table.reset();
      feed.record.set_applied(false);
      SaveFeed(core_, turn, feed);
      core_.subscriptions.erase(it);
    }
  }
  if (feed.wants_snapshot) AskSnapshot(turn, feed, feed.snapshot_from);
  turn.when_durable.push_back([this, key = feed.key, from = peer.who.link](Turn& later) {
    AfterDurable(later, key, from);
  });
  if (feed.own) return origin_.Recovered(turn, feed, &peer);
  sender_.Forward(turn, feed);
}

void Receiver::AfterDurable(Turn& turn, const FeedKey& key, LinkId from) {
  FeedState* feed = core_.Find(key);
  if (feed == nullptr) return;
  if (from != 0) Ack(turn, from, *feed);
  sender_.Advance(turn, *feed);
}

void Receiver::Ack(Turn& turn, LinkId link, const FeedState& feed) {
  v1::Acks& acks = turn.acks[link];
  for (v1::FeedPosition& ack : *acks.mutable_acks()) {
    if (ack.feed_key() != feed.key.bytes()) continue;
    *ack.mutable_position() = feed.durable;
    return;
  }
  v1::FeedPosition* ack = acks.add_acks();
  ack->set_feed_key(feed.key.str());
  *ack->mutable_position() = feed.durable;
}

void Receiver::Reject(Turn& turn, Peer& peer, const v1::FeedId& id, const FeedState* feed,
                      v1::NackReason reason, absl::string_view text) {
  const FeedKey key = FeedKey::Of(id);
  if (reason == v1::NACK_REASON_GAP && feed != nullptr) {
    // A burst behind one gap asks once.
    FeedState* state = core_.Find(key);
    if (turn.now - state->nacked_at < absl::Milliseconds(200)) return;
    state->nacked_at = turn.now;
  }
  ++peer.nacks_sent;
  v1::Frame frame;
  v1::Nack* nack = frame.mutable_nack();
  nack->set_feed_key(key.str());
  *nack->mutable_feed() = id;
  nack->set_reason(reason);
  nack->set_text(std::string(text));
  // Ordered, not durable: what is being committed needs no repeat.
  if (feed != nullptr && feed->record.head().epoch().number() > 0)
    *nack->mutable_have() = feed->record.head();
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
  if (reason != v1::NACK_REASON_GAP) {
    peer.text = absl::StrCat(v1::NackReason_Name(reason), ": ", text);
    turn.Alarm(absl::StrCat("link ", DisplayPath(peer.who.path), ": batch of feed ",
                            HexOf(key.bytes()), " refused: ", text));
  }
}

void Receiver::OnNack(Turn& turn, Peer& peer, const v1::Nack& nack) {
  ++peer.nacks_received;
  const FeedKey key = FeedKey::Of(nack.feed());
  FeedState* feed = core_.Find(key);
  switch (nack.reason()) {
    case v1::NACK_REASON_GAP:
    case v1::NACK_REASON_BAD_CHAIN: {
      v1::Fetch fetch;
      *fetch.mutable_feed() = nack.feed();
      if (nack.has_have()) *fetch.mutable_after() = nack.have();
      if (nack.reason() == v1::NACK_REASON_GAP) return sender_.OnGap(turn, peer, fetch);
      // The bytes may have been damaged on their way or be damaged here; a pause keeps a bad copy
      // from spinning.
      peer.text = nack.text();
      return;
    }
    case v1::NACK_REASON_BAD_SIGNER:
    case v1::NACK_REASON_RULE_BROKEN:
    case v1::NACK_REASON_CLOCK_AHEAD:
      peer.text = nack.text();
      turn.Alarm(absl::StrCat("link ", DisplayPath(peer.who.path), " refuses feed ",
                              HexOf(key.bytes()), ": ", nack.text()));
      if (nack.reason() == v1::NACK_REASON_CLOCK_AHEAD && feed != nullptr)
        RefusedByClock(turn, peer, *feed, nack);
      return;
    case v1::NACK_REASON_UNKNOWN_FEED:
      if (!nack.has_feed() && nack.feed_key().size() == kFeedKeyBytes)
        return places_.NotGiven(turn, peer, FeedKey::FromBytes(nack.feed_key()));
      return OnRefusal(turn, peer, nack);
    case v1::NACK_REASON_REFUSED:
    case v1::NACK_REASON_UNREACHABLE:
    case v1::NACK_REASON_BUDGET:
      return OnRefusal(turn, peer, nack);
    default:
      return;
  }
}

void Receiver::RefusedByClock(Turn& turn, Peer& peer, const FeedState& feed, const v1::Nack& nack) {
  if (nack.have().epoch().number() < feed.record.head().epoch().number()) {
    // The clock is right again and a new epoch is ordered: what was refused travels in a snapshot.
    v1::Fetch fetch;
    *fetch.mutable_feed() = nack.feed();
    *fetch.mutable_after() = nack.have();
    fetch.mutable_after()->set_sequence(nack.have().sequence() + 1);
    fetch.set_snapshot(true);
    return sender_.OnFetch(turn, peer, fetch);
  }
  if (!feed.own) return;
  // Newer than what it said when the link came up.
  peer.clock_offset = std::min(peer.clock_offset, -absl::Seconds(kClockAheadSeconds + 1));
  origin_.ClockCompared(turn);
}

void Receiver::Given(Turn& turn, const FeedKey& key) {
  core_.refusals.erase(key);
  auto it = core_.subscriptions.find(key);
  if (it == core_.subscriptions.end() || it->second.refused().empty()) return;
  it->second.clear_refused();
  turn.writes().Put(SubscriptionKey(it->second.code()), it->second.SerializeAsString());
}

void Receiver::OnRefusal(Turn& turn, Peer& peer, const v1::Nack& nack) {
  const FeedKey key = FeedKey::Of(nack.feed());
  // Only what we asked of this neighbour may be refused by it.
  if (!peer.ours.Wants(key)) return;
  core_.refusals[key] = nack;
  if (auto it = core_.subscriptions.find(key);
      it != core_.subscriptions.end() && it->second.refused() != nack.text()) {
    it->second.set_refused(nack.text());
    turn.writes().Put(SubscriptionKey(it->second.code()), it->second.SerializeAsString());
  }
  if (FeedState* feed = core_.Find(key); feed != nullptr && feed->wants_snapshot) {
    // The snapshot will not come; what is here in the meantime is no copy of anything.
    feed->load.reset();
    feed->wants_snapshot = false;
    core_.repairing.erase(key);
    if (feed->table.has_value()) feed->table->Drop(MarkOf(feed->record.log_from()), &turn.writes());
    feed->table.reset();
    feed->record.set_applied(false);
    feed->record.set_incomplete_since(0);
    turn.writes().Delete(SnapshotProgressKey(key));
    SaveFeed(core_, turn, *feed);
  }
  v1::Frame frame;
  *frame.mutable_nack() = nack;
  for (auto& [link, other] : core_.peers) {
    const Interests* theirs = core_.TheirInterests(other);
    if (link == peer.who.link || theirs == nullptr || !theirs->Wants(key)) continue;
    SendFrame(turn, other, v1::LANE_CONTROL, frame);
  }
}

}  // namespace guantong
