#include "relay/core/budgets.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "relay/core/log_cuts.h"

namespace guantong {

namespace {

uint64_t BytesOf(const FeedState& feed) {
  return feed.record.log_bytes() + feed.chunk_bytes + kFeedOverheadBytes;
}

}  // namespace

uint64_t KeptFor(const Core& core, const std::string& node_id) {
  auto theirs = core.wanted_by.find(node_id);
  if (theirs == core.wanted_by.end()) return 0;
  uint64_t bytes = 0;
  for (const auto& [key, wanted] : theirs->second.feeds()) {
    auto feed = core.feeds.find(key);
    if (feed != core.feeds.end() && feed->second.transit()) bytes += BytesOf(feed->second);
  }
  return bytes;
}

void Budgets::Enforce(Turn& turn) {
  core_.transit_grown = 0;
  const uint64_t budget = core_.options.child_disk_bytes;
  std::vector<std::pair<std::string, uint64_t>> over;
  for (const auto& [node, theirs] : core_.wanted_by) {
    auto path = core_.neighbour_paths.find(node);
    if (path == core_.neighbour_paths.end() || !core_.IsBelow(path->second)) continue;
    const uint64_t kept = KeptFor(core_, node);
    if (kept > budget) over.emplace_back(node, kept);
    auto paused = core_.paused.find(node);
    if (paused == core_.paused.end()) continue;
    std::erase_if(paused->second,
                  [&wants = theirs](const FeedKey& key) { return !wants.Wants(key); });
    // It asks again by itself for what it waits for.
    if (kept < budget / 2 || paused->second.empty()) core_.paused.erase(paused);
  }
  for (const auto& [node, kept] : over) Cut(turn, node, kept);
}

void Budgets::Cut(Turn& turn, const std::string& node_id, uint64_t kept) {
  const Interests& theirs = core_.wanted_by.at(node_id);
  const uint64_t aim = core_.options.child_disk_bytes / 4 * 3;
  std::vector<FeedState*> feeds;
  for (const auto& [key, wanted] : theirs.feeds()) {
    FeedState* feed = core_.Find(key);
    if (feed != nullptr && feed->transit()) feeds.push_back(feed);
  }
  std::stable_sort(feeds.begin(), feeds.end(), [](const FeedState* a, const FeedState* b) {
    return BytesOf(*a) > BytesOf(*b);
  });
  for (FeedState* feed : feeds) {
    if (kept <= aim) return;
    const uint64_t before = BytesOf(*feed);
    TrimLog(core_, turn, *feed, 0);
    if (feed->chunk_bytes > 0) {
      turn.writes().DeleteRange(ChunkPrefix(feed->key), PrefixEnd(ChunkPrefix(feed->key)));
      feed->chunk_bytes = 0;
    }
    kept -= std::min(kept, before - std::min(before, BytesOf(*feed)));
  }
  Peer* peer = core_.FindPeer(node_id);
  std::set<FeedKey>& paused = core_.paused[node_id];
  const size_t already = paused.size();
  for (FeedState* feed : feeds) {
    if (kept <= aim) break;
    const FeedKey key = feed->key;
    if (!paused.insert(key).second) continue;
    const WantedFeed wanted = theirs.feeds().at(key);
    kept -= std::min(kept, BytesOf(*feed));
    if (peer != nullptr) {
      sender_.Stop(*peer, key);
      SayPaused(turn, *peer, wanted);
    }
    wants_.Refresh(turn, wanted);
    // What another child wants stays; the rest goes with the next sweep if it cannot go now.
    if (!wants_.Wanted(key, feed->origin_path) && feed->pending == 0) DropFeed(core_, turn, key);
  }
  if (paused.size() > already) {
    turn.Alarm(absl::StrCat("the child ", DisplayPath(core_.neighbour_paths.at(node_id)),
                            " has used up its disk budget of ", core_.options.child_disk_bytes,
                            " bytes: ", paused.size(), " feeds wait for room"));
  }
}

void Budgets::SayPaused(Turn& turn, const Peer& peer, const WantedFeed& wanted) const {
  v1::Frame frame;
  v1::Nack* nack = frame.mutable_nack();
  nack->set_feed_key(FeedKey::Of(wanted.feed).str());
  *nack->mutable_feed() = wanted.feed;
  nack->set_reason(v1::NACK_REASON_BUDGET);
  nack->set_text(
      "上级为本节点保留的磁盘空间已用完，腾出后自动继续 (the parent's disk budget for this node is "
      "used up)");
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
}

}  // namespace guantong
