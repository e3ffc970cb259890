// Durable before promised (L3): when a node acknowledges, or sends a batch of its own, its store
// has committed that much.
#include "absl/strings/str_cat.h"
#include "guantong/storage/v1/store.pb.h"
#include "tests/sim/checkers.h"

namespace guantong::sim {

namespace {

bool Committed(const Node& node, const FeedKey& feed, uint64_t epoch, uint64_t sequence) {
  std::string bytes;
  storage::v1::FeedRecord record;
  if (!node.store().Get(FeedRecordKey(feed), &bytes).ok() || !record.ParseFromString(bytes))
    return false;
  return std::make_pair(record.head().epoch().number(), record.head().sequence()) >=
         std::make_pair(epoch, sequence);
}

}  // namespace

void CheckPromise(World& world, const Node& from, const std::string& bytes) {
  v1::Frame frame;
  if (!frame.ParseFromString(bytes))
    return world.Wrong(absl::StrCat(from.name(), " sends what is no frame"));
  for (const v1::FeedPosition& ack : frame.acks().acks()) {
    const v1::Position& at = ack.position();
    if (at.epoch().number() == 0) continue;
    if (!Committed(from, FeedKey::FromBytes(ack.feed_key()), at.epoch().number(), at.sequence())) {
      world.Wrong(absl::StrCat(from.name(), " acknowledges ", at.epoch().number(), ".",
                               at.sequence(), " and has not committed it"));
    }
  }
  v1::BatchHeader header;
  if (!frame.has_batch() || !header.ParseFromString(frame.batch().header()) ||
      header.feed().origin() != from.id()) {
    return;
  }
  if (!Committed(from, FeedKey::Of(header.feed()), header.epoch().number(), header.last())) {
    world.Wrong(absl::StrCat(from.name(), " sends ", header.epoch().number(), ".", header.last(),
                             " of its own and has not committed it"));
  }
}

}  // namespace guantong::sim
