#include "relay/core/log_repair.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/logged.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_cuts.h"
#include "relay/core/log_reads.h"

namespace guantong {

namespace {

// After the last batch that came, and where none comes.
constexpr absl::Duration kNextAfter = absl::Seconds(1);
constexpr absl::Duration kAnswerWithin = absl::Seconds(5);
constexpr absl::Duration kGivenUpAfter = absl::Minutes(10);
// What is not given up is asked for at this pace.
constexpr absl::Duration kAskedInVainEvery = absl::Minutes(1);

constexpr char kNobodyHasThem[] =
    "数据文件损坏，十分钟内没有邻居给回缺失的数据块，仍在取回；取不到就从备份恢复 (blocks of rows "
    "were lost "
    "with a damaged file, and for ten minutes no neighbour has given any back; they are asked for "
    "still, and where nobody has them only a backup does)";

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
  const size_t bytes_max = core_.options.feed_log_bytes_max / (record.blocks_awaited() ? 1 : 2);
  if (!before.ok() || record.log_bytes() + bytes > bytes_max) {
    End(turn, feed, "it is as long as it may be");
    return true;
  }
  PutLogged(feed.key, feed.own, header, batch, &turn.writes());
  if (feed.table.has_value()) {
    feed.table->pins().TakeBack(LogBlockKey(feed.key, header.epoch().number(), header.last()),
                                &turn.writes());
  }
  core_.chains.Keep(header.signer_chain(), &turn.writes());
  *record.mutable_log_from() = *before;
  record.set_log_bytes(record.log_bytes() + bytes);
  record.set_log_batches(record.log_batches() + 1);
  if (feed.transit()) core_.transit_grown += bytes;
  feed.log_ask.progress_at = turn.now;
  if (MarkOf(record.log_from()) <= MarkOf(record.log_lost_from())) {
    if (record.blocks_awaited()) BlocksAreBack(feed);
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
    const bool in_vain = turn.now - ask.progress_at >= kGivenUpAfter;
    if (in_vain && !feed->record.blocks_awaited()) {
      End(turn, *feed, "no neighbour has the rest of it");
      continue;
    }
    if (in_vain) Despair(turn, *feed);
    const bool went_on = ask.progress_at > ask.asked_at;
    const absl::Time last = std::max(ask.progress_at, ask.asked_at);
    const bool begun = ask.asked_at != absl::InfinitePast();
    const absl::Duration pace = in_vain ? kAskedInVainEvery : kAnswerWithin;
    if (begun && turn.now - last < (went_on ? kNextAfter : pace)) continue;
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

void LogRepair::BlocksAreBack(FeedState& feed) {
  feed.record.set_blocks_awaited(false);
  feed.record.set_incomplete_since(0);
  feed.record.clear_fault_text();
  feed.merge_failed = false;
  if (feed.table.has_value() && feed.table->needs_merge()) core_.merging.insert(feed.key);
}

void LogRepair::Despair(Turn& turn, FeedState& feed) {
  if (feed.record.fault_text() == kNobodyHasThem) return;
  feed.record.set_fault_text(kNobodyHasThem);
  SaveFeed(core_, turn, feed);
  turn.Alarm(absl::StrCat("rows of ", feed.record.feed().resource(), ": ", kNobodyHasThem));
}

void LogRepair::End(Turn& turn, FeedState& feed, absl::string_view why) {
  turn.Alarm(absl::StrCat("log of feed ", HexOf(feed.key.bytes()), " ",
                          feed.record.feed().resource(), ", shortened by damage, begins after ",
                          feed.record.log_from().sequence(), " now: ", why));
  LeaveLogDamage(feed.record);
  feed.log_ask = LogAsk();
  core_.shortened.erase(feed.key);
  SaveFeed(core_, turn, feed);
}

}  // namespace guantong
