#include "relay/grpc/dialled_stream.h"

#include <utility>

#include "catalog/base/status.h"
#include "relay/grpc/peer.h"
#include "relay/grpc/wire_status.h"

namespace guantong {
namespace {

constexpr char kMethod[] = "/guantong.v1.LinkService/Session";

}  // namespace

DialledStream::DialledStream(SessionHost* host, std::shared_ptr<Session> session, v1::Lane lane,
                             const std::shared_ptr<grpc::Channel>& channel)
    : host_(host), session_(std::move(session)), lane_(lane), stub_(channel) {}

void DialledStream::Start() {
  host_->OnStreamBorn();
  stub_.PrepareBidiStreamingCall(&context_, kMethod, {}, this);
  AddHold();
  held_ = true;
  StartRead(&read_);
  StartCall();
}

void DialledStream::Write(const SentMessage& message) {
  written_ = ToBytes(message);
  StartWrite(&written_);
}

void DialledStream::End(const absl::Status&) {
  context_.TryCancel();
  AwaitStatus();
}

void DialledStream::AwaitStatus() {
  if (std::exchange(held_, false)) RemoveHold();
}

absl::StatusOr<VerifiedChain> DialledStream::Peer() {
  const auto context = context_.auth_context();
  if (context == nullptr) {
    return Error(absl::StatusCode::kUnauthenticated, "certificate_missing",
                 "the connection is not authenticated");
  }
  return PeerChain(*context, host_->network());
}

void DialledStream::OnReadDone(bool ok) {
  if (!ok) return session_->OnReadsEnded(lane_);
  if (const absl::Status read = message_.Read(&read_); !read.ok()) return session_->End(read);
  session_->OnMessage(lane_, message_);
  read_.Clear();
  StartRead(&read_);
}

void DialledStream::OnWriteDone(bool ok) {
  written_.Clear();
  session_->OnWritten(lane_, ok ? WriteResult::kWritten : WriteResult::kFailed);
}

void DialledStream::OnDone(const grpc::Status& status) {
  session_->OnStreamDone(lane_, FromGrpc(status));
  SessionHost* const host = host_;
  host->timers().Post([this, host] {
    delete this;
    host->OnStreamGone();
  });
}

}  // namespace guantong
