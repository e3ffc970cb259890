// Feeds coming in: the next verified batch of a wanted feed is applied and acknowledged once
// durable; anything else is asked for again, refused with its reason, or taken as a repeat.
// Snapshots are loaded beside what is readable and switched in one commit.
#ifndef GUANTONG_RELAY_CORE_RECEIVER_H_
#define GUANTONG_RELAY_CORE_RECEIVER_H_

#include "catalog/batch.h"
#include "relay/core/places.h"
#include "relay/core/sender.h"
#include "relay/core/state.h"

namespace guantong {

class Receiver {
 public:
  Receiver(Core* core, Sender* sender, Origin* origin, Disputes* disputes, LogRepair* log_repair,
           Places* places)
      : core_(*core),
        sender_(*sender),
        origin_(*origin),
        disputes_(*disputes),
        log_repair_(*log_repair),
        places_(*places) {}

  void OnChain(Turn& turn, Peer& peer, const v1::CertificateChain& chain);
  void OnBatch(Turn& turn, Peer& peer, const v1::SignedBatch& batch, Bytes frame);
  void OnNack(Turn& turn, Peer& peer, const v1::Nack& nack);
  void OnManifest(Turn& turn, Peer& peer, const v1::SignedManifest& signed_manifest);
  void OnChunkRequest(Turn& turn, Peer& peer, const v1::ChunkRequest& request);
  void OnChunk(Turn& turn, Peer& peer, v1::Chunk chunk);

  // An own snapshot has been made: sign it, keep it, hand it out.
  void OnSnapshotMade(Turn& turn, SnapshotMade event);

  // The feed cannot go on by the log: asks upstream for a manifest not older than `from`, at most
  // once a second.
  void AskSnapshot(Turn& turn, FeedState& feed, Mark from);

  // Repairs that had no answer are asked again; manifests that nobody uses go.
  void Tend(Turn& turn);

  // The feed's durable position moved here: acknowledge to `from` (0: nobody) and send on.
  void AfterDurable(Turn& turn, const FeedKey& key, LinkId from);

 private:
  enum class Continuity { kNext, kRepeat, kGap, kFork, kSnapshot, kSuperseded };
  // What a signature does not say: that nothing follows the end, dates do not go back, records are
  // as many as are numbered. `feed` may be null.
  static absl::Status CheckRules(const FeedState* feed, const ParsedBatch& parsed,
                                 const v1::SignedBatch& batch);
  Continuity Compare(const FeedState& feed, const ParsedBatch& parsed,
                     const v1::SignedBatch& batch) const;
  // False, and said, when a child has brought more feeds than it may.
  bool MayOpen(Turn& turn, Peer& peer, const v1::FeedId& id, const NodePath& origin);
  bool MayComeFrom(const Peer& peer, const v1::FeedId& id, const NodePath& origin) const;
  void Reject(Turn& turn, Peer& peer, const v1::FeedId& id, const FeedState* feed,
              v1::NackReason reason, absl::string_view text);
  void Apply(Turn& turn, Peer& peer, FeedState& feed, const ParsedBatch& parsed,
             const v1::SignedBatch& batch, Bytes frame);
  void Ack(Turn& turn, LinkId link, const FeedState& feed);

  void Hold(Turn& turn, FeedState& feed, const v1::SignedManifest& signed_manifest,
            const v1::Manifest& manifest);
  void BeginLoad(Turn& turn, FeedState& feed, LinkId from);
  void LoseManifest(Turn& turn, FeedState& feed);
  // Something of the feed has come: whatever refusal there was is over.
  void Given(Turn& turn, const FeedKey& key);
  void RefusedByClock(Turn& turn, Peer& peer, const FeedState& feed, const v1::Nack& nack);
  void OnRefusal(Turn& turn, Peer& peer, const v1::Nack& nack);
  void AskChunks(Turn& turn, FeedState& feed);
  // The bytes of a chunk that is here, its own or those of the block it names.
  bool ReadChunk(const FeedState& feed, const std::string& hash, std::string* chunk) const;
  absl::Status CheckNames(const FeedState& feed, const std::vector<ChunkName>& names) const;
  // Asks `of` for a chunk as soon as its window has room.
  void AskChunk(Turn& turn, Peer& of, const FeedState& feed, const v1::ChunkRef& chunk);
  void PumpAsks(Turn& turn, Peer& of);
  void StageArrived(Turn& turn, FeedState& feed);
  void FinishLoad(Turn& turn, FeedState& feed);

  Core& core_;
  Sender& sender_;
  Origin& origin_;
  Disputes& disputes_;
  LogRepair& log_repair_;
  Places& places_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_RECEIVER_H_
