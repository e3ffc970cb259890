#include "relay/grpc/stream_windows.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/catch.h"
#include "tests/unit/link_sides.h"

namespace guantong {
namespace {

// Packets with data in them that this process has sent from its own end of connections at `port`.
uint32_t SentFrom(int port) {
  uint32_t sent = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    sockaddr_in local = {};
    socklen_t size = sizeof(local);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0 ||
        ntohs(local.sin_port) != port) {
      continue;
    }
    tcp_info info = {};
    size = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) sent += info.tcpi_data_segs_out;
  }
  return sent;
}

TEST_CASE("stream windows: gRPC asks ours") { CHECK(StreamWindowsAreOurs()); }

TEST_CASE("stream windows: many messages are read before one gives the window back") {
  constexpr size_t kFrames = 400;
  constexpr size_t kFrameBytes = 1000;
  const Country country;
  ParentSide parent(country.province, country.network);
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  parent.events.AwaitUp();
  const uint32_t before = SentFrom(parent.bound);
  REQUIRE(before > 0);
  for (size_t i = 1; i <= kFrames; ++i) {
    child.links->Send(up, v1::LANE_CONTROL, {MakeFrame(kFrameBytes)});
    REQUIRE(parent.events.Await([&] { return parent.events.received.size() == i; }));
  }
  // Windows come back eight times here; the rest is credit of the link and what gRPC asks about the
  // line.
  CHECK(SentFrom(parent.bound) - before < kFrames / 4);
}

}  // namespace
}  // namespace guantong
