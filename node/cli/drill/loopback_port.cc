#include "node/cli/drill/loopback_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>

#include "catalog/base/status.h"

namespace guantong {
namespace {

constexpr char kPortRange[] = "/proc/sys/net/ipv4/ip_local_port_range";
constexpr int kUsualFirst = 32768;  // of Linux, where the file cannot be read
constexpr int kRegisteredFirst = 1024;
constexpr int kSpan = 20000;  // that many below the first one
constexpr int kTries = 1000;

bool Bindable(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  return bound;
}

}  // namespace

uint16_t FirstEphemeralPort() {
  int first = 0;
  std::ifstream(kPortRange) >> first;
  return static_cast<uint16_t>(first > 0 ? first : kUsualFirst);
}

absl::StatusOr<uint16_t> FreeLoopbackPort() {
  const int end = FirstEphemeralPort();
  const int first = std::max(kRegisteredFirst, end - kSpan);
  std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<int> below(first, std::max(first, end - 1));
  for (int tries = 0; first < end && tries < kTries; ++tries) {
    const auto port = static_cast<uint16_t>(below(random));
    if (Bindable(port)) return port;
  }
  return Error(absl::StatusCode::kUnavailable, "port_in_use", std::strerror(errno), "127.0.0.1");
}

}  // namespace guantong
