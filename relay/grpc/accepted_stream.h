// A lane of a link that the peer dialled. The peer is known and authorised before the stream
// exists; its first message says which session and lane it is.
#ifndef GUANTONG_RELAY_GRPC_ACCEPTED_STREAM_H_
#define GUANTONG_RELAY_GRPC_ACCEPTED_STREAM_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <string>

#include "relay/grpc/session.h"

namespace guantong {

class AcceptedStream;

class StreamAcceptor {
 public:
  // Finds or makes the session and attaches the stream to it. Errors end the stream.
  virtual absl::StatusOr<std::shared_ptr<Session>> Accept(AcceptedStream* stream,
                                                          const v1::LaneOpen& open) = 0;
  // Gone before it was accepted.
  virtual void OnWaitingGone(uint64_t stream_number) = 0;

 protected:
  ~StreamAcceptor() = default;
};

// Deletes itself in OnDone.
class AcceptedStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                             public LaneStream {
 public:
  AcceptedStream(SessionHost* host, StreamAcceptor* acceptor, uint64_t number,
                 grpc::CallbackServerContext* context, VerifiedChain identity);

  uint64_t number() const { return number_; }
  const VerifiedChain& identity() const { return identity_; }
  std::string address() const { return context_->peer(); }

  void Start() override {}
  void Write(const SentMessage& message) override;
  void End(const absl::Status& why) override;
  void AwaitStatus() override {}
  void Abort() override { context_->TryCancel(); }
  absl::StatusOr<VerifiedChain> Peer() override { return identity_; }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  void OnFirstMessage();

  SessionHost* const host_;
  StreamAcceptor* const acceptor_;
  const uint64_t number_;
  grpc::CallbackServerContext* const context_;
  const VerifiedChain identity_;
  std::atomic<bool> ended_{false};
  std::shared_ptr<Session> session_;  // once accepted
  v1::Lane lane_ = v1::LANE_UNSPECIFIED;
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
  ReceivedMessage message_;  // of read_
};

// Ends a call at once, with a reason. Touches nothing but itself, so it may outlive everything.
class RefusedStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit RefusedStream(const absl::Status& why);
  void OnDone() override { delete this; }
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_ACCEPTED_STREAM_H_
