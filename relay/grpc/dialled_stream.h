// A lane of a link that we dialled.
#ifndef GUANTONG_RELAY_GRPC_DIALLED_STREAM_H_
#define GUANTONG_RELAY_GRPC_DIALLED_STREAM_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <memory>

#include "relay/grpc/session.h"

namespace guantong {

// A hold keeps the call from ending under a write begun outside a reaction; it is let go once, when
// no write can follow. With its call the object may own the last reference to the channel, which
// must not go in a reaction: OnDone posts its deletion.
class DialledStream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                            public LaneStream {
 public:
  DialledStream(SessionHost* host, std::shared_ptr<Session> session, v1::Lane lane,
                const std::shared_ptr<grpc::Channel>& channel);

  void Start() override;
  void Write(const SentMessage& message) override;
  void End(const absl::Status& why) override;
  void AwaitStatus() override;
  void Abort() override { context_.TryCancel(); }
  absl::StatusOr<VerifiedChain> Peer() override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  SessionHost* const host_;
  const std::shared_ptr<Session> session_;
  const v1::Lane lane_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  bool held_ = false;  // guarded by the session's mutex
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
  ReceivedMessage message_;  // of read_
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_DIALLED_STREAM_H_
