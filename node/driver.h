// Runs the engine: one core thread steps it and orders all writes, one commit thread makes them
// durable in groups.
//
// The core takes what came in (frames of neighbours, requests of this node, confirmations of
// commits), Steps the engine and carries out the effects. The commit thread takes all write sets
// that wait, commits them as one group with one fsync, and reports the highest ticket.
// Confirmations pass everything else in the queue.
//
// A thread that brings something small while nobody steps the engine steps it itself, for a few
// items: waking the core costs more than a step. The engine has one stepper at a time; what is
// more, larger, or not for every thread (stopping, failures) is the core's.
//
// BOUNDS   The inbox has one budget for requests (refused above it: node_busy) and one for frames
// (above it transports stop granting
//          credit; what is on its way is still taken). While too much is ordered and not durable
//          the core only confirms.
// FAILURE  A commit that fails fails everything that waits, closes all links and throws the engine
// away. Requests are then answered with
//          that error, until a probe commit succeeds and a new engine has been made from the store.
//
// THREADS  All public members from any thread. Callbacks run on the thread that steps, or has just
// stepped, and must only enqueue.
#ifndef GUANTONG_NODE_DRIVER_H_
#define GUANTONG_NODE_DRIVER_H_

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/store.h"
#include "node/clock_watch.h"
#include "relay/core/engine.h"
#include "relay/grpc/links.h"

namespace guantong {

class Driver : public LinkEvents {
 public:
  using MakeEngine = std::function<absl::StatusOr<std::unique_ptr<Engine>>(absl::Time now)>;
  using OnWrite = std::function<void(const WriteDone&)>;
  using OnCall = std::function<void(CallDone)>;

  struct LinkView {
    LinkId link = 0;
    std::string node_id;
    NodePath path;
    std::string address;
    std::string fingerprint;
    bool is_parent = false;
    absl::Time since;
  };

  // Where a delivery runs: `kHere` on a thread that may do what is quick itself.
  enum class Delivered { kHere, kByCore };

  // All but on_deliveries run on the stepper and must only enqueue.
  struct Hooks {
    std::function<void(std::vector<CallDelivery>, Delivered)> on_deliveries;
    std::function<void(const MakeSnapshot&)> on_snapshot;
    std::function<void(const Notice&)> on_notice;
    std::function<void(const LinkPeer&)> on_link_up;
    // A link ended by us (`by_us`) or by the other side, with the reason given.
    std::function<void(const LinkView&, const absl::Status& why, bool by_us)> on_link_ended;
    std::function<void(const std::string& address, const absl::Status& why)> on_dial_failed;
  };

  // Makes the first engine on the calling thread; its errors are the store's.
  static absl::StatusOr<std::unique_ptr<Driver>> Make(Store* store, MakeEngine make_engine,
                                                      Hooks hooks);
  ~Driver() override;

  // `links` outlives the driver's Stop. Before Begin; without it nothing is sent.
  void Attach(Links* links) { links_ = links; }
  // Starts the threads. What was enqueued before waits for it.
  void Begin();

  // Own writes: AppendRecords, OpenRows, CloseRows, PushRows, WriteFacts, Subscribe, Unsubscribe.
  // `done` is called exactly once if and only if OK is returned. RESOURCE_EXHAUSTED node_busy,
  // UNAVAILABLE node_stopping.
  absl::Status Submit(Event event, OnWrite done);
  absl::Status Call(CallStart call, OnCall done);

  // The same, waiting: never from the core thread or a callback.
  absl::StatusOr<WriteDone> Write(Event event);
  absl::Status WriteOwn(WriteSet writes);  // WriteFacts
  CallDone Ask(CallStart call);            // a refusal to take it stands in `status`

  // Runs `read` on the core thread and waits for it. UNAVAILABLE while there is no engine.
  absl::Status Read(std::function<void(const Engine&)> read);

  // UNAVAILABLE node_stopping.
  static absl::Status StoppingError();

  // Answers to deliveries and snapshots; always taken.
  void Answer(Event event);
  void Answer(std::vector<Event> events);

  std::vector<LinkView> OpenLinks() const;
  uint64_t links_closed_by_us() const { return closed_by_us_.load(); }
  // Why there is no engine now; OK else.
  absl::Status health() const;

  // Refuses new requests, carries out what has been taken, commits, fails the rest with
  // node_stopping. The links must have been stopped.
  void Stop();

  void OnLinkUp(LinkId link, const LinkPeer& peer) override;
  bool OnFrame(LinkId link, v1::Lane lane, std::string frame) override;
  void OnFramesEnd(LinkId link) override;
  void OnLinkDown(LinkId link, const absl::Status& why) override;
  void OnDialFailed(const std::string& address, const absl::Status& why) override;

 private:
  struct PeerUp {
    LinkId link;
    LinkPeer peer;
  };
  struct PeerDown {
    LinkId link;
    absl::Status why;
  };
  struct DialFailed {
    std::string address;
    absl::Status why;
  };
  struct Reading {
    std::function<void(const absl::StatusOr<const Engine*>&)> read;
  };
  struct Item {
    std::variant<Event, PeerUp, PeerDown, DialFailed, Reading> what;
    OnWrite on_write;
    OnCall on_call;
    size_t request_bytes = 0;
    size_t frame_bytes = 0;
    bool request = false;
  };
  struct Order {
    uint64_t ticket;
    WriteSet writes;
  };

  // What a step asks for and need not be done with the engine in hand.
  struct Errands {
    std::vector<Send> sends;
    size_t send_bytes = 0;
    std::vector<CallDelivery> deliveries;
    std::vector<std::pair<OnCall, CallDone>> calls_done;
  };

  Driver(Store* store, MakeEngine make_engine, Hooks hooks);

  absl::Status Enqueue(Item item);
  void EnqueueAlways(Item item);

  void CoreLoop();
  // With the lock held; `Turn` and `End` let go of it meanwhile.
  bool Turn(std::unique_lock<std::mutex>& lock, absl::Time now);  // false: nothing to do
  Errands End(std::unique_lock<std::mutex>& lock);                // of stepping; sends have gone
  bool InboxOpen() const;
  bool HasWork(absl::Time now) const;
  bool VisitorMay(absl::Time now);
  void VisitOrWake(std::unique_lock<std::mutex> lock);
  void SendGathered();
  void RunErrands(Errands errands, Delivered where);
  void Take(Item item, absl::Time now);
  void TakeEvent(Event event, Item* item, absl::Time now);
  void Step(Event event, absl::Time now);
  void CarryOut(Effects effects);
  void FinishWrite(const WriteDone& done);
  void FinishCall(CallDone done);
  void Suspend(absl::string_view text, const absl::Status& why, absl::Time now);
  void TryResume(absl::Time now);
  void FailWaiting(const absl::Status& why);
  void CloseAllLinks(const absl::Status& why);
  void ResumeTransports();
  void CommitLoop();

  Store* const store_;
  const MakeEngine make_engine_;
  const Hooks hooks_;
  Links* links_ = nullptr;

  ClockWatch clock_;  // the stepper's, as is
  bool clock_was_set_ = false;

  mutable std::mutex mutex_;
  std::condition_variable core_wakes_;
  std::condition_variable commit_wakes_;
  std::deque<Item> inbox_;
  size_t requests_waiting_ = 0;
  size_t request_bytes_waiting_ = 0;
  size_t frame_bytes_waiting_ = 0;
  std::set<LinkId> held_back_;  // transports told to stop granting credit
  std::deque<Order> orders_;
  size_t uncommitted_bytes_ = 0;  // queued or being committed
  bool committing_ = false;
  uint64_t committed_ticket_ = 0;
  absl::Status commit_failure_;
  absl::Status suspended_;  // not OK: no engine
  bool begun_ = false;
  bool stepping_ = false;  // a thread has the engine, and all that is the stepper's own
  absl::Time core_sleeps_until_;
  bool stopping_ = false;
  bool stop_committer_ = false;
  std::map<LinkId, LinkView> open_links_;

  // The stepper's own.
  Errands errands_;
  std::unique_ptr<Engine> engine_;
  uint64_t confirmed_ticket_ = 0;
  Token next_token_ = 1;
  std::unordered_map<Token, OnWrite> writes_;
  std::unordered_map<Token, OnCall> calls_;
  absl::Time wake_at_ = absl::InfiniteFuture();
  absl::Time resume_at_ = absl::InfiniteFuture();
  static constexpr absl::Duration kBackoffMin = absl::Seconds(1);
  absl::Duration backoff_ = kBackoffMin;

  std::atomic<uint64_t> closed_by_us_{0};
  std::thread core_;
  std::thread committer_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_DRIVER_H_
