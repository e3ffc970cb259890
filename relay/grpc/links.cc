// Theory. A stream becomes part of a session, a session a link; this file keeps the books.
//
// An accepted stream waits for its LaneOpen (`waiting_`), then joins the session of its peer and
// token (`sessions_`): both lanes carry the same token, and a token counts together with the peer's
// NodeId only, so that no peer gets into another's session. A session that is up becomes its peer's
// newest and ends the one before it; an accepted one beside a newest is kept (`beside_`) until its
// peer has said that it is up there too. A dialled session belongs to a `Target`, which dials again
// when it is down.
//
// `mutex_` guards the books and is never held while a session or stream locks itself, with one
// exception: a waiting stream is ended under it, because that is what keeps the stream from going.
#include "relay/grpc/links.h"

#include <grpcpp/server_context.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "guantong/v1/link.grpc.pb.h"
#include "relay/grpc/accepted_stream.h"
#include "relay/grpc/dialled_stream.h"
#include "relay/grpc/peer.h"
#include "relay/grpc/redial.h"
#include "relay/grpc/session.h"

namespace guantong {
namespace {

using std::chrono::steady_clock;

constexpr size_t kTokenBytes = 16;
constexpr size_t kWaitingStreamsMax = 1024;
constexpr size_t kOpeningSessionsMax = 256;

absl::Status Stopping() {
  return Error(absl::StatusCode::kUnavailable, "node_stopping", "the node is stopping", "",
               "try again");
}

absl::Status Replaced() {
  return Error(absl::StatusCode::kAborted, "session_replaced",
               "a newer session of the same node took over");
}

class GrpcLinks final
    : public Links,
      public v1::LinkService::WithRawCallbackMethod_Session<v1::LinkService::Service>,
      public SessionHost,
      public StreamAcceptor {
 public:
  GrpcLinks(LinkOptions options, std::string network, LinkEvents* events, AuthorisePeer authorise)
      : options_(std::move(options)),
        network_(std::move(network)),
        events_(events),
        authorise_(std::move(authorise)) {}
  ~GrpcLinks() override { Stop(); }

  // Links
  grpc::Service* service() override { return this; }
  void Dial(std::string address,
            std::function<std::shared_ptr<grpc::Channel>()> make_channel) override;
  void Send(LinkId link, v1::Lane lane, std::vector<std::shared_ptr<const std::string>> frames,
            Patience patience) override {
    if (const auto session = Find(link)) session->Send(lane, std::move(frames), patience);
  }
  void Resume(LinkId link) override {
    if (const auto session = Find(link)) session->Resume();
  }
  void Close(LinkId link, const absl::Status& why) override {
    if (const auto session = Find(link)) session->End(why);
  }
  LinkStats Stats(LinkId link) const override {
    const auto session = Find(link);
    return session == nullptr ? LinkStats() : session->Stats();
  }
  void Stop() override;

  // LinkService
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Session(
      grpc::CallbackServerContext* context) override;

 private:
  using LinkSession = guantong::Session;

  struct Target {
    std::string address;
    std::function<std::shared_ptr<grpc::Channel>()> make_channel;
    Redial redial;                   // guarded by mutex_
    std::optional<Instant> asks_at;  // guarded by mutex_: a timer is set for then
  };

  // SessionHost
  const LinkOptions& options() const override { return options_; }
  const std::string& network() const override { return network_; }
  LinkEvents& events() override { return *events_; }
  Timers& timers() override { return timers_; }
  uint64_t TakeCredit(uint64_t bytes) override;
  void ReturnCredit(uint64_t bytes) override { credit_more_ += bytes; }
  absl::Status Authorise(const VerifiedChain& peer, bool is_parent) override;
  bool MayGoUp(LinkId link, const std::string& node_id) override;
  void OnUp(const std::shared_ptr<LinkSession>& session, const std::string& node_id) override;
  void OnQuiet(const LinkSession& session) override;
  void OnHeard(const LinkSession& session) override;
  void OnDown(const LinkSession& session) override;
  void OnGone(LinkId link) override;
  void OnStreamBorn() override;
  void OnStreamGone() override;

  // StreamAcceptor
  absl::StatusOr<std::shared_ptr<LinkSession>> Accept(AcceptedStream* stream,
                                                      const v1::LaneOpen& open) override;
  void OnWaitingGone(uint64_t stream_number) override;

  std::shared_ptr<LinkSession> Find(LinkId link) const;
  std::shared_ptr<LinkSession> FindOpening(const std::string& node_id, const std::string& token);
  void ExpireWaiting(uint64_t stream_number);
  void DialWhenDue(const std::shared_ptr<Target>& target);
  void DialNow(const std::shared_ptr<Target>& target, absl::Duration timeout);
  void GiveUp(const std::vector<LinkId>& dials);
  void ForgetBeside(LinkId link);  // with `mutex_` held
  bool Idle() const { return sessions_.empty() && waiting_.empty() && streams_ == 0; }

  const LinkOptions options_;
  const std::string network_;
  LinkEvents* const events_;
  const AuthorisePeer authorise_;
  std::atomic<uint64_t> credit_more_{options_.credit_more_bytes};
  Timers timers_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable idle_;
  bool stopping_ = false;
  uint64_t next_ = 1;   // LinkIds and numbers of streams
  size_t streams_ = 0;  // alive
  std::map<uint64_t, AcceptedStream*> waiting_;
  std::map<LinkId, std::shared_ptr<LinkSession>> sessions_;
  std::map<std::string, std::weak_ptr<LinkSession>> opening_;  // accepted, by NodeId: one each
  // Accepted and open beside the newest, by NodeId: as many as one node dials at a time.
  std::map<std::string, std::deque<LinkId>> beside_;
  std::map<std::string, std::shared_ptr<LinkSession>> newest_;  // up, by NodeId
  std::map<LinkId, std::shared_ptr<Target>> targets_;           // of dialled sessions
  std::minstd_rand jitter_{std::random_device{}()};
};

// --------------------------------------------------------------------------------------------
// accepting

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* GrpcLinks::Session(
    grpc::CallbackServerContext* context) {
  auto identity = PeerChain(*context->auth_context(), network_);
  const absl::Status may =
      identity.ok() ? Authorise(*identity, /*is_parent=*/false) : identity.status();
  if (!may.ok()) {
    if (options_.on_refused) {
      options_.on_refused(context->peer(), DescribePeer(*context->auth_context()), may);
    }
    return new RefusedStream(may);
  }
  uint64_t number;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return new RefusedStream(Stopping());
    if (waiting_.size() >= kWaitingStreamsMax) {
      return new RefusedStream(Error(absl::StatusCode::kResourceExhausted, "too_many_streams",
                                     "too many streams wait to be opened", "", "try again"));
    }
    number = next_++;
    waiting_[number] = nullptr;
  }
  auto* stream = new AcceptedStream(this, this, number, context, *std::move(identity));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_[number] = stream;
    if (stopping_) stream->End(Stopping());
  }
  timers_.After(options_.liveness, [this, number] { ExpireWaiting(number); });
  return stream;
}

void GrpcLinks::ExpireWaiting(uint64_t stream_number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = waiting_.find(stream_number);
  if (found == waiting_.end() || found->second == nullptr) return;
  found->second->End(Error(absl::StatusCode::kDeadlineExceeded, "link_open_timeout",
                           "the stream was not opened in time"));
}

absl::StatusOr<std::shared_ptr<Session>> GrpcLinks::Accept(AcceptedStream* stream,
                                                           const v1::LaneOpen& open) {
  if (open.session().size() != kTokenBytes) {
    return Error(absl::StatusCode::kInvalidArgument, "link_protocol",
                 absl::StrCat("a session has ", kTokenBytes, " bytes"));
  }
  const std::string& node_id = stream->identity().node_id;
  std::shared_ptr<LinkSession> session;
  std::shared_ptr<LinkSession> outdated;
  bool made = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return Stopping();
    session = FindOpening(node_id, open.session());
    if (session == nullptr) {
      outdated = FindOpening(node_id, "");
      if (opening_.size() >= kOpeningSessionsMax && outdated == nullptr) {
        return Error(absl::StatusCode::kResourceExhausted, "too_many_sessions",
                     "too many sessions are being opened", "", "try again");
      }
      session = std::make_shared<LinkSession>(this, next_++, LinkSession::Side::kAccepted,
                                              open.session(), stream->address());
      made = true;
      sessions_[session->link()] = session;
      opening_[node_id] = session;
    }
    waiting_.erase(stream->number());
  }
  if (outdated != nullptr) outdated->End(Replaced());
  const bool attached = session->Attach(open.lane(), stream);
  if (made) session->Begin(options_.liveness);
  if (attached) return session;
  if (const absl::Status why = session->why(); !why.ok()) return why;
  return Error(absl::StatusCode::kAborted, "lane_taken",
               "the session is up, or has that lane already");
}

// The one of this peer; with a token, only if it carries that.
std::shared_ptr<Session> GrpcLinks::FindOpening(const std::string& node_id,
                                                const std::string& token) {
  const auto found = opening_.find(node_id);
  if (found == opening_.end()) return nullptr;
  const auto session = found->second.lock();
  const bool match = session != nullptr && (token.empty() || session->token() == token);
  return match ? session : nullptr;
}

void GrpcLinks::OnWaitingGone(uint64_t stream_number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiting_.erase(stream_number);
  idle_.notify_all();
}

// ---------------------------------------------------------------------------------------------
// dialling

void GrpcLinks::Dial(std::string address,
                     std::function<std::shared_ptr<grpc::Channel>()> make_channel) {
  auto target = std::make_shared<Target>(
      Target{std::move(address), std::move(make_channel), Redial(options_), std::nullopt});
  timers_.Post([this, target] { DialWhenDue(target); });
}

// On the timer thread.
void GrpcLinks::DialWhenDue(const std::shared_ptr<Target>& target) {
  while (true) {
    Redial::Next next;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return;
      const Instant now = steady_clock::now();
      next = target->redial.Ask(now);
      if (!next.timeout.has_value()) {
        const bool asked = target->asks_at.has_value() &&
                           *target->asks_at <= now + absl::ToChronoNanoseconds(next.wait);
        if (asked || next.wait == absl::InfiniteDuration()) return;
        target->asks_at = now + absl::ToChronoNanoseconds(next.wait);
      }
    }
    if (!next.timeout.has_value()) {
      timers_.After(next.wait, [this, target] {
        {
          const std::lock_guard<std::mutex> lock(mutex_);
          target->asks_at.reset();
        }
        DialWhenDue(target);
      });
      return;
    }
    DialNow(target, *next.timeout);
  }
}

void GrpcLinks::DialNow(const std::shared_ptr<Target>& target, absl::Duration timeout) {
  std::shared_ptr<LinkSession> session;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
    session = std::make_shared<LinkSession>(this, next_++, LinkSession::Side::kDialled,
                                            RandomBytes(kTokenBytes), target->address);
    sessions_[session->link()] = session;
    targets_[session->link()] = target;
    target->redial.Begun(session->link(), timeout, steady_clock::now());
  }
  const std::shared_ptr<grpc::Channel> channel = target->make_channel();
  bool any = false;
  for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
    auto stream = std::make_unique<DialledStream>(this, session, lane, channel);
    if (!session->Attach(lane, stream.get())) break;
    stream.release();  // deletes itself when it is done
    any = true;
  }
  session->Begin(timeout);
  if (!any) OnGone(session->link());
}

absl::Status GrpcLinks::Authorise(const VerifiedChain& peer, bool is_parent) {
  if (peer.role != CertificateRole::kTls && peer.role != CertificateRole::kIssuing) {
    return Error(absl::StatusCode::kPermissionDenied, "role_not_node",
                 "a link is for nodes, and this certificate is a person's", DisplayPath(peer.path),
                 "connect with the node's own TLS certificate");
  }
  return authorise_(peer, is_parent);
}

// ------------------------------------------------------------------------------------------------
// books

void GrpcLinks::GiveUp(const std::vector<LinkId>& dials) {
  for (const LinkId dial : dials) {
    if (const auto session = Find(dial)) session->End(Replaced());
  }
}

bool GrpcLinks::MayGoUp(LinkId link, const std::string& node_id) {
  std::shared_ptr<LinkSession> outdated;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (newest_.count(node_id) == 0) return true;
    // Another dial may be opened while this one waits.
    if (const auto found = opening_.find(node_id); found != opening_.end()) {
      const auto opening = found->second.lock();
      if (opening != nullptr && opening->link() == link) opening_.erase(found);
    }
    std::deque<LinkId>& beside = beside_[node_id];
    beside.push_back(link);
    if (beside.size() > kDialsMax) {
      const auto oldest = sessions_.find(beside.front());
      if (oldest != sessions_.end()) outdated = oldest->second;
      beside.pop_front();
    }
  }
  if (outdated != nullptr) outdated->End(Replaced());
  return false;
}

void GrpcLinks::ForgetBeside(LinkId link) {
  for (auto it = beside_.begin(); it != beside_.end();) {
    it->second.erase(std::remove(it->second.begin(), it->second.end(), link), it->second.end());
    it = it->second.empty() ? beside_.erase(it) : std::next(it);
  }
}

void GrpcLinks::OnUp(const std::shared_ptr<LinkSession>& session, const std::string& node_id) {
  std::shared_ptr<LinkSession> before;
  std::vector<LinkId> superfluous;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    before = std::exchange(newest_[node_id], session);
    if (const auto found = opening_.find(node_id);
        found != opening_.end() && found->second.lock() == session) {
      opening_.erase(found);
    }
    ForgetBeside(session->link());
    if (const auto found = targets_.find(session->link()); found != targets_.end()) {
      superfluous = found->second->redial.Up(session->link());
    }
  }
  GiveUp(superfluous);
  if (before == nullptr) return;
  before->End(Replaced());
  before->DeliverDown();  // before the new one's OnLinkUp
}

void GrpcLinks::OnQuiet(const LinkSession& session) {
  std::shared_ptr<Target> target;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = targets_.find(session.link());
    if (found == targets_.end()) return;
    target = found->second;
    target->redial.Measured(session.round_trip());
    target->redial.Quiet(session.link());
  }
  timers_.Post([this, target] { DialWhenDue(target); });
}

void GrpcLinks::OnHeard(const LinkSession& session) {
  std::vector<LinkId> superfluous;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = targets_.find(session.link());
    if (found != targets_.end()) superfluous = found->second->redial.Heard(session.link());
  }
  GiveUp(superfluous);
}

void GrpcLinks::OnDown(const LinkSession& session) {
  std::shared_ptr<Target> target;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ForgetBeside(session.link());
    for (auto it = newest_.begin(); it != newest_.end(); ++it) {
      if (it->second.get() != &session) continue;
      newest_.erase(it);
      break;
    }
    const auto found = targets_.find(session.link());
    if (found == targets_.end() || stopping_) return;
    target = found->second;
    targets_.erase(found);
    const auto since = session.up_since();
    const absl::Duration up_for =
        since.has_value() ? absl::FromChrono(steady_clock::now() - *since) : absl::ZeroDuration();
    target->redial.Ended(session.link(), session.why(), up_for,
                         std::uniform_real_distribution<double>(0, 1)(jitter_),
                         steady_clock::now());
  }
  timers_.Post([this, target] { DialWhenDue(target); });
}

void GrpcLinks::OnGone(LinkId link) {
  std::shared_ptr<LinkSession> session;  // goes after the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto found = sessions_.find(link); found != sessions_.end()) {
    session = std::move(found->second);
    sessions_.erase(found);
  }
  for (auto it = opening_.begin(); it != opening_.end(); ++it) {
    if (it->second.lock() != session) continue;
    opening_.erase(it);
    break;
  }
  idle_.notify_all();
}

void GrpcLinks::OnStreamBorn() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++streams_;
}

void GrpcLinks::OnStreamGone() {
  const std::lock_guard<std::mutex> lock(mutex_);
  --streams_;
  idle_.notify_all();
}

uint64_t GrpcLinks::TakeCredit(uint64_t bytes) {
  uint64_t left = credit_more_.load();
  while (!credit_more_.compare_exchange_weak(left, left - std::min(left, bytes))) continue;
  return std::min(left, bytes);
}

std::shared_ptr<Session> GrpcLinks::Find(LinkId link) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = sessions_.find(link);
  return found == sessions_.end() ? nullptr : found->second;
}

void GrpcLinks::Stop() {
  std::map<LinkId, std::shared_ptr<LinkSession>> sessions;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    sessions = sessions_;
    for (const auto& [number, stream] : waiting_) {
      if (stream != nullptr) stream->End(Stopping());
    }
  }
  for (const auto& [link, session] : sessions) session->End(Stopping());
  sessions.clear();
  {
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [this] { return Idle(); });
  }
  timers_.Stop();
}

}  // namespace

std::unique_ptr<Links> Links::Create(LinkOptions options, std::string network, LinkEvents* events,
                                     AuthorisePeer authorise) {
  return std::make_unique<GrpcLinks>(std::move(options), std::move(network), events,
                                     std::move(authorise));
}

}  // namespace guantong
