#include "relay/core/call_routing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"

namespace guantong {

namespace {

absl::Duration BudgetOf(const google::protobuf::Duration& message) {
  const absl::Duration budget =
      absl::Seconds(message.seconds()) + absl::Nanoseconds(message.nanos());
  return std::clamp(budget, absl::ZeroDuration(), absl::Seconds(kCallBudgetSecondsMax));
}

void SetBudget(absl::Duration budget, v1::CallRequest* request) {
  const int64_t nanos = std::max<int64_t>(0, absl::ToInt64Nanoseconds(budget));
  request->mutable_budget()->set_seconds(nanos / 1'000'000'000);
  request->mutable_budget()->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
}

// What a hop leaves to those after it, so that the one that is stuck is named by its neighbour, not
// by the caller.
absl::Duration Onward(absl::Duration budget) {
  return budget - std::max(budget / 50, absl::Milliseconds(2));
}

std::string ReplyDigest(const v1::CallReply& reply) {
  Sha256Stream stream;
  std::string status;
  AppendBigEndian32(static_cast<uint32_t>(reply.status()), &status);
  stream.Update(reply.id());
  stream.Update(status);
  stream.Update(Sha256(reply.body()));
  return stream.Finish();
}

// One neighbour's part of the calls that may wait here.
constexpr size_t kCallShares = 8;

// Replies and requests that would hold up control frames travel with the bulk.
v1::Lane LaneFor(size_t body_bytes) { return body_bytes > 4096 ? v1::LANE_BULK : v1::LANE_CONTROL; }

}  // namespace

v1::Hop CallRouting::OwnHop() const {
  v1::Hop hop;
  hop.set_path(core_.self_path().text());
  hop.set_name(core_.options.name);
  return hop;
}

std::string CallRouting::Here() const {
  return absl::StrCat(DisplayPath(core_.self_path()), " ", core_.options.name);
}

void CallRouting::Start(Turn& turn, CallStart event) {
  v1::SignedCall call;
  call.set_id(core_.random(16));
  call.set_target(event.target);
  v1::Caller* caller = call.mutable_caller();
  caller->set_node_id(core_.self_id());
  caller->set_path(core_.self_path().text());
  caller->set_uscc(event.uscc);
  caller->set_purpose(event.purpose);
  call.set_method(event.method);
  call.set_body(std::move(event.body));

  v1::CallRequest request;
  request.set_id(call.id());
  request.set_target(call.target());
  *request.mutable_caller() = *caller;
  request.set_call(call.SerializeAsString());
  request.set_signature(core_.identity.key.Sign(
      SignedMessage(kCallDomain, core_.chains.network(), Sha256(request.call()))));
  request.set_signature_algorithm(v1::SIGNATURE_ALGORITHM_P256_SHA256);
  request.set_signer_chain(core_.own_chain_digest);
  if (chain_of_target_.count(call.target()) == 0) *request.mutable_chain() = core_.identity.chain;
  SetBudget(std::min(event.budget, absl::Seconds(kCallBudgetSecondsMax)), &request);
  Route(turn, 0, event.token, std::move(request));
}

void CallRouting::OnRequest(Turn& turn, Peer& peer, v1::CallRequest request) {
  absl::StatusOr<NodePath> caller = NodePath::Parse(request.caller().path());
  const bool behind = caller.ok() && (peer.who.is_parent ? !core_.self_path().Contains(*caller)
                                                         : peer.who.path.Contains(*caller));
  if (request.id().size() != 16 || !behind || request.hops_size() > static_cast<int>(kHopsMax) ||
      request.call().size() > kCallBodyBytesMax + 4096) {
    ++peer.frames_rejected;
    turn.Say(absl::StrCat("link ", DisplayPath(peer.who.path), ": call refused: caller ",
                          request.caller().path(),
                          " does not lie behind it, or the call is malformed"));
    return;
  }
  Route(turn, peer.who.link, 0, std::move(request));
}

void CallRouting::Route(Turn& turn, LinkId from, Token token, v1::CallRequest request) {
  *request.add_hops() = OwnHop();
  const absl::Duration budget = BudgetOf(request.budget());
  Open open{.from = from,
            .token = token,
            .target = request.target(),
            .hops = {request.hops().begin(), request.hops().end()},
            .deadline = turn.now + budget};
  auto refuse = [&](v1::CallStatus status, absl::Status why) {
    Answer(turn, open, Refusal(request.id(), status, why, open.hops));
  };
  if (open_.count(request.id()) > 0) return;  // a repeat of what is under way
  absl::StatusOr<NodePath> target = NodePath::Parse(request.target());
  if (!target.ok()) return refuse(v1::CALL_STATUS_NOT_EXECUTED, target.status());
  // A neighbour has a share, so that none of them takes the room of the others, or ours.
  auto waiting = open_of_link_.find(from);
  if (waiting != open_of_link_.end() &&
      waiting->second >= core_.options.calls_open_max / (from == 0 ? 1 : kCallShares)) {
    return refuse(v1::CALL_STATUS_NOT_EXECUTED,
                  Error(absl::StatusCode::kResourceExhausted, "node_busy",
                        absl::StrCat(Here(), " 等待中的请求过多 (too many calls wait there)"), "",
                        "稍后再试 (try again)"));
  }
  if (*target == core_.self_path()) return Execute(turn, std::move(open), request);

  Peer* next = core_.NextHop(*target);
  if (next == nullptr || next->who.link == from) {
    const std::string toward =
        core_.IsBelow(*target)        ? DisplayPath(target->Ancestor(core_.self_path().depth() + 1))
        : core_.self_path().is_root() ? DisplayPath(*target)
                                      : DisplayPath(core_.self_path().Parent());
    if (const NodePlace* now = core_.DepartedTo(*target); now != nullptr && next == nullptr) {
      return refuse(
          v1::CALL_STATUS_NOT_EXECUTED,
          Error(absl::StatusCode::kUnavailable, "node_moved",
                absl::StrCat("在 ", Here(), "：", DisplayPath(*target), " 的节点已迁往 ",
                             DisplayPath(now->path), " (it has moved there)"),
                DisplayPath(now->path), "稍后再试，目录会给出新位置 (try again in a moment)"));
    }
    return refuse(
        v1::CALL_STATUS_NOT_EXECUTED,
        Error(absl::StatusCode::kUnavailable, "hop_down",
              absl::StrCat("在 ", Here(), " 不可用:与 ", toward, " 没有连通的链路 (unavailable at ",
                           DisplayPath(core_.self_path()), ": no link to ", toward, ")"),
              toward, "链路恢复后再试;在那里看 guantong links (try again when the link is back)"));
  }
  open.to = next->who.link;
  open.next_name = DisplayPath(next->who.path);
  SetBudget(Onward(budget), &request);
  v1::Frame frame;
  *frame.mutable_call_request() = request;
  SendFrame(turn, *next, LaneFor(request.call().size()), frame);
  const std::string id = request.id();
  if (token != 0) open.request = std::move(request);
  Await(id, std::move(open));
}

void CallRouting::Await(const std::string& id, Open open) {
  deadlines_.insert({open.deadline, id});
  ++open_of_link_[open.from];
  open_[id] = std::move(open);
}

CallRouting::Open CallRouting::Take(std::map<std::string, Open>::iterator it) {
  deadlines_.erase({it->second.deadline, it->first});
  if (auto waiting = open_of_link_.find(it->second.from); --waiting->second == 0)
    open_of_link_.erase(waiting);
  Open open = std::move(it->second);
  open_.erase(it);
  return open;
}

// --- at the provider -----------------------------------------------------------------------------

absl::Status CallRouting::CheckCaller(Turn& turn, const v1::CallRequest& request,
                                      const v1::SignedCall& call) {
  if (request.has_chain()) GT_RETURN_IF_ERROR(core_.chains.Learn(request.chain()).status());
  const VerifiedChain* signer = core_.chains.Find(request.signer_chain());
  if (signer == nullptr)
    return Error(absl::StatusCode::kUnauthenticated, "chain_unknown", "chain not held");
  const v1::Caller& caller = call.caller();
  const bool same = call.id() == request.id() && call.target() == request.target() &&
                    caller.SerializeAsString() == request.caller().SerializeAsString();
  if (!same || signer->role != CertificateRole::kIssuing || signer->node_id != caller.node_id() ||
      signer->path.text() != caller.path()) {
    return Error(absl::StatusCode::kUnauthenticated, "caller_mismatch",
                 "the call is not signed by the node it names as caller",
                 DisplayPath(signer->path));
  }
  if (turn.now < signer->not_before || turn.now > signer->not_after) {
    return Error(absl::StatusCode::kUnauthenticated, "certificate_expired",
                 "the caller's certificate is not valid now", DisplayPath(signer->path),
                 "renew it");
  }
  if (!signer->key.Verify(
          SignedMessage(kCallDomain, core_.chains.network(), Sha256(request.call())),
          request.signature())) {
    return Error(absl::StatusCode::kUnauthenticated, "bad_signature",
                 "the call's signature does not verify", DisplayPath(signer->path));
  }
  return absl::OkStatus();
}

void CallRouting::Execute(Turn& turn, Open open, const v1::CallRequest& request) {
  auto refuse = [&](v1::CallStatus status, absl::Status why) {
    Answer(turn, open, Refusal(request.id(), status, why, open.hops));
  };
  v1::SignedCall call;
  if (!call.ParseFromString(request.call())) {
    return refuse(v1::CALL_STATUS_NOT_EXECUTED, Error(absl::StatusCode::kInvalidArgument,
                                                      "call_malformed", "the call does not parse"));
  }
  if (open.token == 0) {
    if (absl::Status checked = CheckCaller(turn, request, call); !checked.ok()) {
      const bool lacks_chain = DetailOf(checked).reason == "chain_unknown";
      return refuse(lacks_chain ? v1::CALL_STATUS_CHAIN_UNKNOWN : v1::CALL_STATUS_NOT_EXECUTED,
                    checked);
    }
    if (executed_.count(call.caller().node_id() + request.id()) > 0) return;
    Remember(call.caller().node_id() + request.id(), open.deadline);
  }
  open.send_chain = request.has_chain();
  turn.effects.deliveries.push_back({.id = request.id(),
                                     .call = std::move(call),
                                     .hops = open.hops,
                                     .budget = open.deadline - turn.now});
  Await(request.id(), std::move(open));
}

void CallRouting::Remember(const std::string& id, absl::Time until) {
  // A repeat that was under way when the budget ended arrives no later than another budget after.
  executed_[id] = until;
  executed_by_age_.insert({until, id});
  while (executed_by_age_.size() > kCallsRememberedMax) {
    executed_.erase(executed_by_age_.begin()->second);
    executed_by_age_.erase(executed_by_age_.begin());
  }
}

void CallRouting::OnAnswered(Turn& turn, CallAnswered event) {
  auto it = open_.find(event.id);
  if (it == open_.end() || it->second.to != 0) return;  // its budget has ended
  const Open open = Take(it);
  v1::CallReply reply;
  reply.set_id(event.id);
  reply.set_status(event.status.ok() ? v1::CALL_STATUS_OK : v1::CALL_STATUS_FAILED);
  reply.set_code(static_cast<int>(event.status.code()));
  if (!event.status.ok()) {
    reply.set_reason(DetailOf(event.status).reason);
    reply.set_message(std::string(event.status.message()));
    // The detail is signed with the body.
    reply.set_body(PackDetail(DetailOf(event.status)));
  } else {
    reply.set_body(std::move(event.body));
  }
  for (const v1::Hop& hop : open.hops) *reply.add_hops() = hop;
  reply.set_answered_by(core_.self_path().text());
  if (open.token == 0) {
    reply.set_signature(core_.identity.key.Sign(
        SignedMessage(kReplyDomain, core_.chains.network(), ReplyDigest(reply))));
    reply.set_signature_algorithm(v1::SIGNATURE_ALGORITHM_P256_SHA256);
    reply.set_signer_chain(core_.own_chain_digest);
    if (open.send_chain) *reply.mutable_chain() = core_.identity.chain;
  }
  Answer(turn, open, std::move(reply));
}

// --- replies -------------------------------------------------------------------------------------

void CallRouting::OnReply(Turn& turn, Peer& peer, v1::CallReply reply) {
  auto it = open_.find(reply.id());
  if (it == open_.end() || it->second.to != peer.who.link) return;
  if (it->second.token != 0 && reply.status() == v1::CALL_STATUS_CHAIN_UNKNOWN &&
      !it->second.request.has_chain()) {
    // The provider has forgotten us; not executed, so it may be asked again.
    Open open = Take(it);
    chain_of_target_.erase(open.target);
    v1::CallRequest request = std::move(open.request);
    request.clear_hops();
    *request.mutable_chain() = core_.identity.chain;
    SetBudget(open.deadline - turn.now, &request);
    return Route(turn, 0, open.token, std::move(request));
  }
  const Open open = Take(it);
  if (open.token != 0) {
    if (absl::Status checked = CheckReply(turn, open, reply); !checked.ok()) {
      return Answer(turn, open, Refusal(reply.id(), v1::CALL_STATUS_UNKNOWN, checked, open.hops));
    }
  }
  Answer(turn, open, std::move(reply));
}

absl::Status CallRouting::CheckReply(Turn& turn, const Open& open, const v1::CallReply& reply) {
  // A hop that could not go on speaks for itself and can only say so.
  if (reply.status() != v1::CALL_STATUS_OK && reply.status() != v1::CALL_STATUS_FAILED)
    return absl::OkStatus();
  if (reply.has_chain()) GT_RETURN_IF_ERROR(core_.chains.Learn(reply.chain()).status());
  const VerifiedChain* signer = core_.chains.Find(reply.signer_chain());
  // It has a new chain since we last asked: with the next call we send ours, and get it.
  if (signer == nullptr) chain_of_target_.erase(open.target);
  if (signer == nullptr || signer->role != CertificateRole::kIssuing ||
      signer->path.text() != open.target || turn.now > signer->not_after ||
      !signer->key.Verify(SignedMessage(kReplyDomain, core_.chains.network(), ReplyDigest(reply)),
                          reply.signature())) {
    return Error(absl::StatusCode::kDataLoss, "reply_unproven",
                 absl::StrCat("the answer is not signed by the node that was asked, ", open.target),
                 open.target, "tell the operators of the nodes between; see hops");
  }
  core_.chains.Keep(reply.signer_chain(), &turn.writes());
  chain_of_target_[open.target] = reply.signer_chain();
  return absl::OkStatus();
}

void CallRouting::Answer(Turn& turn, const Open& open, v1::CallReply reply) {
  if (open.token == 0) {
    const Peer* back = core_.FindPeer(open.from);
    if (back == nullptr) return;
    v1::Frame frame;
    const v1::Lane lane = LaneFor(reply.body().size());
    *frame.mutable_call_reply() = std::move(reply);
    return SendFrame(turn, *back, lane, frame);
  }
  CallDone done{.token = open.token, .reply = std::move(reply), .status = absl::OkStatus()};
  if (done.reply.status() != v1::CALL_STATUS_OK) {
    absl::StatusCode code = static_cast<absl::StatusCode>(done.reply.code());
    if (code == absl::StatusCode::kOk) code = absl::StatusCode::kUnknown;
    done.status = WithDetail(absl::Status(code, done.reply.message()), done.reply.body());
  }
  turn.effects.calls_done.push_back(std::move(done));
}

v1::CallReply CallRouting::Refusal(const std::string& id, v1::CallStatus status,
                                   const absl::Status& why,
                                   const std::vector<v1::Hop>& hops) const {
  v1::CallReply reply;
  reply.set_id(id);
  reply.set_status(status);
  reply.set_code(static_cast<int>(why.code()));
  reply.set_reason(DetailOf(why).reason);
  reply.set_message(std::string(why.message()));
  reply.set_body(PackDetail(DetailOf(why)));
  for (const v1::Hop& hop : hops) *reply.add_hops() = hop;
  reply.set_answered_by(core_.self_path().text());
  return reply;
}

void CallRouting::OnLinkDown(Turn& turn, const Peer& peer) {
  std::vector<std::string> lost;
  for (const auto& [id, open] : open_) {
    if (open.to == peer.who.link) lost.push_back(id);
  }
  for (const std::string& id : lost) {
    const Open open = Take(open_.find(id));
    Answer(turn, open,
           Refusal(id, v1::CALL_STATUS_UNKNOWN,
                   Error(absl::StatusCode::kUnavailable, "hop_lost",
                         absl::StrCat("在 ", Here(), " 不可用:请求途中与 ", open.next_name,
                                      " 的链路中断 (unavailable at ",
                                      DisplayPath(core_.self_path()), ": the link to ",
                                      open.next_name, " was lost while the call was under way)"),
                         open.next_name, "可能已经执行;重复无害时再试 (it may have been executed)"),
                   open.hops));
  }
}

void CallRouting::Expire(Turn& turn) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= turn.now) {
    const std::string id = deadlines_.begin()->second;
    const Open open = Take(open_.find(id));
    const std::string where = open.to == 0
                                  ? "正在执行 (it was being executed)"
                                  : absl::StrCat(open.next_name, " 没有答复 (no answer from it)");
    Answer(turn, open,
           Refusal(id, v1::CALL_STATUS_UNKNOWN,
                   Error(absl::StatusCode::kDeadlineExceeded, "out_of_time",
                         absl::StrCat("在 ", Here(), " 超时 (out of time):", where), open.target,
                         "加大 --timeout 再试 (ask again with a larger --timeout)"),
                   open.hops));
  }
  while (!executed_by_age_.empty() &&
         executed_by_age_.begin()->first + absl::Seconds(kCallBudgetSecondsMax) < turn.now) {
    executed_.erase(executed_by_age_.begin()->second);
    executed_by_age_.erase(executed_by_age_.begin());
  }
}

absl::Time CallRouting::NextDeadline() const {
  return deadlines_.empty() ? absl::InfiniteFuture() : deadlines_.begin()->first;
}

}  // namespace guantong
