// How much of a long, fast line one stream of bulk fills.
//
//   RATE_MBIT=1000 RTT_MS=100 WARM=5 DUR=5 FRAME_KIB=256 PACKET=1500 CARD=1  bench_far_link
//
// Two hosts on a line of that rate and round trip (tests/network/wires.h: a thread carries the
// packets). First one plain TCP connection, which says what the line and this machine can carry at
// all; then relay/grpc between two processes with the identities and TLS of two nodes, one lane
// kept full. Both after WARM seconds, in which windows open. Only what a frame holds is counted.
// TCP's own limits are raised on both hosts, as an operator of such a line does. CARD=1: a host
// hands what is to be cut into packets to its card, as hosts do; 0: it cuts them itself, and this
// machine is both hosts and the line, which carries each by itself. Prints one line:
//   line_mbit_s     plain TCP
//   link_mbit_s     ours
//   share           ours of the lesser of line and rate
//   resident_mb     of the receiving process, at the end
#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "catalog/base/digest.h"
#include "node/identity/credentials.h"
#include "node/identity/identity.h"
#include "relay/grpc/arguments.h"
#include "relay/grpc/links.h"
#include "tests/bench/measure.h"
#include "tests/network/network.h"

namespace guantong {
namespace {

using bench::Parameter;

constexpr uint16_t kTcpPort = 7001;
constexpr uint16_t kLinkPort = 7002;

absl::Duration Warm() { return absl::Seconds(Parameter("WARM", 5)); }
absl::Duration Span() { return absl::Seconds(Parameter("DUR", 5)); }

// Bytes of the span that begins when the first ones are WARM old.
class Meter {
 public:
  void Add(size_t bytes) {
    const absl::Time now = absl::Now();
    if (from_ == absl::InfiniteFuture()) from_ = now + Warm();
    if (now >= from_ && now < from_ + Span()) bytes_ += bytes;
    if (now >= from_ + Span()) done_ = true;
  }
  bool done() const { return done_; }
  double mbit_s() const {
    return static_cast<double>(bytes_) * 8 / 1e6 / absl::ToDoubleSeconds(Span());
  }

 private:
  absl::Time from_ = absl::InfiniteFuture();
  uint64_t bytes_ = 0;
  std::atomic<bool> done_{false};
};

sockaddr_in AddressOf(const std::string& ip, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  return address;
}

int TcpReceive(const std::string& ip) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = AddressOf(ip, kTcpPort);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 1) != 0) {
    return 1;
  }
  const int peer = accept(listener, nullptr, nullptr);
  std::vector<char> buffer(1 << 20);
  Meter meter;
  for (ssize_t got; !meter.done() && (got = read(peer, buffer.data(), buffer.size())) > 0;) {
    meter.Add(static_cast<size_t>(got));
  }
  std::printf("%.1f\n", meter.mbit_s());
  return 0;
}

int TcpSend(const std::string& ip) {
  const int peer = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = AddressOf(ip, kTcpPort);
  if (connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
  const std::vector<char> bytes(1 << 20, 'x');
  while (send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) continue;
  return 0;
}

class Receiving final : public LinkEvents {
 public:
  void OnLinkUp(LinkId, const LinkPeer&) override {}
  bool OnFrame(LinkId, v1::Lane, std::string frame) override {
    meter.Add(frame.size());
    return true;
  }
  void OnLinkDown(LinkId, const absl::Status&) override {}
  void OnDialFailed(const std::string&, const absl::Status&) override {}
  Meter meter;
};

class Sending final : public LinkEvents {
 public:
  void OnLinkUp(LinkId link, const LinkPeer&) override { up = link; }
  bool OnFrame(LinkId, v1::Lane, std::string) override { return true; }
  void OnLinkDown(LinkId, const absl::Status&) override { down = true; }
  void OnDialFailed(const std::string&, const absl::Status& why) override {
    std::cerr << "bench_far_link: " << why.message() << "\n";
  }
  std::atomic<LinkId> up{0};
  std::atomic<bool> down{false};
};

absl::Status AdmitAll(const VerifiedChain&, bool) { return absl::OkStatus(); }

LinkOptions OptionsOf(const Identity& identity) {
  LinkOptions options;
  options.own_chain = identity.chain;
  return options;
}

int LinkReceive(const std::string& dir, const std::string& ip) {
  const Identity identity = LoadIdentity(dir).value();
  const LinkOptions options = OptionsOf(identity);
  Receiving events;
  const auto links = Links::Create(options, identity.self.network, &events, AdmitAll);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat(ip, ":", kLinkPort),
                           MakeServerCredentials(identity.tls_key.ToPem(), identity.tls_chain_pem));
  builder.RegisterService(links->service());
  ApplyLinkArguments(options, &builder);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  bench::Await("the frames", [&] {
    absl::SleepFor(absl::Milliseconds(50));
    return events.meter.done();
  });
  std::printf("%.1f %llu\n", events.meter.mbit_s(),
              static_cast<unsigned long long>(bench::ResidentKib(getpid()) >> 10));
  std::fflush(stdout);
  links->Stop();
  server->Shutdown();
  return 0;
}

int LinkSend(const std::string& dir, const std::string& ip) {
  const Identity identity = LoadIdentity(dir).value();
  const LinkOptions options = OptionsOf(identity);
  const std::string address = absl::StrCat(ip, ":", kLinkPort);
  Sending events;
  const auto links = Links::Create(options, identity.self.network, &events, AdmitAll);
  links->Dial(address, [&] {
    return MakeLinkChannel(
        options, address,
        MakeChannelCredentials(
            identity.tls_key.ToPem(), identity.tls_chain_pem, identity.self.network,
            [](const VerifiedChain&) { return absl::OkStatus(); }, nullptr));
  });
  const auto frame = std::make_shared<const std::string>(
      RandomBytes(static_cast<size_t>(Parameter("FRAME_KIB", 256)) << 10));
  // Full, and not so full that the queue's bound ends the link.
  while (!events.down) {
    if (events.up == 0 || links->Stats(events.up).queued_bytes > (32u << 20)) {
      absl::SleepFor(absl::Milliseconds(2));
      continue;
    }
    links->Send(events.up, v1::LANE_BULK, {frame});
  }
  links->Stop();
  return 0;
}

// What Linux gives a connection by itself ends at a quarter of such a line.
void RaiseTcpLimits(const test::Host& host) {
  std::thread([&] {
    if (setns(host.network_namespace, CLONE_NEWNET) != 0) return;
    for (const char* name : {"tcp_rmem", "tcp_wmem"}) {
      std::ofstream(absl::StrCat("/proc/sys/net/ipv4/", name)) << "4096 131072 67108864";
    }
  }).join();
}

std::string Between(const test::Node& sender, const test::Node& receiver, const std::string& what) {
  const auto start = [&](const test::Node& node, const std::string& role) {
    test::ProcessOptions options;
    options.arguments = {"/proc/self/exe", role, node.dir(), receiver.host().address};
    options.arguments[0] = std::filesystem::read_symlink("/proc/self/exe").string();
    options.network_namespace = node.host().network_namespace;
    return std::make_unique<test::Process>(options);
  };
  const auto to = start(receiver, what + "-receive");
  bench::Await("the receiver", [&] {
    return !to->Running() || test::ListensIn(receiver.host(), kLinkPort) || what == "tcp";
  });
  if (what == "tcp") absl::SleepFor(absl::Milliseconds(300));
  const auto from = start(sender, what + "-send");
  const test::Outcome outcome = to->Wait(absl::Minutes(2));
  from->Kill();
  if (!outcome.ok()) throw std::runtime_error(outcome.Text());
  return outcome.out;
}

int Run() {
  if (const std::string why = test::Wires::WhyNot(); !why.empty()) throw std::runtime_error(why);
  const int64_t rate = Parameter("RATE_MBIT", 1000) * 1'000'000;
  const absl::Duration round_trip = absl::Milliseconds(Parameter("RTT_MS", 100));
  test::Wires wires(/*seed=*/1, static_cast<int>(Parameter("PACKET", 1500)),
                    Parameter("CARD", 1) != 0 ? test::Cutting::kCard : test::Cutting::kHost);
  test::Network network(
      {{"000000", "国家", "national", ""}, {"630000", "青海省", "province", "000000"}}, &wires);
  test::Node& parent = network["000000"];
  test::Node& child = network["630000"];
  child.Stop();
  parent.Stop();
  RaiseTcpLimits(parent.host());
  RaiseTcpLimits(child.host());
  wires.SetBothWays(parent.host(), child.host(),
                    {.bits_per_second = rate,
                     .delay = round_trip / 2,
                     .queue_bytes = static_cast<int64_t>(absl::ToDoubleSeconds(round_trip) *
                                                         static_cast<double>(rate) / 8)});
  const double line = std::atof(Between(child, parent, "tcp").c_str());
  const std::string ours = Between(child, parent, "link");
  const double link = std::atof(ours.c_str());
  const double full = std::min(line, static_cast<double>(rate) / 1e6);
  std::printf(
      "far_link rate_mbit_s=%lld rtt_ms=%lld line_mbit_s=%.0f link_mbit_s=%.0f share=%.2f "
      "resident_mb=%d\n",
      static_cast<long long>(rate / 1'000'000),
      static_cast<long long>(absl::ToInt64Milliseconds(round_trip)), line, link,
      full > 0 ? link / full : 0, std::atoi(ours.c_str() + ours.find(' ')));
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() < 4) return Run();
  if (arguments[1] == "tcp-receive") return TcpReceive(arguments[3]);
  if (arguments[1] == "tcp-send") return TcpSend(arguments[3]);
  if (arguments[1] == "link-receive") return LinkReceive(arguments[2], arguments[3]);
  return LinkSend(arguments[2], arguments[3]);
}

}  // namespace
}  // namespace guantong

int main(int argc, char** argv) {
  guantong::RequireTls13();
  try {
    return guantong::Main({argv, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "bench_far_link: " << error.what() << "\n";
    return 1;
  }
}
