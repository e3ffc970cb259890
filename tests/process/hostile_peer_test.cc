// What a peer may send: broken, oversized and unknown frames, with a certificate that is in order;
// and links with one that is not. A peer can cost itself the link; the node goes on, and the honest
// child links up afterwards.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include "absl/strings/match.h"
#include "catalog/base/status.h"
#include "relay/grpc/wire_status.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/wire_client.h"

namespace guantong::test {
namespace {

// A root, and a child that is admitted but does not run: the test speaks in its name.
class HostileChild {
 public:
  HostileChild()
      : network(OneNode()),
        root(network["000000"]),
        child(network.AddFolder({"630000", "青海省", "province", "000000"})) {
    code = root.Editor().Publish(CodeAndName("名录"), network.folder().path());
    root.Editor().Do(
        {"push", code, network.folder().File("rows.csv", CodeAndNameRows(0, 10, "甲"))});
    digest = root.Operator().LocalDigest(code);
  }

  int64_t FramesRejected() const {
    return std::stoll(root.Status().at("frames_rejected").get<std::string>());
  }

  // Nothing changed, and the honest one is served.
  void CheckUnharmed() {
    CHECK(root.Running());
    CHECK(root.Operator().LocalDigest(code) == digest);
    child.Start();
    network.UntilLinked(child);
    network.Until("the child gets a copy", [&] {
      return child.Operator().Try({"subscribe", code}).ok();
    });
    network.UntilEqual(code, digest, {&child});
    child.Stop();
  }

  Network network;
  Node& root;
  Node& child;
  std::string code;
  std::string digest;
};

std::string Hello() {
  v1::Frame frame;
  frame.mutable_hello()->set_version(1);
  frame.mutable_hello()->set_boot(std::string(16, 'b'));
  return frame.SerializeAsString();
}

TEST_CASE("a truncated frame and random bytes are counted and harm nobody") {
  HostileChild hostile;
  const Credentials credentials = CredentialsOfNode(hostile.child.dir());
  {
    RawLink link(hostile.root, credentials);
    REQUIRE(link.Open());
    link.SendFrame(v1::LANE_CONTROL, Hello());
    link.SendFrame(v1::LANE_CONTROL, Hello().substr(0, 7));
    hostile.network.Until("the truncated frame is counted",
                          [&] { return hostile.FramesRejected() > 0; });
  }
  std::mt19937 random(20261121);
  for (int session = 0; session < 5; ++session) {
    RawLink link(hostile.root, credentials);
    if (!link.Open()) continue;
    for (int i = 0; i < 200; ++i) {
      std::string bytes(random() % 300, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
      if (!link.SendFrame(i % 2 == 0 ? v1::LANE_CONTROL : v1::LANE_BULK, bytes)) break;
    }
  }
  hostile.CheckUnharmed();
}

TEST_CASE("a frame too large ends the link and says why") {
  HostileChild hostile;
  RawLink link(hostile.root, CredentialsOfNode(hostile.child.dir()));
  REQUIRE(link.Open());
  CHECK_FALSE(link.SendFrame(v1::LANE_BULK, std::string(16 << 20, 'x')));
  const absl::Status why = FromGrpc(link.End(v1::LANE_BULK));
  CHECK(DetailOf(why).reason == "frame_too_large");
  nlohmann::json refusals;
  hostile.network.Until("the refusal is listed", [&] {
    refusals = hostile.root.Status().at("refusals");
    return !refusals.empty();
  });
  CHECK(refusals[0].at("check") == "frame_too_large");
  CHECK(refusals[0].at("by_us") == true);
  hostile.CheckUnharmed();
}

TEST_CASE("more than the credit, and a message beyond all bounds, end the link") {
  HostileChild hostile;
  const Credentials credentials = CredentialsOfNode(hostile.child.dir());
  {
    RawLink link(hostile.root, credentials);
    REQUIRE(link.Open());
    v1::LinkMessage message;
    message.mutable_fragment()->set_data(std::string(3 << 20, 'x'));
    for (int i = 0; i < 4 && link.Send(v1::LANE_BULK, message); ++i) {
    }
    CHECK_FALSE(link.End(v1::LANE_BULK).ok());
  }
  {
    RawLink link(hostile.root, credentials);
    REQUIRE(link.Open());
    v1::LinkMessage message;
    message.mutable_fragment()->set_data(std::string(64 << 20, 'x'));
    link.Send(v1::LANE_CONTROL, message);
    CHECK_FALSE(link.End(v1::LANE_CONTROL).ok());
  }
  hostile.CheckUnharmed();
}

TEST_CASE("messages of a later version are passed over, and the link stays") {
  HostileChild hostile;
  RawLink link(hostile.root, CredentialsOfNode(hostile.child.dir()));
  REQUIRE(link.Open());
  link.SendFrame(v1::LANE_CONTROL, Hello());
  // Field 900 of type bytes: of no frame and no message we know.
  const std::string unknown("\xa2\x38\x03new", 6);
  CHECK(link.SendFrame(v1::LANE_CONTROL, unknown));
  v1::LinkMessage message;
  REQUIRE(message.ParseFromString(unknown));
  CHECK(link.Send(v1::LANE_CONTROL, message));
  hostile.network.Until("the link is up all the same",
                        [&] { return hostile.root.Status().at("children_up") == 1; });
  // Alive: it goes on telling us things.
  REQUIRE(link.Receive(v1::LANE_CONTROL, &message));
  CHECK(link.SendFrame(v1::LANE_CONTROL, unknown));
  CHECK(hostile.root.Status().at("children_up") == 1);
}

TEST_CASE("bytes that are no TLS harm nobody") {
  HostileChild hostile;
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(hostile.root.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const std::string bytes = "GET / HTTP/1.0\r\n\r\n" + std::string(100'000, '\x16');
  CHECK(send(file, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0);
  close(file);
  hostile.CheckUnharmed();
}

TEST_CASE("a wrong-way certificate opens no link, and both sides hear why") {
  Network network(FourLevels());
  Node& national = network["000000"];
  const Client department = national.Editor();
  const std::pair<std::string, Credentials> strangers[] = {
      {"a grandchild", CredentialsOfNode(network["630100"].dir())},
      {"the node itself", CredentialsOfNode(national.dir())},
      {"a department", CredentialsOfProfile(department.profile())},
      {"an operator", CredentialsOfProfile(national.Operator().profile())},
  };
  for (const auto& [who, credentials] : strangers) {
    INFO(who);
    RawLink link(national, credentials);
    CHECK_FALSE(link.Open());
    const absl::Status why = FromGrpc(link.End(v1::LANE_CONTROL));
    INFO(why.ToString());
    CHECK(absl::IsPermissionDenied(why));
    CHECK(!DetailOf(why).reason.empty());
    CHECK(!DetailOf(why).remedy.empty());
    const auto refusal = national.Status().at("refusals").at(0);
    INFO(refusal.dump());
    CHECK(refusal.at("by_us") == true);
    CHECK(refusal.at("check") == DetailOf(why).reason);
    CHECK(absl::StrContains(refusal.at("certificate").get<std::string>(), "sha256"));
    CHECK(!refusal.at("remedy").get<std::string>().empty());
    CHECK(absl::StrContains(national.LogText(), DetailOf(why).reason));
  }
  // And the other way: a node with a profile as good as any does not speak for one.
  v1::DataService::Stub data(ChannelTo(national, CredentialsOfNode(network["630000"].dir())));
  grpc::ClientContext context;
  v1::QueryResponse response;
  const absl::Status refused = FromGrpc(data.Query(&context, v1::QueryRequest(), &response));
  CHECK(DetailOf(refused).reason == "role_not_allowed");
}

}  // namespace
}  // namespace guantong::test
