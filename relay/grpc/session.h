// One session with one neighbour: two lanes, from the first stream to the last.
//
//   opening --both lanes open--> up --End--> ended --both streams gone--> forgotten
//      \----------------End------------------/
//
// An accepted session beside one that is up waits, open, for the first word of its peer: the
// dialling side says one as soon as it is up, and by that the older one is ended.
//
// Two locks. `delivery_` is held while a message is taken in and its events are delivered, so that
// a link's events come one at a time. `mutex_` guards the lanes and is held for moments, never
// across an event: an event may call back. `delivery_` comes first. A stream is called under
// `mutex_` only, and tells us under the same lock that it is gone: its pointer is good or null.
#ifndef GUANTONG_RELAY_GRPC_SESSION_H_
#define GUANTONG_RELAY_GRPC_SESSION_H_

#include <array>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "relay/grpc/flow.h"
#include "relay/grpc/link_bytes.h"
#include "relay/grpc/links.h"
#include "relay/grpc/redial.h"
#include "relay/grpc/timers.h"

namespace guantong {

enum class WriteResult { kWritten, kFailed };

// One gRPC stream, either side. At most one Write is outstanding; the stream tells the session
// OnWritten.
class LaneStream {
 public:
  // The dialling side's call begins. Nothing to do on the accepting side.
  virtual void Start() = 0;
  virtual void Write(const SentMessage& message) = 0;
  // No write follows. The accepting side gives `why` to the peer; the dialling side hangs up.
  virtual void End(const absl::Status& why) = 0;
  // The peer has ended the stream; no write follows, and its status may come.
  virtual void AwaitStatus() = 0;
  // Without regard to what is still under way.
  virtual void Abort() = 0;
  // The peer's chain, proved now. Only while a message is being taken in.
  virtual absl::StatusOr<VerifiedChain> Peer() = 0;

 protected:
  ~LaneStream() = default;
};

class Session;

// What a session needs of the links around it. Calls come without `mutex_`.
class SessionHost {
 public:
  virtual const LinkOptions& options() const = 0;
  virtual const std::string& network() const = 0;
  virtual LinkEvents& events() = 0;
  virtual Timers& timers() = 0;
  // Of LinkOptions::credit_more_bytes: what there is of `bytes`, and back when the session is gone.
  virtual uint64_t TakeCredit(uint64_t bytes) = 0;
  virtual void ReturnCredit(uint64_t bytes) = 0;
  virtual absl::Status Authorise(const VerifiedChain& peer, bool is_parent) = 0;
  // Both lanes of an accepted session are open. False: another one of that peer is up, and gives
  // way only to a peer that says a word on this one, for a dial may have been given up on its way.
  virtual bool MayGoUp(LinkId link, const std::string& node_id) = 0;
  // Ends the session this one replaces and delivers its OnLinkDown.
  virtual void OnUp(const std::shared_ptr<Session>& session, const std::string& node_id) = 0;
  // A dialled session that is up has not been heard for a while, or is heard again after that.
  virtual void OnQuiet(const Session& session) = 0;
  virtual void OnHeard(const Session& session) = 0;
  // Its last event is delivered.
  virtual void OnDown(const Session& session) = 0;
  // Its last stream is gone.
  virtual void OnGone(LinkId link) = 0;
  virtual void OnStreamBorn() = 0;
  virtual void OnStreamGone() = 0;  // the caller touches the host no more

 protected:
  ~SessionHost() = default;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `token` is what both lanes carry. `dialled`: the peer is our parent.
  enum class Side { kDialled, kAccepted };
  Session(SessionHost* host, LinkId link, Side side, std::string token, std::string address);
  ~Session();

  LinkId link() const { return link_; }
  const std::string& token() const { return token_; }
  Side side() const { return side_; }

  // Once, after construction: time limits begin.
  void Begin(absl::Duration open_timeout);
  // False when the session has ended or has that lane: the stream is none of ours.
  bool Attach(v1::Lane lane, LaneStream* stream);

  // From reactions of an attached stream.
  void OnMessage(v1::Lane lane, const ReceivedMessage& message);
  void OnWritten(v1::Lane lane, WriteResult result);
  void OnReadsEnded(v1::Lane lane);
  void OnStreamDone(v1::Lane lane, const absl::Status& status);

  // Any thread.
  void Send(v1::Lane lane, std::vector<std::shared_ptr<const std::string>> frames,
            Patience patience);
  void Resume();
  void End(const absl::Status& why);
  LinkStats Stats() const;
  std::chrono::nanoseconds round_trip() const;  // lately, zero where it is not known

  // Delivers OnLinkDown or OnDialFailed, once. Not from within an event of this session.
  void DeliverDown();

  // Once ended.
  absl::Status why() const;
  std::optional<Instant> up_since() const;

 private:
  enum class State { kOpening, kUp, kEnded };

  struct LaneState {
    explicit LaneState(const LinkOptions& options)
        : send(options.fragment_bytes_max),
          receive(options.frame_bytes_max, options.credit_bytes) {}

    LaneStream* stream = nullptr;
    bool attached = false;  // once, also when the stream is gone
    bool opened = false;    // the peer's LaneOpen is here
    bool open_sent = false;
    bool writing = false;
    bool ping = false;
    bool credit_due = false;    // what was consumed is granted in a message of its own
    bool credit_timed = false;  // a timer makes it due
    bool writes_ended = false;
    bool impatient = false;       // what is queued may not wait
    bool patience_timed = false;  // a timer makes it so
    // Bytes of frames that came by either lane since a frame last left by this one.
    std::array<uint64_t, 2> unanswered = {};
    uint64_t resumes = 0;
    Instant last_write;
    SentMessage message;  // being made
    std::list<std::shared_ptr<const std::string>> queue;
    size_t offset = 0;  // into the first of the queue
    SendFlow send;
    ReceiveFlow receive;
  };

  absl::Status Take(v1::Lane lane, const ReceivedMessage& message);
  absl::Status TakeOpen(v1::Lane lane, const v1::LaneOpen& open);
  absl::Status TakePeer(v1::Lane lane, const v1::LaneOpen& open);
  absl::Status CheckPeerChain(const v1::LaneOpen& open) const;
  void GoUp();
  void TurnUp();
  void DeliverFrames(v1::Lane lane);

  // With `mutex_` held.
  static size_t IndexOf(v1::Lane lane) { return lane == v1::LANE_CONTROL ? 0 : 1; }
  LaneState& At(v1::Lane lane) { return lanes_[IndexOf(lane)]; }
  void Pump(v1::Lane lane);
  bool NextMessage(v1::Lane lane);
  bool NextFragment(LaneState& lane, size_t message_bytes);
  void NextFragments(LaneState& lane);
  void Widen(LaneState& lane, uint64_t wanted);
  void Wait(v1::Lane lane);
  void TimeCredit(v1::Lane lane);  // sees to it that little credit does not wait for ever
  bool AllStreamsGone() const;

  void Watch();
  bool QuietChanged(Instant now);  // with `mutex_` held
  void AbortStreams();

  SessionHost* const host_;
  const LinkId link_;
  const Side side_;
  const std::string token_;
  const std::string address_;

  std::mutex delivery_;
  std::optional<LinkPeer> peer_;  // guarded by delivery_
  bool up_delivered_ = false;     // guarded by delivery_
  bool down_delivered_ = false;   // guarded by delivery_

  mutable std::mutex mutex_;  // guards all below
  State state_ = State::kOpening;
  std::array<LaneState, 2> lanes_;
  absl::Status why_;
  bool gone_ = false;
  bool quiet_ = false;
  bool awaits_word_ = false;
  LinePace pace_;
  uint32_t peer_version_ = 0;
  size_t queued_bytes_ = 0;
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;
  absl::Time peer_good_until_ = absl::InfiniteFuture();
  std::optional<Instant> up_since_;
  absl::Time up_at_;
  Instant last_byte_;
  absl::Time last_byte_at_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_SESSION_H_
