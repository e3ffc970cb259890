// The movement of feeds and calls as a pure state machine: events in, effects out. No sockets, no
// clock, no threads, no RocksDB.
//
// CONTRACT  The driver calls Step on one thread, in the order things happened, and carries out the
// effects in order. `commit` must be durable BEFORE Committed{ticket} is fed back; tickets are
// committed in order, and one Committed may confirm several. What must not leave before it is
// durable (an origin's batches, every acknowledgement) is kept inside until then, so `sends` may go
// out at once.
//
// READS     The engine reads committed facts through the Store given; what is ordered and not yet
// durable it keeps in memory.
//
// CRASH     A new Engine over the same store continues; nothing else is kept.
//
// ERRORS    A peer's mistake costs it a frame or its link (`closes`), never the process. Commit
// failures: throw the engine away, close all links, and make a new one from the store.
#ifndef GUANTONG_RELAY_CORE_ENGINE_H_
#define GUANTONG_RELAY_CORE_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/base/certificate.h"
#include "catalog/keys.h"
#include "catalog/snapshot.h"
#include "catalog/store.h"
#include "catalog/table.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/call.pb.h"
#include "guantong/v1/data.pb.h"
#include "guantong/v1/feed.pb.h"
#include "guantong/v1/link.pb.h"
#include "guantong/v1/node.pb.h"

namespace guantong {

using LinkId = uint64_t;
using Token = uint64_t;  // the driver's name for something it waits for; 0: does not wait

// --- events --------------------------------------------------------------------------------------

struct LinkUp {
  LinkId link;
  std::string node_id;
  NodePath path;
  bool is_parent = false;
  std::string address;
};
struct LinkDown {
  LinkId link;
  std::string why;
};
struct FrameReceived {
  LinkId link;
  std::string frame;  // serialised v1::Frame
};
struct Committed {
  uint64_t ticket;
};

// Own record feeds (membership, catalogue): one batch. `extra` is committed with it (e.g. the draft
// that goes away); without records `extra` alone. UNAVAILABLE feed_recovering.
struct AppendRecords {
  v1::FeedKind kind;
  std::vector<v1::Record> records;
  WriteSet extra;
  std::string author;
  Token token = 0;
};
// Opens, changes or narrows an own rows feed. Idempotent; a changed schema becomes a record of the
// feed. FAILED_PRECONDITION push_open; dataset_closed: nothing may follow its end; UNAVAILABLE
// feed_recovering.
struct OpenRows {
  std::string resource;  // "CODE:id"
  v1::DatasetSchema schema;
  bool shared = false;  // others may subscribe
  Token token = 0;
};
struct CloseRows {
  std::string resource;
  Token token = 0;
};
struct EndedPush {
  std::string push_id;
  storage::v1::PushRecord record;  // the engine fills position and commit
};
// One push that has been validated against `base_commit`, or several that change different rows.
// Either one payload (a block, or a serialised RowBatch; committed at once) or `staged` payloads
// that the driver has already made durable under StagedKey(feed, push_id, 0..staged-1).
// FAILED_PRECONDITION base_moved when the dataset has changed since; push_open while another push
// is being sequenced; UNAVAILABLE feed_recovering while the feed's own tail is fetched back, also
// for a push that this cuts off; INVALID_ARGUMENT push_empty for a payload without a change.
struct PushRows {
  FeedKey feed;
  uint64_t base_commit = 0;
  std::string push_id;
  std::string author;
  std::string payload;  // or empty
  uint32_t staged = 0;
  uint64_t rows_after = 0;
  storage::v1::PushRecord record;  // kept with the push end; the engine fills position and commit
  std::vector<EndedPush> joined;   // those before it in the same payload; none with staged ones
  Token token = 0;
};
// Done when no push of that id is being sequenced: durable, or with the error that cut it off. For
// the repeat of a push that goes on by itself after a restart.
struct AwaitPush {
  FeedKey feed;
  std::string push_id;
  Token token = 0;
};
// Facts of this node alone (drafts, tokens, departments): ordered with everything else.
struct WriteFacts {
  WriteSet writes;
  Token token = 0;
};
struct Subscribe {
  storage::v1::StoredInterest interest;  // stored under SubscriptionKey(interest.code)
  Token token = 0;
};
struct Unsubscribe {
  std::string code;
  bool drop_data = false;
  Token token = 0;
};
struct CallStart {
  std::string target;  // path
  std::string method;
  std::string body;
  std::string uscc;
  std::string purpose;
  absl::Duration budget;
  Token token = 0;
};
// The answer to a delivered call.
struct CallAnswered {
  std::string id;
  absl::Status status;  // with ErrorDetail payload
  std::string body;
};
struct SnapshotMade {
  FeedKey feed;
  // Unsigned; its chunks are durable under ChunkKey, or have a name.
  absl::StatusOr<BuiltSnapshot> snapshot;
};
struct Tick {};

using Event = std::variant<LinkUp, LinkDown, FrameReceived, Committed, AppendRecords, OpenRows,
                           CloseRows, PushRows, AwaitPush, WriteFacts, Subscribe, Unsubscribe,
                           CallStart, CallAnswered, SnapshotMade, Tick>;

// --- effects -------------------------------------------------------------------------------------

struct Send {
  LinkId link;
  v1::Lane lane;
  std::shared_ptr<const std::string> frame;
  bool patient = false;  // nobody waits for it: it may go a little later, with others
};
struct CloseLink {
  LinkId link;
  absl::Status why;
};
// A call for this node: run it, answer with CallAnswered. Checked: signature, chain, that it was
// not run before.
struct CallDelivery {
  std::string id;
  v1::SignedCall call;
  std::vector<v1::Hop> hops;  // including this node
  absl::Duration budget;
};
// A call of this node has ended; exactly once per CallStart.
struct CallDone {
  Token token;
  v1::CallReply reply;  // hops, answered_by; `status` below is derived from it
  absl::Status status;
};
// An own write has ended: durable, or refused.
struct WriteDone {
  Token token;
  absl::Status status;
  v1::Position position;  // AppendRecords, PushRows
  uint64_t commit = 0;
};
// Build a snapshot from a store snapshot on a worker, answer with SnapshotMade. At most one per
// feed at a time.
struct MakeSnapshot {
  FeedKey feed;
  v1::Encoding encoding;  // of rows
};
// For the log and the status page.
struct Notice {
  bool alarm = false;
  std::string text;
};

struct Effects {
  WriteSet commit;
  uint64_t ticket = 0;  // of `commit`; 0: nothing to commit
  std::vector<Send> sends;
  std::vector<CloseLink> closes;
  std::vector<CallDelivery> deliveries;
  std::vector<CallDone> calls_done;
  std::vector<WriteDone> writes_done;
  std::vector<MakeSnapshot> snapshots;
  std::vector<Notice> notices;
  absl::Time wake_at = absl::InfiniteFuture();  // call Step(Tick) then at the latest
};

// --- the engine ----------------------------------------------------------------------------------

enum class CatalogScope { kBranch, kProvince, kCountry };

struct EngineOptions {
  CatalogScope catalog_scope = CatalogScope::kBranch;
  std::string division;
  std::string name;
  size_t link_window_bytes = 4 << 20;  // sent and not acknowledged, per link
  // A batch up to this size that follows nothing under way passes the bulk of other feeds, and so
  // many bytes of such batches may be under way on a link.
  size_t urgent_bytes_max = 8 << 10;
  size_t urgent_window_bytes = 32 << 10;
  size_t feed_log_bytes_max = 512 << 20;  // a child further behind gets a snapshot
  // Kept here only for one child: above it cut, then paused.
  uint64_t child_disk_bytes = uint64_t{1} << 30;
  absl::Duration resend_after = absl::Seconds(15);  // no acknowledgement for this long: send again
  absl::Duration sync_every = absl::Seconds(30);
  absl::Duration manifest_idle = absl::Minutes(10);  // chunks not asked for this long are dropped
  size_t calls_open_max = 10000;
  TableOptions table;
  size_t chunks_in_flight = 4;  // asked for at a time, per feed
  ChainVerifier verify_chain = VerifyChainLinks;
};

struct EngineIdentity {
  SigningKey key;
  v1::CertificateChain chain;
  VerifiedChain self;
};

class Engine {
 public:
  // Reads all feed records of `store`; `random` seeds ids (the simulator passes its own). DATA_LOSS
  // when the store is damaged.
  using RandomSource = std::function<std::string(size_t bytes)>;
  static absl::StatusOr<std::unique_ptr<Engine>> Create(EngineOptions options,
                                                        EngineIdentity identity, const Store* store,
                                                        RandomSource random, absl::Time now);
  virtual ~Engine() = default;

  virtual Effects Step(Event event, absl::Time now) = 0;

  // For status pages, on the core thread.
  virtual std::vector<v1::LinkInfo> Links() const = 0;
  virtual std::vector<v1::FeedInfo> Feeds(absl::string_view filter) const = 0;
  // The state of one own subscription ("CODE:id").
  virtual v1::Subscription SubscriptionInfo(const storage::v1::StoredInterest& interest) const = 0;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_ENGINE_H_
