// Links over real gRPC and real TLS on the loopback interface.
#include "relay/grpc/links.h"

#include <grpcpp/grpcpp.h>

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
#include "relay/grpc/flow.h"
#include "relay/grpc/redial.h"
#include "relay/grpc/wire_status.h"
#include "tests/catch.h"
#include "tests/unit/identities.h"

namespace guantong {
namespace {

using Frame = std::shared_ptr<const std::string>;

Frame MakeFrame(size_t bytes, char fill = 'x') {
  return std::make_shared<const std::string>(bytes, fill);
}

constexpr std::chrono::seconds kDeadline(20);

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

absl::Status AdmitAll(const VerifiedChain&, bool) { return absl::OkStatus(); }

std::unique_ptr<Links> MakeLinks(LinkOptions options, const MadeNode& self,
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

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address, const MadeNode& self,
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

std::string ReasonOf(const absl::Status& status) { return DetailOf(status).reason; }

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

TEST_CASE("a link comes up on both sides, each knowing the other") {
  const Country country;
  ParentSide parent(country.province, country.network);
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  const LinkId down = parent.events.AwaitUp();
  const LinkPeer& above = child.events.up.at(up);
  CHECK(above.is_parent);
  CHECK(above.identity.node_id == country.province.node_id());
  CHECK(above.identity.path.text() == "630000");
  CHECK(ChainDigest(above.chain) == ChainDigest(country.province.chain));
  const LinkPeer& below = parent.events.up.at(down);
  CHECK_FALSE(below.is_parent);
  CHECK(below.identity.node_id == country.city.node_id());
  CHECK(below.identity.path.text() == "630000/630100");
  CHECK(ChainDigest(below.chain) == ChainDigest(country.city.chain));
}

TEST_CASE("frames of every size arrive whole, on both lanes, both ways") {
  const Country country;
  ParentSide parent(country.province, country.network);
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  const LinkId down = parent.events.AwaitUp();
  const std::vector<size_t> sizes = {0, 1, 65536, 65537, 3 << 20, 0, 7};
  for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
    for (size_t size : sizes) {
      child.links->Send(up, lane, {MakeFrame(size, 'c')});
      parent.links->Send(down, lane, {MakeFrame(size, 'p')});
    }
  }
  for (Recorder* events : {&child.events, &parent.events}) {
    REQUIRE(events->Await([&] { return events->received.size() == 2 * sizes.size(); }));
    const char fill = events == &child.events ? 'p' : 'c';
    for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
      std::vector<size_t> seen;
      for (const Recorder::Received& received : events->received) {
        if (received.lane != lane) continue;
        seen.push_back(received.frame.size());
        CHECK(received.frame == std::string(received.frame.size(), fill));
      }
      CHECK(seen == sizes);
    }
  }
  const LinkStats stats = child.links->Stats(up);
  CHECK(stats.bytes_sent > 2 * (3 << 20));
  CHECK(stats.bytes_received > 2 * (3 << 20));
  CHECK(stats.queued_bytes == 0);
}

TEST_CASE("a full receiver stops the lane at its credit, and Resume lets it go on") {
  const Country country;
  const LinkOptions options{.credit_bytes = 1 << 20};
  ParentSide parent(country.province, country.network, options);
  ChildSide child(country.city, country.network, parent.address(), options);
  const LinkId up = child.events.AwaitUp();
  const LinkId down = parent.events.AwaitUp();
  {
    const std::lock_guard<std::mutex> lock(parent.events.mutex);
    parent.events.full = true;
  }
  constexpr size_t kFrames = 64;
  for (size_t i = 0; i < kFrames; ++i) {
    child.links->Send(up, v1::LANE_BULK, {MakeFrame(256 << 10)});
  }
  REQUIRE(parent.events.Await([&] { return !parent.events.received.empty(); }));
  // Credit, and what was granted again before the first frame was complete.
  CHECK(parent.events.Never(std::chrono::milliseconds(300),
                            [&] { return parent.events.received.size() > 6; }));
  CHECK(child.links->Stats(up).queued_bytes > 32 * (256 << 10));

  // The other lane knows nothing of it.
  parent.links->Send(down, v1::LANE_BULK, {MakeFrame(1)});
  CHECK(child.events.Await([&] { return child.events.received.size() == 1; }));
  {
    const std::lock_guard<std::mutex> lock(parent.events.mutex);
    parent.events.full = false;
  }
  parent.links->Resume(down);
  CHECK(parent.events.Await([&] { return parent.events.received.size() == kFrames; }));
}

TEST_CASE("a frame larger than the receiver allows ends the link, and it comes back") {
  const Country country;
  ParentSide parent(country.province, country.network, {.frame_bytes_max = 1 << 20});
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  child.links->Send(up, v1::LANE_BULK, {MakeFrame((1 << 20) + 1)});
  REQUIRE(child.events.Await([&] { return child.events.down.count(up) == 1; }));
  CHECK(absl::IsResourceExhausted(child.events.down.at(up)));
  CHECK(ReasonOf(child.events.down.at(up)) == "frame_too_large");
  CHECK(child.events.AwaitUp(2) != up);
  CHECK(parent.events.ReceivedCount() == 0);
}

TEST_CASE("a sender that outruns its queue loses the link instead of memory") {
  const Country country;
  const LinkOptions small{.credit_bytes = 1 << 20, .send_queue_bytes_max = 4 << 20};
  ParentSide parent(country.province, country.network, small);
  ChildSide child(country.city, country.network, parent.address(), small);
  const LinkId up = child.events.AwaitUp();
  parent.events.AwaitUp();
  {
    const std::lock_guard<std::mutex> lock(parent.events.mutex);
    parent.events.full = true;
  }
  for (int i = 0; i < 12; ++i) child.links->Send(up, v1::LANE_BULK, {MakeFrame(1 << 20)});
  REQUIRE(child.events.Await([&] { return child.events.down.count(up) == 1; }));
  CHECK(ReasonOf(child.events.down.at(up)) == "send_queue_full");
}

TEST_CASE("the newest session of a node wins, and the old link is down before the new is up") {
  const Country country;
  ParentSide parent(country.province, country.network);
  // One that does not come back: its second dial would win in turn.
  ChildSide first(country.city, country.network, parent.address(),
                  {.redial_min = absl::Hours(1), .redial_max = absl::Hours(1)});
  const LinkId before = first.events.AwaitUp();
  parent.events.AwaitUp();
  ChildSide second(country.city, country.network, parent.address());
  second.events.AwaitUp();
  REQUIRE(first.events.Await([&] { return first.events.down.count(before) == 1; }));
  CHECK(ReasonOf(first.events.down.at(before)) == "session_replaced");
  REQUIRE(parent.events.Await([&] { return parent.events.order.size() == 3; }));
  CHECK(parent.events.order[0].second);
  CHECK(parent.events.order[1] == std::pair(parent.events.order[0].first, false));
  CHECK(parent.events.order[2].second);
}

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

TEST_CASE("a dial that is given up on its way costs no link that lives") {
  const Country country;
  ParentSide parent(country.province, country.network);
  ChildSide child(country.city, country.network, parent.address(),
                  {.redial_min = absl::Hours(1), .redial_max = absl::Hours(1)});
  const LinkId up = child.events.AwaitUp();
  const LinkId accepted = parent.events.AwaitUp();
  const auto dial = [&] {
    return std::make_unique<RawDial>(country.city, country.network, parent.address());
  };
  const auto lives = [&] {
    const size_t before = parent.events.ReceivedCount();
    child.links->Send(up, v1::LANE_BULK, {MakeFrame(1000)});
    return parent.events.Await([&] { return parent.events.received.size() > before; }) &&
           parent.events.received.back().link == accepted && child.events.down.empty();
  };
  std::unique_ptr<RawDial> first = dial();
  CHECK(lives());
  SECTION("given up") {
    first.reset();
    CHECK(lives());
    CHECK(parent.events.order.size() == 1);
  }
  SECTION("the one that is spoken on is the link, whatever was dialled after it") {
    const std::unique_ptr<RawDial> second = dial();
    first->SayWord();
    REQUIRE(child.events.Await([&] { return child.events.down.count(up) == 1; }));
    CHECK(ReasonOf(child.events.down.at(up)) == "session_replaced");
    REQUIRE(parent.events.Await([&] { return parent.events.order.size() == 3; }));
    CHECK(parent.events.order[1] == std::pair(accepted, false));
  }
  SECTION("of too many the oldest goes") {
    std::vector<std::unique_ptr<RawDial>> more;
    for (size_t i = 0; i < kDialsMax; ++i) more.push_back(dial());
    CHECK(first->EndReason() == "session_replaced");
    CHECK(lives());
  }
}

TEST_CASE("a child finds its parent again after a restart at the same port") {
  const Country country;
  auto parent = std::make_unique<ParentSide>(country.province, country.network);
  const int port = parent->bound;
  ChildSide child(country.city, country.network, parent->address());
  const LinkId before = child.events.AwaitUp();
  parent.reset();
  REQUIRE(child.events.Await([&] { return child.events.down.count(before) == 1; }));
  REQUIRE(child.events.Await([&] { return !child.events.dials_failed.empty(); }));
  CHECK(absl::IsUnavailable(child.events.dials_failed[0]));
  const auto restarted = std::chrono::steady_clock::now();
  parent = std::make_unique<ParentSide>(country.province, country.network, LinkOptions(), AdmitAll,
                                        port);
  const LinkId after = child.events.AwaitUp(2);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - restarted;
  UNSCOPED_INFO("up again after " << took.count() << " s");
  CHECK(took.count() < 10);
  child.links->Send(after, v1::LANE_CONTROL, {MakeFrame(10)});
  CHECK(parent->events.Await([&] { return parent->events.received.size() == 1; }));
}

TEST_CASE("whoever is refused is told why") {
  const Country country;
  const absl::Time now = absl::Now();
  const auto refused_for = [&](const MadeNode& node, AuthorisePeer authorise = AdmitAll) {
    ParentSide parent(country.province, country.network, {}, std::move(authorise));
    ChildSide child(node, country.network, parent.address());
    REQUIRE(child.events.Await([&] { return !child.events.dials_failed.empty(); }));
    CHECK(child.events.up.empty());
    CHECK(parent.events.up.empty());
    return ReasonOf(child.events.dials_failed[0]);
  };
  SECTION("expired") {
    const MadeNode node =
        MakeNode(&country.province, "630100", {now - absl::Hours(48), now - absl::Hours(24)});
    CHECK(refused_for(node) == "certificate_expired");
  }
  SECTION("not yet valid") {
    const MadeNode node =
        MakeNode(&country.province, "630100", {now + absl::Hours(24), now + absl::Hours(48)});
    CHECK(refused_for(node) == "certificate_not_yet_valid");
  }
  SECTION("foreign") { CHECK(refused_for(MakeRoot()) == "foreign_network"); }
  SECTION("a person's certificate") {
    MadeNode node = country.city;
    const IssueRequest request{.role = CertificateRole::kOperator,
                               .path = node.path,
                               .node_id = node.node_id(),
                               .common_name = "管理员",
                               .public_key = node.tls_key.public_key()};
    *node.tls_chain.mutable_certificates(0) =
        IssueOrDie(request, node.signing_key, node.chain.certificates(0));
    CHECK(refused_for(node) == "role_not_node");
  }
  SECTION("not a child of ours") {
    CHECK(refused_for(country.city, [](const VerifiedChain&, bool) {
            return Error(absl::StatusCode::kPermissionDenied, "not_a_child", "no child of ours");
          }) == "not_a_child");
  }
}

TEST_CASE("a child refuses a parent it did not expect") {
  const Country country;
  ParentSide parent(country.province, country.network);
  SECTION("by its own rule") {
    ChildSide child(country.city, country.network, parent.address(), {},
                    [](const VerifiedChain&, bool is_parent) {
                      CHECK(is_parent);
                      return Error(absl::StatusCode::kPermissionDenied, "not_our_parent", "no");
                    });
    REQUIRE(child.events.Await([&] { return !child.events.dials_failed.empty(); }));
    CHECK(ReasonOf(child.events.dials_failed[0]) == "not_our_parent");
  }
  SECTION("of another network, in the handshake") {
    const MadeNode stranger = MakeRoot();
    ChildSide child(stranger, stranger.node_id(), parent.address());
    REQUIRE(child.events.Await([&] { return !child.events.dials_failed.empty(); }));
    CHECK(absl::IsUnavailable(child.events.dials_failed[0]));
    CHECK(child.events.up.empty());
  }
}

TEST_CASE("a peer that breaks the protocol loses its link and nothing else") {
  const Country country;
  ParentSide parent(country.province, country.network, {.frame_bytes_max = 1 << 20});
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  const MadeNode hostile = MakeNode(&country.province, "630200");
  const std::string token = RandomBytes(16);
  RawPeer control(hostile, country.network, parent.address());
  v1::LinkMessage fragment;
  fragment.mutable_fragment()->set_last(true);

  SECTION("speaks before it opens") {
    control.Say(fragment);
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("opens no known lane") {
    control.Open(v1::LANE_UNSPECIFIED, token);
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("has no proper session") {
    control.Open(v1::LANE_CONTROL, "short");
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("speaks another version") {
    control.Open(v1::LANE_CONTROL, token, 99);
    CHECK(control.EndReason() == "version_unsupported");
  }
  SECTION("opens twice") {
    control.Open(v1::LANE_CONTROL, token);
    control.Open(v1::LANE_CONTROL, token);
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("opens a lane that is taken") {
    control.Open(v1::LANE_CONTROL, token);
    v1::LinkMessage answer;
    REQUIRE(control.Hear(&answer));
    CHECK(answer.open().session() == token);
    RawPeer again(hostile, country.network, parent.address());
    again.Open(v1::LANE_CONTROL, token);
    CHECK(again.EndReason() == "lane_taken");
  }
  SECTION("takes another's session") {
    control.Open(v1::LANE_CONTROL, token);
    v1::LinkMessage answer;
    REQUIRE(control.Hear(&answer));
    RawPeer thief(MakeNode(&country.province, "630300"), country.network, parent.address());
    thief.Open(v1::LANE_BULK, token);
    REQUIRE(thief.Hear(&answer));
    CHECK(parent.events.Never(std::chrono::milliseconds(100),
                              [&] { return parent.events.up.size() > 1; }));
  }
  SECTION("shows a chain that is not its own") {
    v1::LinkMessage open;
    open.mutable_open()->set_session(token);
    open.mutable_open()->set_lane(v1::LANE_CONTROL);
    open.mutable_open()->set_version_min(1);
    open.mutable_open()->set_version_max(1);
    *open.mutable_open()->mutable_chain() = country.city.chain;
    control.Say(open);
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("sends more than it was granted") {
    control.Open(v1::LANE_CONTROL, token);
    fragment.mutable_fragment()->set_last(false);
    // Until the other lane is open nothing is granted again.
    fragment.mutable_fragment()->set_data(std::string(1000, 'x'));
    for (int i = 0; i < 8000; ++i) control.Say(fragment);
    const std::string reason = control.EndReason();
    CHECK((reason == "frame_too_large" || reason == "credit_exceeded"));
  }
  // The well-behaved one has noticed nothing.
  child.links->Send(up, v1::LANE_BULK, {MakeFrame(1000)});
  CHECK(parent.events.Await([&] { return !parent.events.received.empty(); }));
  CHECK(child.events.down.empty());
}

TEST_CASE("small frames share messages, and their credit comes with the next one or by itself") {
  const Country country;
  ParentSide parent(country.province, country.network);
  const std::string token = RandomBytes(16);
  const uint32_t version = GENERATE(2u, 3u);
  CAPTURE(version);
  RawPeer control(country.city, country.network, parent.address());
  RawPeer bulk(country.city, country.network, parent.address());
  control.Open(v1::LANE_CONTROL, token, version);
  bulk.Open(v1::LANE_BULK, token, version);
  v1::LinkMessage heard;
  REQUIRE(control.Hear(&heard));
  const LinkId down = parent.events.AwaitUp();

  parent.links->Send(down, v1::LANE_CONTROL, std::vector(10, MakeFrame(50)));
  int frames = 0;
  int messages = 0;
  while (frames < 10) {
    REQUIRE(control.Hear(&heard));
    frames += (heard.has_fragment() ? 1 : 0) + heard.more_size();
    messages += heard.has_fragment() ? 1 : 0;
  }
  CHECK(messages == (version < 3 ? 10 : 1));

  v1::LinkMessage said;
  said.mutable_fragment()->set_data("first");
  said.mutable_fragment()->set_last(true);
  if (version >= 3) {
    *said.add_more() = said.fragment();
    said.mutable_more(0)->set_data("second");
  }
  control.Say(said);
  const size_t count = version < 3 ? 1 : 2;
  REQUIRE(parent.events.Await([&] { return parent.events.received.size() == count; }));
  CHECK(parent.events.received.back().frame == (version < 3 ? "first" : "second"));
  uint64_t granted = 0;
  while (granted == 0) {
    REQUIRE(control.Hear(&heard));
    granted = version < 3 ? heard.credit().bytes() : heard.beside().bytes();
  }
  CHECK(granted == (version < 3 ? 5 + kFragmentCost : 11 + 2 * kFragmentCost));
}

TEST_CASE("what has patience goes with what follows, with an answer that is due, or in time") {
  const Country country;
  const bool timed = GENERATE(false, true);
  ParentSide parent(country.province, country.network,
                    {.patience = timed ? absl::Milliseconds(1) : absl::Hours(1)});
  const std::string token = RandomBytes(16);
  RawPeer control(country.city, country.network, parent.address());
  RawPeer bulk(country.city, country.network, parent.address());
  control.Open(v1::LANE_CONTROL, token, 4);
  bulk.Open(v1::LANE_BULK, token, 4);
  const LinkId down = parent.events.AwaitUp();
  const auto hear = [&control] {
    v1::LinkMessage heard;
    do {
      REQUIRE(control.Hear(&heard));
    } while (!heard.has_fragment());
    return heard;
  };
  const auto say = [&parent](RawPeer* lane, size_t bytes) {
    v1::LinkMessage said;
    said.mutable_fragment()->set_data(std::string(bytes, 'x'));
    said.mutable_fragment()->set_last(true);
    const size_t before = parent.events.ReceivedCount();
    lane->Say(said);
    REQUIRE(parent.events.Await([&] { return parent.events.received.size() > before; }));
  };
  const auto send = [&](char fill, Patience patience) {
    parent.links->Send(down, v1::LANE_CONTROL, {MakeFrame(50, fill)}, patience);
  };

  if (timed) {
    send('a', Patience::kSome);
    CHECK(hear().fragment().data() == std::string(50, 'a'));
    return;
  }
  send('a', Patience::kSome);
  send('b', Patience::kNone);
  v1::LinkMessage both = hear();
  CHECK(both.fragment().data() == std::string(50, 'a'));
  REQUIRE(both.more_size() == 1);
  CHECK(both.more(0).data() == std::string(50, 'b'));

  // Little bulk may wait for its answer, much may not.
  say(&bulk, 1000);
  send('c', Patience::kSome);
  say(&bulk, 600'000);
  send('d', Patience::kSome);
  both = hear();
  CHECK(both.fragment().data() == std::string(50, 'c'));
  CHECK(both.more_size() == 1);

  say(&control, 10);
  send('e', Patience::kSome);
  CHECK(hear().fragment().data() == std::string(50, 'e'));
}

TEST_CASE("credit comes at once for a sender that says it needs it, and not before") {
  const Country country;
  ParentSide parent(country.province, country.network, {.credit_wait = absl::Hours(1)});
  const std::string token = RandomBytes(16);
  RawPeer control(country.city, country.network, parent.address());
  RawPeer bulk(country.city, country.network, parent.address());
  control.Open(v1::LANE_CONTROL, token, 4);
  bulk.Open(v1::LANE_BULK, token, 4);
  parent.events.AwaitUp();
  v1::LinkMessage said;
  said.mutable_fragment()->set_data(std::string(100'000, 'x'));
  said.mutable_fragment()->set_last(true);
  bulk.Say(said);
  said.mutable_beside()->set_due(true);
  bulk.Say(said);
  v1::LinkMessage heard;
  while (heard.beside().bytes() == 0) REQUIRE(bulk.Hear(&heard));
  CHECK(heard.beside().bytes() == 2 * (100'000 + kFragmentCost));
}

TEST_CASE("no sender stands for want of credit it did not ask for") {
  const Country country;
  const LinkOptions options{.credit_bytes = GENERATE(20'000u, 1'000'000u),
                            .credit_wait = absl::Hours(1)};
  ParentSide parent(country.province, country.network, options);
  ChildSide child(country.city, country.network, parent.address(), options);
  const LinkId up = child.events.AwaitUp();
  parent.events.AwaitUp();
  for (int i = 0; i < 100; ++i) {
    for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
      child.links->Send(up, lane, {MakeFrame(i % 2 == 0 ? 30'000 : 100)});
    }
  }
  CHECK(parent.events.Await([&] { return parent.events.received.size() == 200; }));
}

TEST_CASE("credit grows for who asks, as far as the node has some to spare") {
  const Country country;
  LinkOptions options{.credit_bytes = 1 << 20, .credit_bytes_max = 4 << 20};
  options.credit_more_bytes = 2 << 20;
  ParentSide parent(country.province, country.network, options);
  const std::string token = RandomBytes(16);
  RawPeer control(country.city, country.network, parent.address());
  RawPeer bulk(country.city, country.network, parent.address());
  control.Open(v1::LANE_CONTROL, token, 3);
  bulk.Open(v1::LANE_BULK, token, 3);
  parent.events.AwaitUp();
  v1::LinkMessage wish;
  wish.mutable_beside()->set_wanted(64 << 20);
  bulk.Say(wish);
  v1::LinkMessage heard;
  while (heard.credit().bytes() == 0) REQUIRE(bulk.Hear(&heard));
  CHECK(heard.credit().bytes() == options.credit_more_bytes);
}

TEST_CASE("an idle link lives by its pings, a silent peer is dead") {
  const Country country;
  const LinkOptions lively{.liveness = absl::Milliseconds(600)};
  ParentSide parent(country.province, country.network, lively);
  SECTION("idle") {
    ChildSide child(country.city, country.network, parent.address(), lively);
    child.events.AwaitUp();
    CHECK(child.events.Never(std::chrono::milliseconds(2000),
                             [&] { return !child.events.down.empty(); }));
  }
  SECTION("silent") {
    const std::string token = RandomBytes(16);
    RawPeer control(country.city, country.network, parent.address());
    RawPeer bulk(country.city, country.network, parent.address());
    control.Open(v1::LANE_CONTROL, token);
    bulk.Open(v1::LANE_BULK, token);
    const LinkId up = parent.events.AwaitUp();
    REQUIRE(parent.events.Await([&] { return parent.events.down.count(up) == 1; }));
    CHECK(ReasonOf(parent.events.down.at(up)) == "link_silent");
    CHECK(control.EndReason() == "link_silent");
  }
  SECTION("half open") {
    RawPeer control(country.city, country.network, parent.address());
    control.Open(v1::LANE_CONTROL, RandomBytes(16));
    CHECK(control.EndReason() == "link_open_timeout");
  }
  SECTION("never opened") {
    RawPeer control(country.city, country.network, parent.address());
    CHECK(control.EndReason() == "link_open_timeout");
  }
}

TEST_CASE("Close tells the peer why, and after Stop nothing is heard") {
  const Country country;
  ParentSide parent(country.province, country.network);
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  const LinkId down = parent.events.AwaitUp();
  parent.links->Close(down, Error(absl::StatusCode::kPermissionDenied, "revoked", "revoked"));
  REQUIRE(child.events.Await([&] { return child.events.down.count(up) == 1; }));
  CHECK(ReasonOf(child.events.down.at(up)) == "revoked");
  REQUIRE(parent.events.Await([&] { return parent.events.down.count(down) == 1; }));
  child.links->Stop();
  size_t events;
  {
    const std::lock_guard<std::mutex> lock(child.events.mutex);
    events = child.events.order.size() + child.events.dials_failed.size();
  }
  CHECK(child.events.Never(std::chrono::milliseconds(200), [&] {
    return child.events.order.size() + child.events.dials_failed.size() != events;
  }));
  child.links->Send(up, v1::LANE_BULK, {MakeFrame(1)});
  child.links->Close(up, absl::CancelledError());
  CHECK(child.links->Stats(up).bytes_sent == 0);
}

}  // namespace
}  // namespace guantong
