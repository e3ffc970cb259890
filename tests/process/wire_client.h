// Clients made by hand, for what the command line would never do: calls with any certificate,
// pushes held open, broken frames.
#ifndef GUANTONG_TESTS_PROCESS_WIRE_CLIENT_H_
#define GUANTONG_TESTS_PROCESS_WIRE_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "guantong/v1/data.grpc.pb.h"
#include "guantong/v1/link.grpc.pb.h"
#include "tests/network/network.h"

namespace guantong::test {

// What stands behind a connection: a certificate chain (leaf first) and the leaf's key.
struct Credentials {
  std::string key_pem;
  std::string chain_pem;
};

Credentials CredentialsOfProfile(const std::string& profile);
Credentials CredentialsOfNode(const std::string& dir);  // its TLS leaf

// Takes any server.
std::shared_ptr<grpc::Channel> ChannelTo(const Node& node, const Credentials& credentials);

// A push that has begun and goes on for as long as the test likes.
class OpenPush {
 public:
  OpenPush(const Node& node, const Client& editor, const std::string& code);
  ~OpenPush();

  // True when the node took the rows in.
  bool Add(const std::string& key, const std::string& name);
  grpc::Status Finish();

 private:
  std::unique_ptr<v1::DataService::Stub> stub_;
  grpc::ClientContext context_;
  v1::PushResponse response_;
  std::unique_ptr<grpc::ClientWriter<v1::PushRequest>> stream_;
  uint64_t rows_ = 0;
};

// Both lanes of a link, as a child opens them, with whatever bytes the test wants to send.
class RawLink {
 public:
  // It ends by itself after `within`.
  RawLink(const Node& parent, const Credentials& credentials,
          absl::Duration within = absl::Seconds(30));
  ~RawLink();

  // True when the parent has opened both lanes too.
  bool Open();
  // Cut into fragments, within the credit the parent grants. False when the parent has ended the
  // lane.
  bool SendFrame(v1::Lane lane, const std::string& bytes);
  bool Send(v1::Lane lane, const v1::LinkMessage& message);
  // False when the lane has ended.
  bool Receive(v1::Lane lane, v1::LinkMessage* message);
  // Makes both lanes end, from any thread.
  void Cancel();
  // Reads what is left; why the parent ended the lane.
  grpc::Status End(v1::Lane lane);

 private:
  struct LaneStream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderWriter<v1::LinkMessage, v1::LinkMessage>> stream;
    uint64_t credit = 0;
  };
  LaneStream& At(v1::Lane lane) { return lane == v1::LANE_CONTROL ? control_ : bulk_; }

  std::unique_ptr<v1::LinkService::Stub> stub_;
  std::string session_;
  LaneStream control_;
  LaneStream bulk_;
};

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_PROCESS_WIRE_CLIENT_H_
