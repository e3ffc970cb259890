// What the engine keeps in memory: feeds, peers, and the turn that is being worked on. Plain data;
// the parts beside this file act on it.
#ifndef GUANTONG_RELAY_CORE_STATE_H_
#define GUANTONG_RELAY_CORE_STATE_H_

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "catalog/keys.h"
#include "catalog/table.h"
#include "guantong/storage/v1/store.pb.h"
#include "relay/core/chain_book.h"
#include "relay/core/chunk_window.h"
#include "relay/core/engine.h"
#include "relay/core/interest.h"

namespace guantong {

using Bytes = std::shared_ptr<const std::string>;

// Where in a feed, as far as that can be ordered: epoch number and sequence. Hashes tell histories
// apart.
using Mark = std::pair<uint64_t, uint64_t>;
inline Mark MarkOf(const v1::Position& position) {
  return {position.epoch().number(), position.sequence()};
}

// --- feeds ---------------------------------------------------------------------------------------

// A batch kept in memory because neighbours are about to want it.
struct TailBatch {
  uint64_t epoch;
  uint64_t prev;
  uint64_t last;
  std::string signer_chain;
  Bytes frame;
};

struct HeldManifest {
  v1::SignedManifest signed_manifest;
  v1::Manifest manifest;
  absl::Time used_at;
  absl::flat_hash_map<std::string, int> by_hash = {};  // its chunks, when one was asked for

  // Null: none of this manifest.
  const v1::ChunkRef* Find(const std::string& hash);
};

// A snapshot being loaded here.
struct SnapshotLoad {
  v1::SignedManifest signed_manifest;
  v1::Manifest manifest;
  LinkId from = 0;
  int next_chunk = 0;                          // to be staged
  int asked = 0;                               // chunks asked for so far
  std::map<std::string, std::string> arrived;  // hash -> chunk, ahead of next_chunk
  v1::Records records;                         // record feeds: what was staged
  absl::Time progress_at;
};

// What a neighbour says it holds of an own feed, beyond its end here.
struct TailClaim {
  v1::Position to;
  bool shown = false;      // a signed batch beyond our end has come from there
  absl::Time progress_at;  // of the claim, or of the last batch that came
  absl::Time asked_at = absl::InfinitePast();
};

// An own feed found behind copies of it: what they hold is to be taken back before a new epoch
// opens.
struct Recovery {
  std::map<std::string, TailClaim> claims;  // by NodeId; those that came true are gone
  // No claim is left; other neighbours may hold more.
  absl::Time caught_up_at = absl::InfiniteFuture();
};

// A neighbour tells of records that are not in the history in force here: of an ended epoch
// (superseded; to be fetched and listed), or of the newest (a fork, to be shown before an origin
// acts on it).
struct Dispute {
  v1::Position to;
  std::string claimant;  // NodeId
  absl::Time since;
  absl::Time asked_at;
  int asks = 0;
  bool shown = false;  // and will be again; what was proved is not disbelieved
};

// Of a log that damage has shortened: who was asked for the rest.
struct LogAsk {
  std::set<std::string> asked;  // NodeIds, since something came
  absl::Time asked_at = absl::InfinitePast();
  absl::Time progress_at = absl::InfinitePast();
};

struct FeedState {
  FeedKey key;
  uint64_t opening =
      0;  // a feed may be dropped and opened again: what waits for an earlier one is void
  absl::Time opened_at = absl::InfinitePast();
  storage::v1::FeedRecord record;  // ordered; may be ahead of `durable`
  v1::Position durable;
  NodePath origin_path;  // where its origin stands, as far as is known here: routes
  NodePath proved_path;  // by the chain of its newest record
  bool moved = false;    // own, and this node stands elsewhere than when it last signed
  std::optional<TableWriter> table;
  int pending = 0;  // turns with writes of this feed that are not yet durable
  bool own = false;

  bool wants_snapshot = false;  // cannot go on by the log
  Mark snapshot_from;           // and an older manifest would not help
  std::unique_ptr<SnapshotLoad> load;
  std::optional<HeldManifest> held;
  bool making_manifest = false;
  bool manifest_for_others = false;  // one is asked for those behind us; we go on by the log
  Mark passed_over_at;  // where we stood when such a one came: twice at one place, and the log does
                        // not come
  absl::Time manifest_asked_at = absl::InfinitePast();
  absl::Time nacked_at = absl::InfinitePast();  // so that a burst behind one gap asks once
  absl::Time unwanted_since = absl::InfiniteFuture();

  std::optional<Recovery> recovery;
  std::optional<Dispute> dispute;
  std::set<std::string> disbelieved;  // NodeIds that announced what they never showed
  absl::Time epoch_opened_at = absl::InfinitePast();
  absl::Time fork_told_at = absl::InfinitePast();
  uint64_t epoch_number_max = 0;  // seen anywhere

  std::optional<storage::v1::PendingPush> push;
  Token push_token = 0;
  LogAsk log_ask;
  std::vector<Token> push_awaited;    // repeats of it that wait for its end
  std::optional<PushRows> held_push;  // waits until fewer runs stand
  bool merge_step_pending = false;    // not durable yet
  bool merge_failed = false;          // what it reads is damaged; readers say so
  bool push_stalled = false;          // between two of its batches, by what forbids signing

  std::deque<TailBatch> tail;
  uint64_t chunk_bytes = 0;  // of the manifest held, stored here

  // Rows that pass through: nobody here reads them.
  bool transit() const {
    return !own && !record.applied() && record.feed().kind() == v1::FEED_KIND_ROWS;
  }
  v1::FeedKind kind() const { return record.feed().kind(); }
};

// Where a node stands, by the newest of its chains that is known here.
struct NodePlace {
  NodePath path;
  int64_t since = 0;  // not_before of that chain, unix seconds
  std::string chain;  // its digest; empty when only the path is known
};

// --- peers ---------------------------------------------------------------------------------------

struct Unacked {
  uint64_t epoch;
  uint64_t last;
  size_t bytes;
};

// How far one feed has gone to one peer. The ladder: log (kStreaming), snapshot (kWaitingManifest,
// kLoading).
struct Outgoing {
  enum class State { kUnknown, kStreaming, kWaitingManifest, kLoading };
  State state = State::kUnknown;
  v1::Position acked;  // what the peer is known to have committed
  uint64_t sent_epoch = 0;
  uint64_t sent = 0;
  // Takes no memory while nothing is under way: there is one for each feed and neighbour.
  std::list<Unacked> unacked;
  v1::Lane lane = v1::LANE_BULK;  // of all that is unacknowledged: lanes do not wait for each other
  bool large_next = false;        // what comes next was found too large for the control lane
  uint64_t chain = 0;             // ChainMark of what signed the batch before: it went first
  v1::Position manifest_at;       // kLoading
  Mark manifest_from;             // an older manifest does not help the peer
  bool manifest_again = false;    // sent a second time at once, as it was passed on
  absl::Time progress_at;
  int resends = 0;     // since it last got further
  Mark until;          // where it does not flow, and is only given back: what was held when asked
  bool ready = false;  // stands in Peer::ready
  Mark again_from;     // the gap that was answered last, and when
  absl::Time again_at = absl::InfinitePast();
};

struct Peer {
  LinkUp who;
  absl::Time since;
  std::string name;
  std::string division;
  absl::Duration clock_offset;  // theirs minus ours at Hello
  bool hello = false;
  bool takes_blocks = false;  // said so

  bool interest_told = false;  // in this session: all it wants, with its positions
  bool compared = false;       // in this session: record feeds

  Interests ours;  // told, or to be told in full when asked
  std::map<FeedKey, Outgoing> outgoing;
  std::map<std::string, absl::Time> moves_told;    // by NodeId
  absl::Time log_given_at = absl::InfinitePast();  // see LogRepair
  size_t log_given_bytes = 0;
  std::set<FeedKey> told;    // single feeds whose position it has told in this session
  std::set<FeedKey> active;  // feeds with something unacknowledged
  std::list<FeedKey> ready;
  size_t in_flight = 0;         // unacknowledged, on the bulk lane
  size_t urgent_in_flight = 0;  // on the control lane
  std::set<std::pair<v1::Lane, std::string>> chains_sent;
  ChunkWindow chunks;                   // asked of it
  std::set<std::string> chunks_wanted;  // feed key + hash, not held yet
  absl::Time offered_at = absl::InfinitePast();
  absl::Time interest_asked_at = absl::InfinitePast();

  uint64_t batches_sent = 0;
  uint64_t batches_received = 0;
  uint64_t nacks_sent = 0;
  uint64_t nacks_received = 0;
  uint64_t frames_rejected = 0;
  std::string text;

  size_t& UnderWay(v1::Lane lane) {
    return lane == v1::LANE_CONTROL ? urgent_in_flight : in_flight;
  }
  // What is under way of the feed counts no more.
  void Forget(Outgoing& out) {
    for (const Unacked& unacked : out.unacked) UnderWay(out.lane) -= unacked.bytes;
    out.unacked.clear();
  }
};

// --- the turn ------------------------------------------------------------------------------------

struct Core;

// One Step. Writes gather in `effects.commit`; what must wait for them stands in `when_durable`.
struct Turn {
  absl::Time now;
  Effects effects;
  std::vector<std::function<void(Turn&)>> when_durable;
  std::set<FeedKey> touched;
  std::map<LinkId, v1::Acks> acks;  // go out at the end of the turn

  WriteSet& writes() { return effects.commit; }
  void Say(std::string text) {
    effects.notices.push_back({.alarm = false, .text = std::move(text)});
  }
  void Alarm(std::string text) {
    effects.notices.push_back({.alarm = true, .text = std::move(text)});
  }
};

struct Core {
  Core(EngineOptions options_in, EngineIdentity identity_in, const Store* store_in,
       Engine::RandomSource random_in)
      : options(std::move(options_in)),
        identity(std::move(identity_in)),
        store(store_in),
        random(std::move(random_in)),
        chains(identity.self.network, store, kChainsInMemoryBytesMax, options.verify_chain) {}

  EngineOptions options;
  EngineIdentity identity;
  const Store* store;
  Engine::RandomSource random;
  ChainBook chains;
  std::string own_chain_digest;
  std::string boot;
  absl::Time started_at;

  std::map<FeedKey, FeedState> feeds;
  std::map<LinkId, Peer> peers;
  // What each neighbour wants, by NodeId: outlives its session, so that a child that is away keeps
  // its place.
  std::map<std::string, Interests> wanted_by;
  std::map<std::string, NodePath> neighbour_paths;
  std::set<NodePath> children;  // that we know of: admitted here, or feeds came from there
  std::map<NodePath, size_t> feeds_below;   // by child
  std::map<std::string, NodePlace> places;  // by NodeId: origins of what is held here, and departed
  std::map<NodePath, std::string> departed;  // -> NodeId: who stood there, below here
  bool places_changed = false;               // what is wanted of whom is worked out anew
  bool moved = false;                        // own feeds wait to go on at another place
  std::map<std::string, std::set<FeedKey>>
      paused;  // by child's NodeId: wanted, and there is no room to keep it
  uint64_t transit_grown =
      0;  // bytes logged of feeds that pass through, since budgets were looked at
  std::map<FeedKey, storage::v1::StoredInterest> subscriptions;  // live ones, by feed
  // Feeds their origin does not give: kept so that whoever asks later hears it too.
  std::map<FeedKey, v1::Nack> refusals;
  std::set<FeedKey> repairing;   // feeds that want or load a snapshot
  std::set<FeedKey> shortened;   // feeds whose log lost a part to damage
  std::set<FeedKey> recovering;  // own feeds that take their tail back
  std::set<FeedKey> disputed;    // feeds with a dispute
  bool clock_ahead = false;
  std::optional<storage::v1::Restored> restored;  // own feeds wait for the neighbours
  absl::Time first_told_at = absl::InfiniteFuture();
  std::set<FeedKey> merging;  // tables with runs to merge
  size_t tail_bytes = 0;
  uint64_t openings = 0;

  const std::string& self_id() const { return identity.self.node_id; }
  const NodePath& self_path() const { return identity.self.path; }

  FeedState* Find(const FeedKey& key) {
    auto it = feeds.find(key);
    return it == feeds.end() ? nullptr : &it->second;
  }
  FeedState* Find(const FeedKey& key, uint64_t opening) {
    FeedState* feed = Find(key);
    return feed != nullptr && feed->opening == opening ? feed : nullptr;
  }
  Peer* FindPeer(LinkId link) {
    auto it = peers.find(link);
    return it == peers.end() ? nullptr : &it->second;
  }
  const Interests* TheirInterests(const Peer& peer) const {
    auto it = wanted_by.find(peer.who.node_id);
    return it == wanted_by.end() ? nullptr : &it->second;
  }

  Peer* FindPeer(const std::string& node_id) {
    for (auto& [link, peer] : peers) {
      if (peer.who.node_id == node_id) return &peer;
    }
    return nullptr;
  }

  // How rows go out from here: what all neighbours understand. Those behind them who do not keep
  // such batches raw until they are upgraded.
  v1::Encoding RowsEncoding() const {
    for (const auto& [link, peer] : peers) {
      if (peer.hello && !peer.takes_blocks) return v1::ENCODING_ROWS;
    }
    return v1::ENCODING_SORTED_ROWS;
  }

  // The neighbour toward `path`, null when it is not linked (or is ourselves).
  Peer* NextHop(const NodePath& path);
  bool Paused(const std::string& node_id, const FeedKey& key) const {
    auto it = paused.find(node_id);
    return it != paused.end() && it->second.count(key) > 0;
  }
  // The child below which `path` lies.
  NodePath ChildToward(const NodePath& path) const {
    return path.Ancestor(self_path().depth() + 1);
  }
  // Where the node went that stood at `path`, or above it and below here; null when none has.
  const NodePlace* DepartedTo(const NodePath& path) const;
  // Where `path` lies as seen from here, whether linked or not.
  bool IsBelow(const NodePath& path) const {
    return self_path().Contains(path) && path != self_path();
  }
};

// A frame for `peer`.
void SendFrame(Turn& turn, const Peer& peer, v1::Lane lane, const v1::Frame& frame);
void SendShared(Turn& turn, const Peer& peer, v1::Lane lane, Bytes frame);

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_STATE_H_
