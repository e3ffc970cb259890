// Both ends of a link over real gRPC and real TLS on the loopback interface, and a peer that speaks
// the protocol by hand.
#ifndef GUANTONG_TESTS_UNIT_LINK_SIDES_H_
#define GUANTONG_TESTS_UNIT_LINK_SIDES_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "guantong/v1/link.grpc.pb.h"
#include "node/identity/credentials.h"
#include "relay/grpc/arguments.h"
#include "relay/grpc/links.h"
#include "relay/grpc/wire_status.h"
#include "tests/catch.h"
#include "tests/unit/identities.h"
#include "tests/unit/reasons.h"

namespace guantong {

using Frame = std::shared_ptr<const std::string>;

inline Frame MakeFrame(size_t bytes, char fill = 'x') {
  return std::make_shared<const std::string>(bytes, fill);
}

inline constexpr std::chrono::seconds kDeadline(20);

// Notes every event; a condition with a deadline is how a test waits.
class Recorder final : public LinkEvents {
 public:
  struct Received {
    LinkId link;
    v1::Lane lane;
    std::string frame;
  };

  void OnLinkUp(LinkId link, const LinkPeer& peer) override {
    Note([&] {
      order.push_back({link, true});
      up.emplace(link, peer);
    });
  }
  bool OnFrame(LinkId link, v1::Lane lane, std::string frame) override {
    bool more = true;
    Note([&] {
      received.push_back({link, lane, std::move(frame)});
      more = !full;
    });
    return more;
  }
  void OnLinkDown(LinkId link, const absl::Status& why) override {
    Note([&] {
      order.push_back({link, false});
      down.emplace(link, why);
    });
  }
  void OnDialFailed(const std::string&, const absl::Status& why) override {
    Note([&] { dials_failed.push_back(why); });
  }

  bool Await(const std::function<bool()>& condition) {
    std::unique_lock<std::mutex> lock(mutex);
    return changed.wait_for(lock, kDeadline, condition);
  }
  // False when the condition came true within `span`.
  bool Never(std::chrono::milliseconds span, const std::function<bool()>& condition) {
    std::unique_lock<std::mutex> lock(mutex);
    return !changed.wait_for(lock, span, condition);
  }
  LinkId AwaitUp(size_t count = 1) {
    REQUIRE(Await([&] { return up.size() >= count; }));
    const std::lock_guard<std::mutex> lock(mutex);
    return up.rbegin()->first;
  }
  size_t ReceivedCount() {
    const std::lock_guard<std::mutex> lock(mutex);
    return received.size();
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool full = false;
  std::map<LinkId, LinkPeer> up;
  std::map<LinkId, absl::Status> down;
  std::vector<std::pair<LinkId, bool>> order;
  std::vector<Received> received;
  std::vector<absl::Status> dials_failed;

 private:
  void Note(const std::function<void()>& change) {
    const std::lock_guard<std::mutex> lock(mutex);
    change();
    changed.notify_all();
  }
};

inline absl::Status AdmitAll(const VerifiedChain&, bool) { return absl::OkStatus(); }

inline std::unique_ptr<Links> MakeLinks(LinkOptions options, const MadeNode& self,
                                        const std::string& network, LinkEvents* events,
                                        AuthorisePeer authorise = AdmitAll) {
  RequireTls13();
  options.own_chain = self.chain;
  return Links::Create(std::move(options), network, events, std::move(authorise));
}

class ParentSide {
 public:
  ParentSide(const MadeNode& self, const std::string& network, LinkOptions options = {},
             AuthorisePeer authorise = AdmitAll, int port = 0)
      : links(MakeLinks(options, self, network, &events, std::move(authorise))) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port),
                             MakeServerCredentials(self.tls_key.ToPem(), self.tls_pem()), &bound);
    builder.RegisterService(links->service());
    ApplyLinkArguments(options, &builder);
    server = builder.BuildAndStart();
    REQUIRE(server != nullptr);
  }
  ~ParentSide() {
    links->Stop();
    server->Shutdown();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(bound); }

  Recorder events;
  std::unique_ptr<Links> links;
  int bound = 0;
  std::unique_ptr<grpc::Server> server;
};

inline std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address, const MadeNode& self,
                                                const std::string& network) {
  return MakeLinkChannel({}, address,
                         MakeChannelCredentials(
                             self.tls_key.ToPem(), self.tls_pem(), network,
                             [](const VerifiedChain&) { return absl::OkStatus(); }, nullptr));
}

class ChildSide {
 public:
  ChildSide(const MadeNode& self, const std::string& network, const std::string& address,
            LinkOptions options = {}, AuthorisePeer authorise = AdmitAll)
      : links(MakeLinks(options, self, network, &events, std::move(authorise))) {
    links->Dial(address, [self, network, address] { return ChannelTo(address, self, network); });
  }
  ~ChildSide() { links->Stop(); }

  Recorder events;
  std::unique_ptr<Links> links;
};

struct Country {
  MadeNode root = MakeRoot();
  MadeNode province = MakeNode(&root, "630000");
  MadeNode city = MakeNode(&province, "630100");
  std::string network = root.node_id();
};

// A peer that speaks the protocol by hand, on one lane.
class RawPeer {
 public:
  RawPeer(const MadeNode& self, const std::string& network, const std::string& address)
      : channel_(ChannelTo(address, self, network)), stub_(v1::LinkService::NewStub(channel_)) {
    context_.set_deadline(std::chrono::system_clock::now() + kDeadline);
    stream_ = stub_->Session(&context_);
  }
  void Say(const v1::LinkMessage& message) { stream_->Write(message); }
  void Open(v1::Lane lane, const std::string& token, uint32_t version = 1) {
    v1::LinkMessage message;
    message.mutable_open()->set_session(token);
    message.mutable_open()->set_lane(lane);
    message.mutable_open()->set_version_min(version);
    message.mutable_open()->set_version_max(version);
    message.mutable_open()->set_credit_bytes(1 << 20);
    Say(message);
  }
  bool Hear(v1::LinkMessage* message) { return stream_->Read(message); }
  std::string EndReason() {
    v1::LinkMessage message;
    while (stream_->Read(&message)) continue;
    return ReasonOf(FromGrpc(stream_->Finish()));
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::LinkService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::LinkMessage, v1::LinkMessage>> stream_;
};

// Both lanes of a dial by hand, as far as the dialling side knows them to be open.
class RawDial {
 public:
  RawDial(const MadeNode& self, const std::string& network, const std::string& address)
      : control_(self, network, address), bulk_(self, network, address) {
    const std::string token = RandomBytes(16);
    v1::LinkMessage answer;
    control_.Open(v1::LANE_CONTROL, token, 4);
    REQUIRE(control_.Hear(&answer));
    bulk_.Open(v1::LANE_BULK, token, 4);
    REQUIRE(bulk_.Hear(&answer));
  }
  void SayWord() {
    v1::LinkMessage word;
    word.mutable_ping();
    control_.Say(word);
  }
  std::string EndReason() { return control_.EndReason(); }

 private:
  RawPeer control_;
  RawPeer bulk_;
};

}  // namespace guantong

#endif  // GUANTONG_TESTS_UNIT_LINK_SIDES_H_
