#include "relay/grpc/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

using std::chrono::steady_clock;

// 2: an idle side pings every `ping_after`; before, every third of the liveness time.
// 3: a message holds several fragments, and credit beside them.
// 4: a sender says when it needs credit.
constexpr uint32_t kVersionMin = 1;
constexpr uint32_t kVersionMax = 4;
constexpr uint32_t kVersionOfPings = 2;
constexpr uint32_t kVersionOfMore = 3;
constexpr uint32_t kVersionOfDue = 4;
constexpr size_t kMoreFragmentsMax = 256;  // after the first of a message
// A message of its own for the credit of every frame would double the messages: it waits for a
// message to go with, or for the sender to ask. One that does not say when it needs credit gets
// this much at once and less after so long; where its window is smaller, that time is nothing on
// its line.
constexpr uint64_t kCreditUnasked = 16 << 10;
constexpr absl::Duration kCreditUnaskedWait = absl::Milliseconds(20);
// Frames sent with patience wait no longer once more than this has come by the control or the bulk
// lane since the last that left. What came by the control lane is small and in a hurry, and so is
// its answer; of bulk a part of what a neighbour may have unanswered, so that it does not wait for
// that.
constexpr std::array<uint64_t, 2> kUnansweredBytesMax = {0, 512 << 10};
constexpr size_t kQueuedFrameCost = 64;  // of bookkeeping, so that empty frames are bounded too
constexpr absl::Duration kEndGrace = absl::Seconds(1);

absl::Status BrokenProtocol(absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "link_protocol", what);
}

bool Pressing(const std::array<uint64_t, 2>& unanswered) {
  return unanswered[0] > kUnansweredBytesMax[0] || unanswered[1] > kUnansweredBytesMax[1];
}

v1::Lane Other(v1::Lane lane) {
  return lane == v1::LANE_CONTROL ? v1::LANE_BULK : v1::LANE_CONTROL;
}

}  // namespace

Session::Session(SessionHost* host, LinkId link, Side side, std::string token, std::string address)
    : host_(host),
      link_(link),
      side_(side),
      token_(std::move(token)),
      address_(std::move(address)),
      lanes_{LaneState(host->options()), LaneState(host->options())},
      last_byte_(steady_clock::now()),
      last_byte_at_(absl::Now()) {}

Session::~Session() {
  for (const LaneState& lane : lanes_) {
    const uint64_t more = lane.receive.allowance() - host_->options().credit_bytes;
    if (more > 0) host_->ReturnCredit(more);
  }
}

void Session::Begin(absl::Duration open_timeout) {
  const std::weak_ptr<Session> weak = weak_from_this();
  host_->timers().After(open_timeout, [weak, open_timeout] {
    const auto self = weak.lock();
    if (self == nullptr || self->up_since().has_value()) return;
    self->End(Error(absl::StatusCode::kDeadlineExceeded, "link_open_timeout",
                    absl::StrCat("no answer within ", absl::FormatDuration(open_timeout)),
                    self->address_, "check the address, the network and the firewall"));
  });
  Watch();
}

bool Session::Attach(v1::Lane lane, LaneStream* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  LaneState& state = At(lane);
  if (state_ != State::kOpening || state.attached) return false;
  state.attached = true;
  state.stream = stream;
  state.last_write = steady_clock::now();
  stream->Start();
  Pump(lane);
  return true;
}

// ------------------------------------------------------------------------------------------------
// in

void Session::OnMessage(v1::Lane lane, const ReceivedMessage& message) {
  const std::lock_guard<std::mutex> delivery(delivery_);
  if (const absl::Status status = Take(lane, message); !status.ok()) End(status);
}

absl::Status Session::Take(v1::Lane lane, const ReceivedMessage& message) {
  const v1::LinkMessage& rest = message.rest();
  bool up = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == State::kEnded) return absl::OkStatus();
    last_byte_ = steady_clock::now();
    last_byte_at_ = absl::Now();
    bytes_received_ += message.bytes();
    LaneState& state = At(lane);
    if (rest.has_open() == state.opened) {
      return BrokenProtocol(state.opened ? "a lane was opened twice" : "a lane was used unopened");
    }
    for (size_t i = 0; i < message.fragments(); ++i) {
      GT_RETURN_IF_ERROR(state.receive.Add(message.fragment(i)));
    }
    if (message.has_fragment()) {
      for (LaneState& other : lanes_) other.unanswered[IndexOf(lane)] += message.bytes();
    }
    if (state.opened && (rest.has_credit() || rest.has_beside())) {
      // Since credit goes beside, what comes alone is more than what was consumed.
      const bool widened = peer_version_ >= kVersionOfMore;
      if (widened) state.send.Widen(rest.credit().bytes());
      const auto took = state.send.Grant(
          rest.beside().bytes() + (widened ? 0 : rest.credit().bytes()), last_byte_);
      if (took.has_value()) pace_.Measured(*took);
      Widen(state, rest.beside().wanted());
      Pump(lane);
    }
    // Given once the frames are delivered, and not where they are too many.
    state.credit_due |= rest.beside().due();
    up = state_ == State::kOpening && awaits_word_;
    if (up) TurnUp();
  }
  if (rest.has_open()) return TakeOpen(lane, rest.open());
  if (up) {
    GoUp();
    return absl::OkStatus();
  }
  if (message.has_fragment() && up_delivered_) DeliverFrames(lane);
  return absl::OkStatus();  // what a newer version says beside is passed over
}

absl::Status Session::TakeOpen(v1::Lane lane, const v1::LaneOpen& open) {
  if (open.session() != token_ || open.lane() != lane) {
    return BrokenProtocol("a lane was opened as another one");
  }
  if (open.version_min() > kVersionMax || open.version_max() < kVersionMin) {
    return Error(absl::StatusCode::kFailedPrecondition, "version_unsupported",
                 absl::StrCat("the peer speaks link versions ", open.version_min(), " to ",
                              open.version_max(), ", this node ", kVersionMin, " to ", kVersionMax),
                 address_, "upgrade the older of the two nodes");
  }
  GT_RETURN_IF_ERROR(TakePeer(lane, open));
  bool both = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    LaneState& state = At(lane);
    state.opened = true;
    peer_version_ = std::min(open.version_max(), kVersionMax);
    state.send.Grant(open.credit_bytes(), last_byte_);
    Pump(lane);
    both = At(Other(lane)).opened;
  }
  if (!both) return absl::OkStatus();
  const bool may = side_ == Side::kDialled || host_->MayGoUp(link_, peer_->identity.node_id);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kOpening) return absl::OkStatus();
    awaits_word_ = !may;
    if (awaits_word_) return absl::OkStatus();
    TurnUp();
    // The peer may keep an older link until it hears something.
    At(v1::LANE_CONTROL).ping = side_ == Side::kDialled;
  }
  GoUp();
  return absl::OkStatus();
}

// With `mutex_` held.
void Session::TurnUp() {
  state_ = State::kUp;
  up_since_ = last_byte_;
  up_at_ = last_byte_at_;
}

absl::Status Session::TakePeer(v1::Lane lane, const v1::LaneOpen& open) {
  LaneStream* stream;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stream = At(lane).stream;  // alive while its message is taken in
  }
  GT_ASSIGN_OR_RETURN(VerifiedChain identity, stream->Peer());
  if (peer_.has_value()) {
    if (peer_->identity.node_id == identity.node_id) return absl::OkStatus();
    return BrokenProtocol("the lanes of a session belong to two nodes");
  }
  const bool is_parent = side_ == Side::kDialled;
  // The accepting side has judged before it read the first message.
  if (is_parent) GT_RETURN_IF_ERROR(host_->Authorise(identity, is_parent));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    peer_good_until_ = identity.not_after;
  }
  peer_ = LinkPeer{.identity = std::move(identity),
                   .chain = open.chain(),
                   .address = address_,
                   .is_parent = is_parent};
  return CheckPeerChain(open);
}

absl::Status Session::CheckPeerChain(const v1::LaneOpen& open) const {
  if (open.chain().certificates().empty()) return absl::OkStatus();
  GT_ASSIGN_OR_RETURN(const VerifiedChain issuing,
                      VerifyChain(open.chain(), host_->network(), absl::Now()));
  if (issuing.role != CertificateRole::kIssuing || issuing.node_id != peer_->identity.node_id) {
    return BrokenProtocol("the chain sent is not the peer's issuing chain");
  }
  return absl::OkStatus();
}

void Session::GoUp() {
  host_->OnUp(shared_from_this(), peer_->identity.node_id);
  host_->events().OnLinkUp(link_, *peer_);
  up_delivered_ = true;
  // The peer may be up before us, and a lane ahead of the other.
  for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      At(lane).receive.Release();
      Pump(lane);
    }
    DeliverFrames(lane);
  }
}

void Session::DeliverFrames(v1::Lane lane) {
  bool any = false;
  while (true) {
    std::optional<std::string> frame;
    uint64_t resumes;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      LaneState& state = At(lane);
      if (state_ != State::kUp) break;
      frame = state.receive.TakeFrame();
      resumes = state.resumes;
    }
    if (!frame.has_value()) break;
    const bool more = host_->events().OnFrame(link_, lane, *std::move(frame));
    any = true;
    if (more) continue;
    const std::lock_guard<std::mutex> lock(mutex_);
    LaneState& state = At(lane);
    // The queue may have been drained, and Resume called, before we come to hold.
    if (state.resumes == resumes) state.receive.Hold();
  }
  if (any) host_->events().OnFramesEnd(link_);
  const std::lock_guard<std::mutex> lock(mutex_);
  Pump(lane);  // the credit
  TimeCredit(lane);
}

void Session::Widen(LaneState& lane, uint64_t wanted) {
  wanted = std::min<uint64_t>(wanted, host_->options().credit_bytes_max);
  if (state_ != State::kUp || wanted <= lane.receive.allowance()) return;
  const uint64_t more = host_->TakeCredit(wanted - lane.receive.allowance());
  if (more > 0) lane.receive.Widen(more);
}

// With `mutex_` held.
void Session::TimeCredit(v1::Lane lane) {
  LaneState& state = At(lane);
  if (state_ != State::kUp || state.credit_timed || state.receive.grantable() == 0) return;
  state.credit_timed = true;
  const absl::Duration wait = host_->options().credit_wait;
  const bool asks = peer_version_ >= kVersionOfDue;
  host_->timers().After(asks ? wait : std::min(wait, kCreditUnaskedWait),
                        [weak = weak_from_this(), lane] {
                          const auto self = weak.lock();
                          if (self == nullptr) return;
                          const std::lock_guard<std::mutex> lock(self->mutex_);
                          LaneState& timed = self->At(lane);
                          timed.credit_timed = false;
                          timed.credit_due = true;
                          self->Pump(lane);
                        });
}

void Session::Resume() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (state_ != State::kUp) return;
  for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
    ++At(lane).resumes;
    At(lane).receive.Release();
    Pump(lane);
    TimeCredit(lane);
  }
}

// -----------------------------------------------------------------------------------------------
// out

void Session::Send(v1::Lane lane, std::vector<std::shared_ptr<const std::string>> frames,
                   Patience patience) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kUp) return;
    size_t cost = frames.size() * kQueuedFrameCost;
    for (const auto& frame : frames) cost += frame->size();
    if (queued_bytes_ + cost <= host_->options().send_queue_bytes_max) {
      queued_bytes_ += cost;
      for (auto& frame : frames) At(lane).queue.push_back(std::move(frame));
      if (patience == Patience::kSome && !Pressing(At(lane).unanswered)) return Wait(lane);
      At(lane).impatient = !At(lane).queue.empty();
      Pump(lane);
      return;
    }
  }
  End(Error(
      absl::StatusCode::kResourceExhausted, "send_queue_full",
      absl::StrCat("more than ", host_->options().send_queue_bytes_max, " bytes wait for the peer"),
      address_));
}

// With `mutex_` held.
void Session::Wait(v1::Lane lane) {
  LaneState& state = At(lane);
  if (state.impatient || std::exchange(state.patience_timed, true)) return;
  host_->timers().After(host_->options().patience, [weak = weak_from_this(), lane] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    const std::lock_guard<std::mutex> lock(self->mutex_);
    LaneState& timed = self->At(lane);
    timed.patience_timed = false;
    timed.impatient = !timed.queue.empty();
    self->Pump(lane);
  });
}

void Session::Pump(v1::Lane lane) {
  LaneState& state = At(lane);
  if (state.stream == nullptr || state.writing || state.writes_ended || state_ == State::kEnded) {
    return;
  }
  if (!NextMessage(lane)) return;
  state.writing = true;
  state.ping = false;  // any byte is life
  bytes_sent_ += BytesOf(state.message);
  state.stream->Write(state.message);
  state.message.Clear();
}

bool Session::NextMessage(v1::Lane lane) {
  LaneState& state = At(lane);
  v1::LinkMessage& rest = state.message.rest;
  if (!state.open_sent) {
    if (side_ == Side::kAccepted && !state.opened) return false;  // the caller speaks first
    v1::LaneOpen& open = *rest.mutable_open();
    open.set_session(token_);
    open.set_lane(lane);
    open.set_version_min(kVersionMin);
    open.set_version_max(kVersionMax);
    open.set_credit_bytes(host_->options().credit_bytes);
    *open.mutable_chain() = host_->options().own_chain;
    state.open_sent = true;
    return true;
  }
  const bool shares = peer_version_ >= kVersionOfMore;
  if (const uint64_t more = state.receive.TakeWidening(); more > 0) {
    rest.mutable_credit()->set_bytes(more);
    return true;
  }
  const bool unasked = peer_version_ < kVersionOfDue && state.receive.grantable() >= kCreditUnasked;
  if (!shares || state.credit_due || unasked) {
    if (const uint64_t grant = state.receive.TakeGrant(); grant > 0) {
      state.credit_due = false;
      v1::Credit& credit = shares ? *rest.mutable_beside() : *rest.mutable_credit();
      credit.set_bytes(grant);
    }
  }
  if (rest.has_credit()) return true;
  if (state_ == State::kUp && (state.impatient || rest.has_beside())) NextFragments(state);
  if (!state.message.fragments.empty()) {
    state.unanswered = {};
    if (const uint64_t grant = shares ? state.receive.TakeGrant() : 0; grant > 0) {
      rest.mutable_beside()->set_bytes(grant);
    }
    if (peer_version_ >= kVersionOfDue && state.send.NeedsCredit()) {
      rest.mutable_beside()->set_due(true);
    }
    return true;
  }
  if (const uint64_t wanted = shares ? state.send.TakeWanted() : 0; wanted > 0) {
    rest.mutable_beside()->set_wanted(wanted);
  }
  if (rest.has_beside()) return true;
  if (state.ping) rest.mutable_ping();
  return state.ping;
}

// As many small frames as a fragment of their size may hold the line.
void Session::NextFragments(LaneState& lane) {
  const std::vector<SentFragment>& fragments = lane.message.fragments;
  size_t bytes = 0;
  while (NextFragment(lane, bytes)) {
    if (peer_version_ < kVersionOfMore || fragments.size() > kMoreFragmentsMax) return;
    bytes += fragments.back().bytes + kFragmentCost;
  }
}

// What a message with `message_bytes` in it has room for.
bool Session::NextFragment(LaneState& lane, size_t message_bytes) {
  if (lane.queue.empty()) return false;
  const std::shared_ptr<const std::string>& frame = lane.queue.front();
  const std::optional<size_t> size =
      lane.send.NextFragment(frame->size() - lane.offset, message_bytes);
  if (!size.has_value()) return false;
  const bool last = lane.offset + *size == frame->size();
  lane.message.fragments.push_back(
      {.frame = frame, .offset = lane.offset, .bytes = *size, .last = last});
  lane.offset += *size;
  lane.send.Sent(*size, steady_clock::now());
  if (last) {
    queued_bytes_ -= frame->size() + kQueuedFrameCost;
    lane.queue.pop_front();
    lane.offset = 0;
    lane.impatient &= !lane.queue.empty();
  }
  return true;
}

void Session::OnWritten(v1::Lane lane, WriteResult result) {
  const std::lock_guard<std::mutex> lock(mutex_);
  LaneState& state = At(lane);
  state.writing = false;
  if (result == WriteResult::kFailed) state.writes_ended = true;  // reading tells the rest
  state.last_write = steady_clock::now();
  Pump(lane);
}

// -----------------------------------------------------------------------------------------------
// end

void Session::OnReadsEnded(v1::Lane lane) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    LaneState& state = At(lane);
    state.writes_ended = true;
    if (side_ == Side::kDialled) {
      if (state.stream != nullptr) state.stream->AwaitStatus();
      return;  // the status tells why
    }
  }
  End(Error(absl::StatusCode::kUnavailable, "peer_closed", "the peer closed the link", address_));
}

void Session::OnStreamDone(v1::Lane lane, const absl::Status& status) {
  End(!status.ok() ? status
                   : Error(absl::StatusCode::kUnavailable, "peer_closed",
                           "the peer closed the link", address_));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    At(lane).stream = nullptr;
    if (gone_ || !AllStreamsGone()) return;
    gone_ = true;
  }
  host_->OnGone(link_);
}

bool Session::AllStreamsGone() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const LaneState& lane) { return lane.stream == nullptr; });
}

void Session::End(const absl::Status& why) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == State::kEnded) return;
    state_ = State::kEnded;
    why_ = why;
    queued_bytes_ = 0;
    for (LaneState& lane : lanes_) {
      lane.queue.clear();
      if (lane.stream != nullptr) lane.stream->End(why);
    }
  }
  // Posted: an event may have called us, and it holds `delivery_`.
  host_->timers().Post([self = shared_from_this()] { self->DeliverDown(); });
  // A peer that does not read never sees the status; then without it.
  host_->timers().After(kEndGrace, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->AbortStreams();
  });
}

void Session::AbortStreams() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (LaneState& lane : lanes_) {
    if (lane.stream != nullptr) lane.stream->Abort();
  }
}

void Session::DeliverDown() {
  const std::lock_guard<std::mutex> delivery(delivery_);
  if (std::exchange(down_delivered_, true)) return;
  if (up_delivered_) {
    host_->events().OnLinkDown(link_, why());
  } else if (side_ == Side::kDialled && !absl::IsAborted(why())) {
    host_->events().OnDialFailed(address_, why());
  }
  host_->OnDown(*this);
}

bool Session::QuietChanged(Instant now) {
  // A peer that speaks less often would look quiet whenever it has nothing to say.
  if (side_ != Side::kDialled || state_ != State::kUp || peer_version_ < kVersionOfPings) {
    return false;
  }
  const absl::Duration quiet_after = pace_.QuietAfter(host_->options());
  const bool quiet = now - last_byte_ > absl::ToChronoNanoseconds(quiet_after);
  return std::exchange(quiet_, quiet) != quiet;
}

void Session::Watch() {
  const absl::Duration liveness = host_->options().liveness;
  const absl::Duration ping_after = std::min(host_->options().ping_after, liveness / 3);
  const Instant now = steady_clock::now();
  const auto past = [now](Instant since, absl::Duration span) {
    return now - since > absl::ToChronoNanoseconds(span);
  };
  bool silent = false;
  bool expired = false;
  bool quiet_changed = false;
  bool quiet = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == State::kEnded) return;
    silent = state_ == State::kUp && past(last_byte_, liveness);
    expired = absl::Now() > peer_good_until_;
    // On the control lane alone: what a slow bulk lane has queued must not stand before it.
    LaneState& control = At(v1::LANE_CONTROL);
    if (state_ == State::kUp && past(control.last_write, ping_after)) {
      control.ping = true;
      Pump(v1::LANE_CONTROL);
    }
    quiet_changed = QuietChanged(now);
    quiet = quiet_;
  }
  if (expired) {
    End(Error(absl::StatusCode::kUnauthenticated, "certificate_expired",
              "the peer's certificates have run out while the link was up", address_,
              "the peer renews them at its parent; see its log and `guantong doctor`"));
    return;
  }
  if (silent) {
    End(Error(absl::StatusCode::kUnavailable, "link_silent",
              absl::StrCat("not a byte for ", absl::FormatDuration(liveness)), address_));
    return;
  }
  if (quiet_changed) quiet ? host_->OnQuiet(*this) : host_->OnHeard(*this);
  host_->timers().After(ping_after / 3, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Watch();
  });
}

absl::Status Session::why() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return why_;
}

std::optional<Instant> Session::up_since() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return up_since_;
}

std::chrono::nanoseconds Session::round_trip() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return pace_.round_trip();
}

LinkStats Session::Stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return LinkStats{.bytes_sent = bytes_sent_,
                   .bytes_received = bytes_received_,
                   .since = up_at_,
                   .last_byte_at = last_byte_at_,
                   .queued_bytes = queued_bytes_};
}

}  // namespace guantong
