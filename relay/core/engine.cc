#include "relay/core/engine.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "relay/core/budgets.h"
#include "relay/core/call_routing.h"
#include "relay/core/disputes.h"
#include "relay/core/feed_log.h"
#include "relay/core/log_cuts.h"
#include "relay/core/log_repair.h"
#include "relay/core/origin.h"
#include "relay/core/places.h"
#include "relay/core/receiver.h"
#include "relay/core/report.h"
#include "relay/core/sender.h"
#include "relay/core/single_feeds.h"
#include "relay/core/state.h"
#include "relay/core/sync.h"

namespace guantong {

namespace {

constexpr uint32_t kProtocolVersion = 1;
constexpr char kSortedRowsFeature[] = "sorted-rows";  // understands ENCODING_SORTED_ROWS
constexpr absl::Duration kSweepEvery = absl::Minutes(1);
// Copies in transit that nobody has asked for since.
constexpr absl::Duration kUnwantedKept = absl::Minutes(10);

class EngineImpl : public Engine {
 public:
  EngineImpl(EngineOptions options, EngineIdentity identity, const Store* store,
             RandomSource random)
      : core_(std::move(options), std::move(identity), store, std::move(random)),
        origin_(&core_),
        disputes_(&core_, &origin_),
        log_repair_(&core_),
        sender_(&core_, &origin_, &disputes_, &log_repair_),
        wants_(&core_),
        sync_(&core_, &origin_, &sender_, &wants_),
        places_(&core_, &origin_, &sender_, &wants_, &sync_),
        receiver_(&core_, &sender_, &origin_, &disputes_, &log_repair_, &places_),
        budgets_(&core_, &sender_, &wants_),
        single_feeds_(&core_, &origin_, &sender_, &wants_, &sync_, &receiver_, &budgets_),
        calls_(&core_) {}

  absl::Status Load(absl::Time now) {
    core_.started_at = now;
    core_.boot = core_.random(16);
    last_sweep_ = now;
    WriteSet chain;
    GT_ASSIGN_OR_RETURN(core_.own_chain_digest, core_.chains.Learn(core_.identity.chain));
    core_.chains.Keep(core_.own_chain_digest, &chain);
    GT_RETURN_IF_ERROR(LoadFeeds(core_));
    GT_RETURN_IF_ERROR(LoadPins(&chain));
    GT_RETURN_IF_ERROR(places_.Load(&chain));
    first_writes_ = std::move(chain);
    for (auto& [key, feed] : core_.feeds) {
      if (feed.record.incomplete_since() != 0 && !feed.own) {
        feed.wants_snapshot = true;
        feed.snapshot_from = {feed.record.head().epoch().number(), feed.record.incomplete_since()};
      }
      if (feed.wants_snapshot) core_.repairing.insert(key);
      if (feed.record.has_log_lost_from()) core_.shortened.insert(key);
      if (feed.table.has_value() && feed.table->needs_merge()) core_.merging.insert(key);
    }
    return absl::OkStatus();
  }

  Effects Step(Event event, absl::Time now) override {
    Turn turn{.now = now, .effects = {}, .when_durable = {}, .touched = {}, .acks = {}};
    if (!started_) {
      started_ = true;
      turn.writes().Append(std::move(first_writes_));
      const bool moved = core_.moved;
      origin_.GoOnElsewhere(turn);
      if (moved) places_.FindAncestors(turn);
      origin_.ResumePushes(turn);
    }
    std::visit([&](auto& e) { On(turn, std::move(e)); }, event);
    const bool ticked = now >= next_tick_;
    if (ticked) OnTime(turn);
    if (budgets_.Due()) budgets_.Enforce(turn);
    places_.Settle(turn);
    Merge(turn);
    return EndTurn(std::move(turn), ticked);
  }

  std::vector<v1::LinkInfo> Links() const override { return ReportLinks(core_); }
  std::vector<v1::FeedInfo> Feeds(absl::string_view filter) const override {
    return ReportFeeds(core_, filter);
  }
  v1::Subscription SubscriptionInfo(const storage::v1::StoredInterest& interest) const override {
    return ReportSubscription(core_, interest);
  }

 private:
  // --- links ---
  void On(Turn& turn, LinkUp event);
  void On(Turn& turn, LinkDown event);
  void On(Turn& turn, FrameReceived event);
  void OnFrame(Turn& turn, Peer& peer, v1::Frame frame, std::string raw);

  // --- writes of this node ---
  void On(Turn& turn, Committed event);
  void On(Turn& turn, AppendRecords event) { origin_.On(turn, std::move(event)); }
  void On(Turn& turn, OpenRows event);
  void On(Turn& turn, CloseRows event) { origin_.On(turn, std::move(event)); }
  void On(Turn& turn, PushRows event) { origin_.On(turn, std::move(event)); }
  void On(Turn& turn, AwaitPush event) { origin_.On(turn, event); }
  void On(Turn& turn, WriteFacts event);
  void On(Turn& turn, Subscribe event) { single_feeds_.On(turn, std::move(event)); }
  void On(Turn& turn, Unsubscribe event) { single_feeds_.On(turn, std::move(event)); }

  absl::Status LoadPins(WriteSet* writes);

  // --- calls, snapshots, time ---
  void On(Turn& turn, CallStart event) { calls_.Start(turn, std::move(event)); }
  void On(Turn& turn, CallAnswered event) { calls_.OnAnswered(turn, std::move(event)); }
  void On(Turn& turn, SnapshotMade event) { receiver_.OnSnapshotMade(turn, std::move(event)); }
  void On(Turn&, Tick) {}
  void OnTime(Turn& turn);
  void Sweep(Turn& turn);
  bool SnapshotIdle(const FeedState& feed, absl::Time now) const;
  bool Kept(const FeedState& feed) const;
  void Merge(Turn& turn);
  void TakeHeldPush(Turn& turn, FeedState& feed);
  absl::Time WakeAt(absl::Time now) const;

  using Action = std::function<void(Turn&)>;
  std::vector<Action> TakeActions(Turn& turn);
  Effects EndTurn(Turn turn, bool ticked);

  struct InFlight {
    uint64_t ticket;
    std::vector<Action> when_durable;
  };

  Core core_;
  Origin origin_;
  Disputes disputes_;
  LogRepair log_repair_;
  Sender sender_;
  Wants wants_;
  Sync sync_;
  Places places_;
  Receiver receiver_;
  Budgets budgets_;
  SingleFeeds single_feeds_;
  CallRouting calls_;
  WriteSet first_writes_;
  std::deque<InFlight> in_flight_;
  uint64_t last_ticket_ = 0;
  bool started_ = false;
  absl::Time next_tick_ = absl::InfinitePast();
  absl::Time last_sweep_;
};

absl::Status EngineImpl::LoadPins(WriteSet* writes) {
  std::set<FeedKey> pinned;
  GT_RETURN_IF_ERROR(guantong::LoadPins(*core_.store, [&](const FeedKey& key) -> BlockPins* {
    FeedState* feed = core_.Find(key);
    if (feed == nullptr || !feed->table.has_value()) return nullptr;
    pinned.insert(key);
    return &feed->table->pins();
  }));
  // What was left for a snapshot in the making.
  for (const FeedKey& key : pinned) core_.Find(key)->table->pins().Settle(writes);
  return absl::OkStatus();
}

// --- links ---------------------------------------------------------------------------------------

void EngineImpl::On(Turn& turn, LinkUp event) {
  for (auto it = core_.peers.begin(); it != core_.peers.end();) {
    auto old = it++;
    if (old->second.who.node_id != event.node_id) continue;
    const LinkId link = old->first;
    turn.effects.closes.push_back(
        {.link = link, .why = absl::AbortedError("a newer session of this neighbour began")});
    On(turn, LinkDown{.link = link, .why = "replaced by a newer session"});
  }
  core_.neighbour_paths[event.node_id] = event.path;
  Peer& peer = core_.peers[event.link];
  peer.who = std::move(event);
  peer.since = turn.now;
  peer.ours = wants_.Desired(peer);

  v1::Frame frame;
  v1::Hello* hello = frame.mutable_hello();
  hello->set_version(kProtocolVersion);
  hello->add_features(kSortedRowsFeature);
  hello->set_boot(core_.boot);
  hello->set_division(core_.options.division);
  hello->set_name(core_.options.name);
  hello->set_clock_unix_ms(absl::ToUnixMillis(turn.now));
  SendFrame(turn, peer, v1::LANE_CONTROL, frame);
  places_.Greet(turn, peer);
  sync_.Offer(turn, peer);
}

void EngineImpl::On(Turn& turn, LinkDown event) {
  auto it = core_.peers.find(event.link);
  if (it == core_.peers.end()) return;
  const Peer peer = std::move(it->second);
  core_.peers.erase(it);
  calls_.OnLinkDown(turn, peer);
}

void EngineImpl::On(Turn& turn, FrameReceived event) {
  Peer* peer = core_.FindPeer(event.link);
  if (peer == nullptr) return;
  v1::Frame frame;
  if (!frame.ParseFromString(event.frame)) {
    ++peer->frames_rejected;
    turn.effects.closes.push_back(
        {.link = event.link,
         .why = Error(absl::StatusCode::kInvalidArgument, "frame_malformed",
                      "a frame does not parse", DisplayPath(peer->who.path))});
    return;
  }
  OnFrame(turn, *peer, std::move(frame), std::move(event.frame));
}

void EngineImpl::OnFrame(Turn& turn, Peer& peer, v1::Frame frame, std::string raw) {
  switch (frame.kind_case()) {
    case v1::Frame::kHello:
      peer.hello = true;
      peer.takes_blocks =
          std::find(frame.hello().features().begin(), frame.hello().features().end(),
                    kSortedRowsFeature) != frame.hello().features().end();
      peer.name = frame.hello().name();
      peer.division = frame.hello().division();
      peer.clock_offset = absl::FromUnixMillis(frame.hello().clock_unix_ms()) - turn.now;
      if (peer.clock_offset < -absl::Seconds(kClockAheadSeconds))
        peer.text = "this node's clock is more than ten minutes ahead of the neighbour's";
      return origin_.ClockCompared(turn);
    case v1::Frame::kInterest:
      return single_feeds_.OnInterest(turn, peer, frame.interest());
    case v1::Frame::kSyncOffer:
      return sync_.OnOffer(turn, peer, frame.sync_offer());
    case v1::Frame::kSyncAsk:
      return sync_.OnAsk(turn, peer, frame.sync_ask());
    case v1::Frame::kAcks:
      return sender_.OnAcks(turn, peer, frame.acks());
    case v1::Frame::kNack:
      return receiver_.OnNack(turn, peer, frame.nack());
    case v1::Frame::kFetch:
      return sender_.OnFetch(turn, peer, frame.fetch());
    case v1::Frame::kChunkRequest:
      return receiver_.OnChunkRequest(turn, peer, frame.chunk_request());
    case v1::Frame::kCallRequest:
      return calls_.OnRequest(turn, peer, std::move(*frame.mutable_call_request()));
    case v1::Frame::kCallReply:
      return calls_.OnReply(turn, peer, std::move(*frame.mutable_call_reply()));
    case v1::Frame::kChain:
      return receiver_.OnChain(turn, peer, frame.chain());
    case v1::Frame::kBatch:
      return receiver_.OnBatch(turn, peer, frame.batch(),
                               std::make_shared<const std::string>(std::move(raw)));
    case v1::Frame::kManifest:
      return receiver_.OnManifest(turn, peer, frame.manifest());
    case v1::Frame::kChunk:
      return receiver_.OnChunk(turn, peer, std::move(*frame.mutable_chunk()));
    case v1::Frame::kMoved:
      return places_.OnMoved(turn, peer, frame.moved());
    case v1::Frame::KIND_NOT_SET:
      // A later version's frame: not ours to judge.
      ++peer.frames_rejected;
      return;
  }
}

// --- writes of this node -------------------------------------------------------------------------

void EngineImpl::On(Turn& turn, Committed event) {
  while (!in_flight_.empty() && in_flight_.front().ticket <= event.ticket) {
    const std::vector<Action> actions = std::move(in_flight_.front().when_durable);
    in_flight_.pop_front();
    for (const Action& action : actions) action(turn);
  }
}

void EngineImpl::On(Turn& turn, OpenRows event) {
  v1::FeedId id;
  id.set_origin(core_.self_id());
  id.set_kind(v1::FEED_KIND_ROWS);
  id.set_resource(event.resource);
  const FeedKey key = FeedKey::Of(id);
  const FeedState* before = core_.Find(key);
  const bool was_shared = before != nullptr && before->record.shared();
  origin_.On(turn, std::move(event));
  const FeedState* feed = core_.Find(key);
  if (was_shared && !feed->record.shared()) single_feeds_.Narrowed(turn, *feed);
}

void EngineImpl::On(Turn& turn, WriteFacts event) {
  turn.writes().Append(std::move(event.writes));
  turn.when_durable.push_back([token = event.token](Turn& later) {
    if (token != 0)
      later.effects.writes_done.push_back(
          {.token = token, .status = absl::OkStatus(), .position = {}});
  });
}

// --- time ----------------------------------------------------------------------------------------

void EngineImpl::OnTime(Turn& turn) {
  calls_.Expire(turn);
  for (auto& [link, peer] : core_.peers) {
    sender_.ResendStale(turn, peer);
    if (turn.now - peer.offered_at < core_.options.sync_every) continue;
    wants_.Remind(turn, peer);
    sync_.Offer(turn, peer);
    places_.AskAboutUnproved(turn, peer);
  }
  receiver_.Tend(turn);
  origin_.CheckRecoveries(turn);
  origin_.GoOnElsewhere(turn);
  disputes_.Tend(turn);
  log_repair_.Tend(turn);
  if (turn.now - last_sweep_ >= kSweepEvery) Sweep(turn);
}

void EngineImpl::Sweep(Turn& turn) {
  last_sweep_ = turn.now;
  std::vector<FeedKey> orphans;
  for (auto& [key, feed] : core_.feeds) {
    if (SnapshotIdle(feed, turn.now)) DropSnapshot(feed, &turn.writes());
    if (feed.own || feed.record.applied()) continue;
    if (Kept(feed)) {
      feed.unwanted_since = absl::InfiniteFuture();
    } else if (feed.unwanted_since == absl::InfiniteFuture()) {
      feed.unwanted_since = turn.now;
    } else if (turn.now - feed.unwanted_since >= kUnwantedKept && feed.pending == 0) {
      orphans.push_back(key);
    }
  }
  for (const FeedKey& key : orphans) DropFeed(core_, turn, key);
  budgets_.Enforce(turn);
}

bool EngineImpl::SnapshotIdle(const FeedState& feed, absl::Time now) const {
  if (feed.load != nullptr || feed.making_manifest) return false;
  if (feed.held.has_value()) return now - feed.held->used_at >= core_.options.manifest_idle;
  // What a manifest that was lost has left, unless the next one is on its way.
  return !feed.wants_snapshot && feed.table.has_value() && !feed.table->pins().empty();
}

// Somebody wants it: a dataset by name, a record feed by scope. What comes from below stays for
// good.
bool EngineImpl::Kept(const FeedState& feed) const {
  if (feed.kind() == v1::FEED_KIND_ROWS) return wants_.Wanted(feed.key, feed.origin_path);
  if (core_.IsBelow(feed.origin_path)) return true;
  for (const WantedScope& scope : wants_.FromAbove()) {
    if (scope.prefix.Contains(feed.origin_path) &&
        std::find(scope.kinds.begin(), scope.kinds.end(), feed.kind()) != scope.kinds.end()) {
      return true;
    }
  }
  return wants_.Wanted(feed.key, feed.origin_path);
}

void EngineImpl::Merge(Turn& turn) {
  for (auto it = core_.merging.begin(); it != core_.merging.end();) {
    FeedState* feed = core_.Find(*it);
    if (feed == nullptr || !feed->table.has_value() || !feed->table->needs_merge() ||
        feed->merge_failed) {
      it = core_.merging.erase(it);
      continue;
    }
    // A step reads what the one before has written, and what stood when the runs were chosen. One
    // step a turn leaves room for everything else.
    if (feed->merge_step_pending) {
      ++it;
      continue;
    }
    if (absl::Status merged = feed->table->MergeStep(
            *core_.store, kMergeRowsPerStep, MarkOf(feed->record.log_from()), &turn.writes());
        !merged.ok()) {
      turn.Alarm(absl::StrCat("merging the table of ", feed->record.feed().resource(), ": ",
                              merged.message()));
      // Not again before the next start: readers meet the same fault and say so.
      feed->merge_failed = true;
      it = core_.merging.erase(it);
      TakeHeldPush(turn, *feed);
      continue;
    }
    feed->merge_step_pending = true;
    turn.when_durable.push_back([this, key = *it, opening = feed->opening](Turn& later) {
      FeedState* state = core_.Find(key, opening);
      if (state == nullptr) return;
      state->merge_step_pending = false;
      TakeHeldPush(later, *state);
    });
    SaveFeed(core_, turn, *feed);
    return;
  }
}

void EngineImpl::TakeHeldPush(Turn& turn, FeedState& feed) {
  if (!feed.held_push.has_value()) return;
  if (feed.table.has_value() && feed.table->crowded() && !feed.merge_failed) return;
  PushRows held = *std::exchange(feed.held_push, std::nullopt);
  origin_.On(turn, std::move(held));
}

absl::Time EngineImpl::WakeAt(absl::Time now) const {
  absl::Time wake = calls_.NextDeadline();
  for (const auto& [link, peer] : core_.peers) {
    wake = std::min(wake, peer.offered_at + core_.options.sync_every);
    wake = std::min(wake, sender_.NextResend(peer));
  }
  if (!core_.repairing.empty() || !core_.recovering.empty() || !core_.disputed.empty() ||
      !core_.shortened.empty() || core_.restored.has_value() || core_.moved) {
    wake = std::min(wake, now + absl::Seconds(1));
  }
  wake = std::min(wake, last_sweep_ + kSweepEvery);
  return std::max(wake, now + absl::Milliseconds(10));
}

// Durable positions follow the ordered ones of the same turn, before whatever else waits for it.
std::vector<EngineImpl::Action> EngineImpl::TakeActions(Turn& turn) {
  std::vector<Action> actions;
  for (const FeedKey& key : turn.touched) {
    const FeedState* feed = core_.Find(key);
    if (feed == nullptr) continue;
    actions.push_back(
        [this, key, opening = feed->opening, head = feed->record.head()](Turn& later) {
          FeedState* state = core_.Find(key, opening);
          if (state == nullptr) return;
          state->durable = head;
          if (state->own) sender_.Advance(later, *state);
        });
  }
  std::move(turn.when_durable.begin(), turn.when_durable.end(), std::back_inserter(actions));
  turn.touched.clear();
  turn.when_durable.clear();
  return actions;
}

Effects EngineImpl::EndTurn(Turn turn, bool ticked) {
  Effects& effects = turn.effects;
  std::vector<Action> actions = TakeActions(turn);
  // What waits for nothing happens now, and may in turn write.
  while (!actions.empty() && effects.commit.empty() && in_flight_.empty()) {
    for (const Action& action : actions) action(turn);
    actions = TakeActions(turn);
  }
  if (!effects.commit.empty()) {
    effects.ticket = ++last_ticket_;
    in_flight_.push_back({.ticket = last_ticket_, .when_durable = std::move(actions)});
  } else if (!actions.empty()) {
    auto& waiting = in_flight_.back().when_durable;
    std::move(actions.begin(), actions.end(), std::back_inserter(waiting));
  }
  for (auto& [link, acks] : turn.acks) {
    const Peer* peer = core_.FindPeer(link);
    if (peer == nullptr) continue;
    v1::Frame frame;
    *frame.mutable_acks() = std::move(acks);
    SendFrame(turn, *peer, v1::LANE_CONTROL, frame);
    effects.sends.back().patient = true;
  }
  // Events that keep coming must not put off what is due.
  const absl::Time wake = WakeAt(turn.now);
  next_tick_ = ticked ? wake : std::min(next_tick_, wake);
  effects.wake_at = next_tick_;
  return std::move(turn.effects);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(EngineOptions options,
                                                       EngineIdentity identity, const Store* store,
                                                       RandomSource random, absl::Time now) {
  auto engine = std::make_unique<EngineImpl>(std::move(options), std::move(identity), store,
                                             std::move(random));
  GT_RETURN_IF_ERROR(engine->Load(now));
  return engine;
}

}  // namespace guantong
