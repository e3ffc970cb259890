// What a node may take: of disk a log within its bound, with books that are right; of memory what
// its feeds and their newest batches need, whatever its neighbours do; of a link what its window
// allows.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "tests/sim/checkers.h"
#include "tests/sim/log_walk.h"

namespace guantong::sim {

namespace {

// An engine that holds nothing; and what is kept beside each feed for each neighbour that gets it.
constexpr int64_t kEngineBytes = 128 << 10;
constexpr int64_t kFeedBytes = 6 << 10;
constexpr int64_t kPeerBytes = 32 << 10;
// Who went elsewhere from below is remembered with the chain that proves it, as long as in the
// store; beside that its id and paths in three maps, and when each neighbour was told.
constexpr int64_t kDepartedBytes = 1 << 10;
// What a feed's chain grows by with each level below the fourth, where branches that move may
// stand: a certificate of some 450 bytes, held as a string and parsed.
constexpr int64_t kCertificateBytes = 512;
constexpr int64_t kUsualDepth = 4;

int64_t CountOf(const Node& node, const std::string& prefix) {
  int64_t count = 0;
  for (auto cursor = node.store().Scan(prefix, PrefixEnd(prefix)); cursor->Valid(); cursor->Next())
    ++count;
  return count;
}

}  // namespace

void CheckBounds(World& world, size_t index) {
  const Node& node = world.node(index);
  const EngineOptions& options = node.options();
  int64_t feeds = 0, logs = 0;
  ForEachFeed(node, [&](const storage::v1::FeedRecord& feed) {
    uint64_t bytes = 0, batches = 0, largest = 0;
    ForEachBatch(node, FeedKey::Of(feed.feed()), [&](const LoggedBatch& batch) {
      bytes += batch.bytes;
      ++batches;
      largest = std::max<uint64_t>(largest, batch.bytes);
    });
    ++feeds;
    logs += static_cast<int64_t>(bytes);
    if (bytes != feed.log_bytes() || batches != feed.log_batches()) {
      world.Wrong(absl::StrCat(NameOf(node, feed), ": its log has ", batches, " batches, ", bytes,
                               " bytes; its record says ", feed.log_batches(), ", ",
                               feed.log_bytes()));
    }
    // What came while the newest was still being committed goes when the next one comes.
    if (bytes > options.feed_log_bytes_max + options.link_window_bytes + largest) {
      world.Wrong(absl::StrCat(NameOf(node, feed), ": a log of ", bytes, " bytes, allowed are ",
                               options.feed_log_bytes_max));
    }
  });
  int64_t departed = 0;
  const std::string gone = KindPrefix(DepartedKey("")[0]);
  for (auto cursor = node.store().Scan(gone, PrefixEnd(gone)); cursor->Valid(); cursor->Next())
    departed += kDepartedBytes + static_cast<int64_t>(cursor->value().size());
  const auto peers = static_cast<int64_t>(world.children(index).size() + 1);
  const int64_t loading = CountOf(node, KindPrefix(SnapshotProgressKey(FeedKey())[0]));
  const int64_t chunks = static_cast<int64_t>(options.chunks_in_flight * kChunkBytesTarget);
  int64_t depth = kUsualDepth;
  for (size_t other = 0; other < world.size(); ++other)
    depth = std::max(depth, static_cast<int64_t>(world.node(other).path().depth()));
  const int64_t feed_bytes = kFeedBytes + (depth - kUsualDepth) * kCertificateBytes;
  const int64_t allowed = kEngineBytes + feeds * feed_bytes + peers * kPeerBytes + departed +
                          2 * std::min<int64_t>(logs, kTailBytesMax) + 2 * loading * chunks +
                          2 * node.bytes_to_commit() +
                          2 * static_cast<int64_t>(world.network().UnderWay(node));
  if (node.engine_bytes() > allowed) {
    world.Wrong(absl::StrCat(node.name(), ": its engine holds ", node.engine_bytes(), " bytes for ",
                             feeds, " feeds and ", peers, " neighbours, allowed are ", allowed));
  }
}

void CheckWindow(World& world, const Node& from, v1::Lane lane, const Network::Load& load) {
  const EngineOptions& options = from.options();
  const auto check = [&](absl::string_view what, uint64_t bytes, uint64_t allowed) {
    if (bytes <= allowed) return;
    world.Wrong(absl::StrCat(from.name(), " has ", bytes, " bytes ", what,
                             " under way on one link, allowed are ", allowed));
  };
  // A window, and a repeat of it that began when the first seemed lost. What goes when there was
  // room for a byte is a batch and the chain that signed it.
  if (lane == v1::LANE_CONTROL) {
    return check("of urgent batches", load.bytes[lane],
                 2 * (options.urgent_window_bytes + 2 * load.largest_frame));
  }
  check("of chunks", load.chunk_bytes, 2 * (options.link_window_bytes + load.largest_chunk));
  const uint64_t batches = load.bytes[lane] - load.chunk_bytes;
  const uint64_t windows = 2 * (options.link_window_bytes + load.largest_frame);
  if (batches <= windows) return;
  // And what is in no window: of each feed a manifest, or what proves a fork.
  const auto feeds = static_cast<uint64_t>(CountOf(from, KindPrefix('F')));
  check("of batches", batches, windows + 2 * feeds * load.largest_frame);
}

}  // namespace guantong::sim
