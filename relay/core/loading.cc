// The snapshot half of Receiver: manifests and chunks coming in, loading and switching.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/facts.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_cuts.h"
#include "relay/core/receiver.h"

namespace guantong {

void Receiver::AskSnapshot(Turn& turn, FeedState& feed, Mark from) {
  feed.wants_snapshot = true;
  feed.snapshot_from = std::max(feed.snapshot_from, from);
  core_.repairing.insert(feed.key);
  Peer* upstream = core_.NextHop(feed.origin_path);
  if (upstream == nullptr || turn.now - feed.manifest_asked_at < absl::Seconds(1)) return;
  feed.manifest_asked_at = turn.now;
  v1::Frame frame;
  *frame.mutable_fetch()->mutable_feed() = feed.record.feed();
  frame.mutable_fetch()->set_snapshot(true);
  frame.mutable_fetch()->mutable_after()->mutable_epoch()->set_number(feed.snapshot_from.first);
  frame.mutable_fetch()->mutable_after()->set_sequence(feed.snapshot_from.second);
  SendFrame(turn, *upstream, v1::LANE_CONTROL, frame);
}

void Receiver::OnManifest(Turn& turn, Peer& peer, const v1::SignedManifest& signed_manifest) {
  absl::StatusOr<v1::Manifest> manifest = ParseManifest(signed_manifest);
  if (!manifest.ok() || static_cast<size_t>(manifest->chunks_size()) > kChunksPerManifestMax) {
    ++peer.frames_rejected;
    return;
  }
  const VerifiedChain* signer = core_.chains.Find(manifest->signer_chain());
  if (signer == nullptr) return;  // its chain was lost on the way; the sender repeats both
  if (absl::Status checked =
          CheckManifestSignature(*manifest, signed_manifest, *signer, core_.chains.network());
      !checked.ok()) {
    ++peer.frames_rejected;
    turn.Alarm(absl::StrCat("link ", DisplayPath(peer.who.path),
                            ": snapshot manifest refused: ", checked.message()));
    return;
  }
  if (places_.Outdated(turn, peer, *signer)) return;
  if (!MayComeFrom(peer, manifest->feed(), signer->path)) return;
  const FeedKey key = FeedKey::Of(manifest->feed());
  FeedState* feed = core_.Find(key);
  if (manifest->feed().origin() == core_.self_id() &&
      (feed == nullptr || !feed->recovery.has_value()))
    return;
  if (feed == nullptr) {
    if (!MayOpen(turn, peer, manifest->feed(), signer->path)) return;
    feed =
        &OpenFeed(core_, turn, manifest->feed(), signer->path, core_.subscriptions.count(key) > 0);
  }
  Given(turn, key);
  const Mark at = MarkOf(manifest->at());
  if (feed->load != nullptr && SamePosition(feed->load->manifest.at(), manifest->at())) return;
  if (feed->wants_snapshot && at < feed->snapshot_from) return;
  const bool fresh = feed->record.head().epoch().number() == 0;
  const Mark head = MarkOf(feed->record.head());
  const bool for_others =
      std::exchange(feed->manifest_for_others, false) && !fresh && feed->passed_over_at != head;
  if (!feed->wants_snapshot && (for_others || at <= head)) {
    if (at > head) feed->passed_over_at = head;
    // Our log goes on by itself; those behind us get the manifest once it has come to there.
    Hold(turn, *feed, signed_manifest, *manifest);
    Ack(turn, peer.who.link, *feed);
    return sender_.ManifestHeld(turn, *feed);
  }
  places_.Proved(turn, *feed, *signer, manifest->signer_chain());
  Hold(turn, *feed, signed_manifest, *manifest);
  if (feed->kind() == v1::FEED_KIND_ROWS && !feed->record.applied()) {
    // A relay keeps no table: it goes on from the manifest and hands out chunks as they are asked
    // for.
    MoveTo(core_, turn, *feed, *manifest);
    turn.when_durable.push_back([this, key, from = peer.who.link](Turn& later) {
      AfterDurable(later, key, from);
      if (FeedState* state = core_.Find(key)) sender_.ManifestHeld(later, *state);
    });
    return;
  }
  BeginLoad(turn, *feed, peer.who.link);
}

void Receiver::BeginLoad(Turn& turn, FeedState& feed, LinkId from) {
  feed.wants_snapshot = true;
  core_.repairing.insert(feed.key);
  feed.load = std::make_unique<SnapshotLoad>();
  feed.load->signed_manifest = feed.held->signed_manifest;
  feed.load->manifest = feed.held->manifest;
  feed.load->progress_at = turn.now;
  feed.load->from = from;
  storage::v1::SnapshotProgress progress;
  *progress.mutable_manifest() = feed.load->signed_manifest;
  turn.writes().Put(SnapshotProgressKey(feed.key), progress.SerializeAsString());
  if (feed.table.has_value()) feed.table->BeginStaging(&turn.writes());
  SaveFeed(core_, turn, feed);
  sender_.ManifestHeld(turn, feed);
  StageArrived(turn, feed);
}

void Receiver::AskChunks(Turn& turn, FeedState& feed) {
  SnapshotLoad& load = *feed.load;
  Peer* upstream = core_.NextHop(feed.origin_path);
  // Our own tail comes back from whoever holds it.
  if (feed.own) upstream = core_.FindPeer(load.from);
  while (load.asked < load.manifest.chunks_size() &&
         load.asked - load.next_chunk < static_cast<int>(core_.options.chunks_in_flight)) {
    const std::string& hash = load.manifest.chunks(load.asked).hash();
    std::string chunk;
    if (ReadChunk(feed, hash, &chunk)) {
      load.arrived[hash] = std::move(chunk);
    } else if (upstream != nullptr) {
      AskChunk(turn, *upstream, feed, load.manifest.chunks(load.asked));
    }
    ++load.asked;
  }
}

void Receiver::AskChunk(Turn& turn, Peer& of, const FeedState& feed, const v1::ChunkRef& chunk) {
  of.chunks.GiveUp(core_.options.resend_after / 4, turn.now);
  of.chunks.Ask({feed.key, chunk.hash()}, chunk.bytes());
  PumpAsks(turn, of);
}

void Receiver::PumpAsks(Turn& turn, Peer& of) {
  while (auto name = of.chunks.Next(core_.options.link_window_bytes, turn.now)) {
    const FeedState* feed = core_.Find(name->first);
    if (feed == nullptr) {
      of.chunks.Received(*name, turn.now);
      continue;
    }
    v1::Frame frame;
    *frame.mutable_chunk_request()->mutable_feed() = feed->record.feed();
    frame.mutable_chunk_request()->set_hash(name->second);
    SendFrame(turn, of, v1::LANE_CONTROL, frame);
  }
}

void Receiver::StageArrived(Turn& turn, FeedState& feed) {
  SnapshotLoad& load = *feed.load;
  while (true) {
    AskChunks(turn, feed);
    if (load.next_chunk == load.manifest.chunks_size()) return FinishLoad(turn, feed);
    auto it = load.arrived.find(load.manifest.chunks(load.next_chunk).hash());
    if (it == load.arrived.end()) return;
    absl::Status staged;
    if (feed.table.has_value()) {
      v1::RowBatch rows;
      if (load.manifest.encoding() == v1::ENCODING_SORTED_ROWS) {
        staged = feed.table->StageBlock(it->first, it->second, &turn.writes());
      } else if (rows.ParseFromString(it->second)) {
        staged = feed.table->Stage(rows, &turn.writes());
      } else {
        staged = absl::InvalidArgumentError("chunk does not parse");
      }
    } else {
      v1::Records records;
      if (records.ParseFromString(it->second)) {
        load.records.mutable_records()->MergeFrom(records.records());
      } else {
        staged = absl::InvalidArgumentError("chunk does not parse");
      }
    }
    if (!staged.ok()) {
      turn.Alarm(
          absl::StrCat("snapshot of feed ", HexOf(feed.key.bytes()), ": ", staged.message()));
      feed.load.reset();
      return;
    }
    ++load.next_chunk;
    load.progress_at = turn.now;
    // The same chunk may stand twice in a manifest; keep it while it is still ahead.
    bool again = false;
    for (int i = load.next_chunk; i < load.asked; ++i)
      again |= load.manifest.chunks(i).hash() == it->first;
    if (!again) load.arrived.erase(it);
  }
}

void Receiver::FinishLoad(Turn& turn, FeedState& feed) {
  const v1::Manifest manifest = feed.load->manifest;
  if (feed.table.has_value()) {
    feed.table->Switch(manifest, &turn.writes());
    feed.merge_failed = false;
    if (feed.table->needs_merge()) core_.merging.insert(feed.key);
  } else {
    absl::StatusOr<SkippedFacts> replaced = ReplaceRecords(
        *core_.store, feed.record.feed(), feed.proved_path, feed.load->records, &turn.writes());
    if (!replaced.ok()) {
      turn.Alarm(absl::StrCat("snapshot of feed ", HexOf(feed.key.bytes()), ": ",
                              replaced.status().message()));
      feed.load.reset();
      return;
    }
    CountSkipped(turn, feed, *replaced);
  }
  MoveTo(core_, turn, feed, manifest);
  feed.record.set_records_received(feed.record.records_received() + manifest.records());
  SaveFeed(core_, turn, feed);
  turn.writes().Delete(SnapshotProgressKey(feed.key));
  const LinkId from = feed.load->from;
  feed.load.reset();
  turn.when_durable.push_back(
      [this, key = feed.key, from](Turn& later) { AfterDurable(later, key, from); });
  if (feed.own) origin_.Recovered(turn, feed, core_.FindPeer(from));
}

void Receiver::OnChunk(Turn& turn, Peer& peer, v1::Chunk chunk) {
  const FeedKey key = FeedKey::Of(chunk.feed());
  peer.chunks.Received({key, chunk.hash()}, turn.now);
  PumpAsks(turn, peer);
  FeedState* feed = core_.Find(key);
  if (feed == nullptr || !feed->held.has_value()) return;
  // From whoever it was asked of; another could say of any that it is gone.
  const Peer* upstream = core_.NextHop(feed->origin_path);
  if (feed->own) upstream = feed->load == nullptr ? nullptr : core_.FindPeer(feed->load->from);
  if (upstream != &peer) {
    ++peer.frames_rejected;
    return;
  }
  const bool ours = feed->held->Find(chunk.hash()) != nullptr;
  if (!ours || (!chunk.absent() && Sha256(chunk.data()) != chunk.hash())) {
    ++peer.frames_rejected;
    return;
  }
  bool wanted = false;
  for (auto& [link, other] : core_.peers)
    wanted |= other.chunks_wanted.count(key.str() + chunk.hash()) > 0;
  if (wanted) {
    v1::Frame frame;
    *frame.mutable_chunk() = chunk;
    for (auto& [link, other] : core_.peers) {
      if (other.chunks_wanted.erase(key.str() + chunk.hash()) > 0)
        SendFrame(turn, other, v1::LANE_BULK, frame);
    }
  }
  if (chunk.absent()) {
    LoseManifest(turn, *feed);
    if (feed->load == nullptr) return;
    feed->load.reset();
    return AskSnapshot(turn, *feed, {});
  }
  // What is further ahead was asked for by those behind us: it is in the store when our turn comes.
  bool next = false;
  bool awaited = false;
  if (feed->load != nullptr) {
    const v1::Manifest& manifest = feed->load->manifest;
    for (int i = feed->load->next_chunk; i < feed->load->asked; ++i)
      awaited |= manifest.chunks(i).hash() == chunk.hash();
    next = awaited && manifest.chunks(feed->load->next_chunk).hash() == chunk.hash() &&
           feed->table.has_value() && manifest.encoding() == v1::ENCODING_SORTED_ROWS;
  }
  // The next block of the table is stored as that. Passing through it is kept for the next child,
  // within half of one's budget; who wants more fetches it from where it was made.
  const bool room = !feed->transit() ||
                    feed->chunk_bytes + chunk.data().size() <= core_.options.child_disk_bytes / 2;
  if (!next && room) {
    turn.writes().Put(ChunkKey(key, chunk.hash()), chunk.data());
    feed->chunk_bytes += chunk.data().size();
  }
  if (!awaited) return;
  feed->load->arrived[chunk.hash()] = std::move(*chunk.mutable_data());
  StageArrived(turn, *feed);
}

void Receiver::Tend(Turn& turn) {
  const absl::Duration patience = core_.options.resend_after / 3;
  std::vector<FeedKey> repairing(core_.repairing.begin(), core_.repairing.end());
  for (const FeedKey& key : repairing) {
    FeedState* feed = core_.Find(key);
    if (feed == nullptr || (!feed->wants_snapshot && feed->load == nullptr)) {
      core_.repairing.erase(key);
      continue;
    }
    if (feed->load != nullptr) {
      if (turn.now - feed->load->progress_at < patience) continue;
      feed->load->progress_at = turn.now;
      feed->load->asked = feed->load->next_chunk;
      StageArrived(turn, *feed);
    } else if (turn.now - feed->manifest_asked_at >= patience) {
      AskSnapshot(turn, *feed, {});
    }
  }
}

}  // namespace guantong
