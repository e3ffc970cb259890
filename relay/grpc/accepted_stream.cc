#include "relay/grpc/accepted_stream.h"

#include <utility>

#include "catalog/base/status.h"
#include "relay/grpc/wire_status.h"

namespace guantong {

AcceptedStream::AcceptedStream(SessionHost* host, StreamAcceptor* acceptor, uint64_t number,
                               grpc::CallbackServerContext* context, VerifiedChain identity)
    : host_(host),
      acceptor_(acceptor),
      number_(number),
      context_(context),
      identity_(std::move(identity)) {
  host_->OnStreamBorn();
  StartRead(&read_);
}

void AcceptedStream::Write(const SentMessage& message) {
  written_ = ToBytes(message);
  StartWrite(&written_);
}

void AcceptedStream::End(const absl::Status& why) {
  if (!ended_.exchange(true)) Finish(ToGrpc(why));
}

void AcceptedStream::OnReadDone(bool ok) {
  if (!ok) {
    if (session_ != nullptr) return session_->OnReadsEnded(lane_);
    return End(
        Error(absl::StatusCode::kCancelled, "peer_closed", "the stream ended before it began"));
  }
  if (const absl::Status read = message_.Read(&read_); !read.ok()) {
    return session_ != nullptr ? session_->End(read) : End(read);
  }
  if (session_ == nullptr) OnFirstMessage();
  if (session_ == nullptr) return;
  session_->OnMessage(lane_, message_);
  read_.Clear();
  StartRead(&read_);
}

void AcceptedStream::OnFirstMessage() {
  const v1::LaneOpen& open = message_.rest().open();
  if (!message_.rest().has_open() ||
      (open.lane() != v1::LANE_CONTROL && open.lane() != v1::LANE_BULK)) {
    End(Error(absl::StatusCode::kInvalidArgument, "link_protocol",
              "a stream begins with LaneOpen for control or bulk"));
    return;
  }
  auto session = acceptor_->Accept(this, open);
  if (!session.ok()) {
    End(session.status());
    return;
  }
  lane_ = open.lane();
  session_ = *std::move(session);
}

void AcceptedStream::OnWriteDone(bool ok) {
  written_.Clear();
  session_->OnWritten(lane_, ok ? WriteResult::kWritten : WriteResult::kFailed);
}

void AcceptedStream::OnDone() {
  if (session_ != nullptr) {
    session_->OnStreamDone(lane_, absl::OkStatus());
  } else {
    acceptor_->OnWaitingGone(number_);
  }
  session_.reset();
  host_->OnStreamGone();
  delete this;
}

RefusedStream::RefusedStream(const absl::Status& why) { Finish(ToGrpc(why)); }

}  // namespace guantong
