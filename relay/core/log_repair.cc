#include "relay/core/log_repair.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/logged.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_reads.h"

namespace guantong {

namespace {

// After the last batch that came, and where none comes.
constexpr absl::Duration kNextAfter = absl::Seconds(1);
constexpr absl::Duration kAnswerWithin = absl::Seconds(5);
constexpr absl::Duration kGivenUpAfter = absl::Minutes(10);

// Where the log stands before this batch.
absl::StatusOr<v1::Position> Before(const v1::BatchHeader& header, const v1::SignedBatch& batch) {
  if (header.prev() == 0 && header.epoch().number() > 1) return PredecessorOf(header, batch);
  v1::Position before;
  if (header.prev() == 0) return before;
  *before.mutable_epoch() = header.epoch();
  before.set_sequence(header.prev());
  before.set_chain_hash(header.prev_hash());
  return before;
}

}  // namespace

bool LogRepair::Takes(Turn& turn, Peer& peer, FeedState& feed, const ParsedBatch& parsed,
                      const v1::SignedBatch& batch) {
  storage::v1::FeedRecord& record = feed.record;
  const v1::BatchHeader& header = parsed.header;
  if (!record.has_log_lost_from() ||
      !SamePosition(PositionOf(header, parsed.chain_hash), record.log_from())) {
    return false;
  }
  const VerifiedChain* signer = core_.chains.Find(header.signer_chain());
  if (signer == nullptr ||
      !CheckBatchSignature(parsed, batch, *signer, core_.chains.network()).ok()) {
    ++peer.frames_rejected;
    return true;
  }
  const size_t bytes = batch.header().size() + batch.payload().size();
  const absl::StatusOr<v1::Position> before = Before(header, batch);
  if (!before.ok() || record.log_bytes() + bytes > core_.options.feed_log_bytes_max / 2) {
    End(turn, feed, "it is as long as it may be");
    return true;
  }
  PutLogged(feed.key, feed.own, header, batch, &turn.writes());
  core_.chains.Keep(header.signer_chain(), &turn.writes());
  *record.mutable_log_from() = *before;
  record.set_log_bytes(record.log_bytes() + bytes);
  record.set_log_batches(record.log_batches() + 1);
  if (feed.transit()) core_.transit_grown += bytes;
  feed.log_ask.progress_at = turn.now;
  if (MarkOf(record.log_from()) <= MarkOf(record.log_lost_from())) {
    End(turn, feed, absl::StrCat("whole again with what ", DisplayPath(peer.who.path), " holds"));
  } else {
    SaveFeed(core_, turn, feed);
  }
  return true;
}

void LogRepair::Give(Turn& turn, Peer& peer, const FeedState& feed, const v1::Fetch& fetch) {
  if (turn.now - peer.log_given_at >= kNextAfter) {
    peer.log_given_at = turn.now;
    peer.log_given_bytes = 0;
  }
  v1::Position at = fetch.until();
  std::string chain;
  while (peer.log_given_bytes < core_.options.link_window_bytes / 4) {
    std::string logged;
    if (MarkOf(at) <= MarkOf(fetch.after()) || MarkOf(at) > MarkOf(feed.durable) ||
        !core_.store->Get(LogKey(feed.key, at.epoch().number(), at.sequence()), &logged).ok()) {
      return;
    }
    absl::StatusOr<v1::SignedBatch> batch = ReadLogged(*core_.store, feed.key, logged);
    if (!batch.ok()) return;
    const absl::StatusOr<ParsedBatch> parsed = ParseBatch(*batch);
    if (!parsed.ok() || !SamePosition(PositionOf(parsed->header, parsed->chain_hash), at)) return;
    const absl::StatusOr<v1::Position> before = Before(parsed->header, *batch);
    if (!before.ok() || core_.chains.Find(parsed->header.signer_chain()) == nullptr) return;
    if (parsed->header.signer_chain() != chain) {
      chain = parsed->header.signer_chain();
      v1::Frame certificates;
      *certificates.mutable_chain() = core_.chains.Certificates(chain);
      SendFrame(turn, peer, v1::LANE_BULK, certificates);
    }
    peer.log_given_bytes += batch->header().size() + batch->payload().size();
    v1::Frame frame;
    *frame.mutable_batch() = *std::move(batch);
    SendFrame(turn, peer, v1::LANE_BULK, frame);
    at = *before;
  }
}

const Peer* LogRepair::NextToAsk(const FeedState& feed) {
  const auto asked = [&](const Peer& peer) {
    return feed.log_ask.asked.count(peer.who.node_id) > 0;
  };
  const Peer* const upstream = core_.NextHop(feed.origin_path);
  if (upstream != nullptr && !asked(*upstream)) return upstream;
  for (const auto& [link, peer] : core_.peers) {
    if (peer.outgoing.count(feed.key) > 0 && !asked(peer)) return &peer;
  }
  return nullptr;
}

void LogRepair::Tend(Turn& turn) {
  const std::vector<FeedKey> shortened(core_.shortened.begin(), core_.shortened.end());
  for (const FeedKey& key : shortened) {
    FeedState* feed = core_.Find(key);
    if (feed == nullptr || !feed->record.has_log_lost_from()) {
      core_.shortened.erase(key);
      continue;
    }
    LogAsk& ask = feed->log_ask;
    if (ask.progress_at == absl::InfinitePast()) ask.progress_at = turn.now;
    if (turn.now - ask.progress_at >= kGivenUpAfter) {
      End(turn, *feed, "no neighbour has the rest of it");
      continue;
    }
    const bool went_on = ask.progress_at > ask.asked_at;
    const absl::Time last = std::max(ask.progress_at, ask.asked_at);
    const bool begun = ask.asked_at != absl::InfinitePast();
    if (begun && turn.now - last < (went_on ? kNextAfter : kAnswerWithin)) continue;
    if (went_on) ask.asked.clear();  // the same one has more
    const Peer* peer = NextToAsk(*feed);
    if (peer == nullptr) {
      ask.asked.clear();  // whoever was away may be back
      continue;
    }
    ask.asked.insert(peer->who.node_id);
    ask.asked_at = turn.now;
    v1::Frame frame;
    v1::Fetch* fetch = frame.mutable_fetch();
    *fetch->mutable_feed() = feed->record.feed();
    *fetch->mutable_after() = feed->record.log_lost_from();
    *fetch->mutable_until() = feed->record.log_from();
    SendFrame(turn, *peer, v1::LANE_CONTROL, frame);
  }
}

void LogRepair::End(Turn& turn, FeedState& feed, absl::string_view why) {
  turn.Alarm(absl::StrCat("log of feed ", HexOf(feed.key.bytes()), " ",
                          feed.record.feed().resource(), ", shortened by damage, begins after ",
                          feed.record.log_from().sequence(), " now: ", why));
  feed.record.clear_log_lost_from();
  feed.log_ask = LogAsk();
  core_.shortened.erase(feed.key);
  SaveFeed(core_, turn, feed);
}

}  // namespace guantong
