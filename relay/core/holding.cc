// The snapshot a feed holds for others: made here or passed on, its chunks, and what asks for them.
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/batch.h"
#include "relay/core/feed_log.h"
#include "relay/core/receiver.h"

namespace guantong {

const v1::ChunkRef* HeldManifest::Find(const std::string& hash) {
  if (by_hash.empty()) {
    for (int i = 0; i < manifest.chunks_size(); ++i) by_hash.emplace(manifest.chunks(i).hash(), i);
  }
  const auto found = by_hash.find(hash);
  return found == by_hash.end() ? nullptr : &manifest.chunks(found->second);
}

void Receiver::Hold(Turn& turn, FeedState& feed, const v1::SignedManifest& signed_manifest,
                    const v1::Manifest& manifest) {
  // Chunks that both have stay: a snapshot after a small change costs the small change.
  std::set<std::string> kept;
  for (const v1::ChunkRef& chunk : manifest.chunks()) kept.insert(chunk.hash());
  if (feed.held.has_value()) {
    for (const v1::ChunkRef& chunk : feed.held->manifest.chunks()) {
      if (kept.count(chunk.hash()) == 0) turn.writes().Delete(ChunkKey(feed.key, chunk.hash()));
    }
  }
  if (feed.table.has_value()) {
    feed.table->pins().Unname([&](const std::string& hash) { return kept.count(hash) > 0; },
                              &turn.writes());
  }
  feed.chunk_bytes = 0;  // as far as they have come
  feed.held =
      HeldManifest{.signed_manifest = signed_manifest, .manifest = manifest, .used_at = turn.now};
  turn.writes().Put(ManifestKey(feed.key), signed_manifest.SerializeAsString());
  core_.chains.Keep(manifest.signer_chain(), &turn.writes());
}

bool Receiver::ReadChunk(const FeedState& feed, const std::string& hash, std::string* chunk) const {
  const std::string* block = feed.table.has_value() ? feed.table->pins().Find(hash) : nullptr;
  return (block != nullptr && core_.store->Get(*block, chunk).ok()) ||
         core_.store->Get(ChunkKey(feed.key, hash), chunk).ok();
}

void Receiver::OnChunkRequest(Turn& turn, Peer& peer, const v1::ChunkRequest& request) {
  const FeedKey key = FeedKey::Of(request.feed());
  FeedState* feed = core_.Find(key);
  v1::Frame answer;
  v1::Chunk* chunk = answer.mutable_chunk();
  chunk->set_hash(request.hash());
  *chunk->mutable_feed() = request.feed();
  const bool origin_asks = request.feed().origin() == peer.who.node_id;
  if (feed == nullptr || (!sender_.Flows(peer, *feed) && !origin_asks)) {
    chunk->set_absent(true);
    return SendFrame(turn, peer, v1::LANE_BULK, answer);
  }
  if (auto it = peer.outgoing.find(key); it != peer.outgoing.end())
    it->second.progress_at = turn.now;
  if (feed->held.has_value()) feed->held->used_at = turn.now;
  if (ReadChunk(*feed, request.hash(), chunk->mutable_data())) {
    return SendFrame(turn, peer, v1::LANE_BULK, answer);
  }
  Peer* upstream = core_.NextHop(feed->origin_path);
  const v1::ChunkRef* known = nullptr;
  if (feed->held.has_value()) {
    known = feed->held->Find(request.hash());
  }
  // Lost here, where it was made: the next snapshot makes it again.
  const bool lost = known != nullptr && feed->own;
  if (known == nullptr || feed->own || upstream == nullptr || upstream == &peer) {
    if (lost) LoseManifest(turn, *feed);
    chunk->set_absent(true);
    return SendFrame(turn, peer, v1::LANE_BULK, answer);
  }
  peer.chunks_wanted.insert(key.str() + request.hash());
  AskChunk(turn, *upstream, *feed, *known);
}

// The other chunks stay for the next one.
void Receiver::LoseManifest(Turn& turn, FeedState& feed) {
  turn.writes().Delete(ManifestKey(feed.key));
  feed.held.reset();
  feed.chunk_bytes = 0;
}

// An engine that was thrown away may have asked for it, and blocks have gone since.
absl::Status Receiver::CheckNames(const FeedState& feed,
                                  const std::vector<ChunkName>& names) const {
  for (const ChunkName& name : names) {
    if (!feed.table.has_value() ||
        !feed.table->Stands(name.block, MarkOf(feed.record.log_from()))) {
      return absl::AbortedError("blocks that it names are gone; it is made again when asked for");
    }
  }
  return absl::OkStatus();
}

void Receiver::OnSnapshotMade(Turn& turn, SnapshotMade event) {
  FeedState* feed = core_.Find(event.feed);
  if (feed == nullptr) return;
  feed->making_manifest = false;
  absl::Status made = event.snapshot.status();
  if (made.ok()) made = CheckNames(*feed, event.snapshot->names);
  if (!made.ok()) {
    if (feed->table.has_value()) feed->table->pins().Settle(&turn.writes());
    turn.Alarm(
        absl::StrCat("snapshot of feed ", HexOf(event.feed.bytes()), " failed: ", made.message()));
    return;
  }
  v1::Manifest manifest = std::move(event.snapshot->manifest);
  manifest.set_signer_chain(core_.own_chain_digest);
  *manifest.mutable_signed_at() = ToTimestamp(turn.now);
  *manifest.mutable_cuts() = feed->record.cuts();
  Hold(turn, *feed, SealManifest(manifest, core_.identity.key, core_.chains.network()), manifest);
  if (feed->table.has_value()) {
    BlockPins& pins = feed->table->pins();
    for (const ChunkName& name : event.snapshot->names) pins.Name(name, &turn.writes());
    pins.Settle(&turn.writes());
  }
  turn.when_durable.push_back([this, key = event.feed](Turn& later) {
    FeedState* state = core_.Find(key);
    if (state != nullptr && state->held.has_value()) sender_.ManifestHeld(later, *state);
  });
}

}  // namespace guantong
