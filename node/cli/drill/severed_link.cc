#include "node/cli/drill/severed_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <list>
#include <utility>
#include <vector>

#include "catalog/base/status.h"

namespace guantong {
namespace {

constexpr int kLookMs = 50;
constexpr size_t kPieceBytes = 64 << 10;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int Listen(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = Loopback(port);
  if (fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(fd, 16) == 0) {
    return fd;
  }
  if (fd >= 0) ::close(fd);
  return -1;
}

struct Pair {
  int a;
  int b;
};

// False when one side is gone.
bool Pass(int from, int to) {
  char piece[kPieceBytes];
  const ssize_t count = ::recv(from, piece, sizeof piece, MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  for (ssize_t sent = 0; sent < count;) {
    const ssize_t now = ::send(to, piece + sent, static_cast<size_t>(count - sent), MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += now;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SeveredLink>> SeveredLink::Make(uint16_t port, uint16_t to) {
  const int fd = Listen(port);
  if (fd < 0) {
    return Error(absl::StatusCode::kUnavailable, "port_in_use", std::strerror(errno), "127.0.0.1");
  }
  return std::unique_ptr<SeveredLink>(new SeveredLink(fd, to));
}

SeveredLink::SeveredLink(int listener, uint16_t to)
    : listener_(listener), to_(to), thread_([this] { Loop(); }) {}

SeveredLink::~SeveredLink() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
}

void SeveredLink::Loop() {
  std::list<Pair> pairs;
  const auto drop = [&](std::list<Pair>::iterator at) {
    ::close(at->a);
    ::close(at->b);
    return pairs.erase(at);
  };
  bool was_cut = false;
  while (!stopping_) {
    if (cut_) {
      was_cut = true;
      ::poll(nullptr, 0, kLookMs);
      continue;
    }
    if (std::exchange(was_cut, false)) {
      for (auto it = pairs.begin(); it != pairs.end();) it = drop(it);
    }
    std::vector<pollfd> waiting = {{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      waiting.push_back({pair.a, POLLIN, 0});
      waiting.push_back({pair.b, POLLIN, 0});
    }
    if (::poll(waiting.data(), waiting.size(), kLookMs) <= 0) continue;
    size_t at = 1;
    for (auto it = pairs.begin(); it != pairs.end(); at += 2) {
      const bool open = (waiting[at].revents == 0 || Pass(it->a, it->b)) &&
                        (waiting[at + 1].revents == 0 || Pass(it->b, it->a));
      it = open ? std::next(it) : drop(it);
    }
    if (waiting[0].revents == 0) continue;
    const int a = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int b = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(to_);
    if (a >= 0 && b >= 0 &&
        ::connect(b, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      pairs.push_back({a, b});
      continue;
    }
    if (a >= 0) ::close(a);
    if (b >= 0) ::close(b);
  }
  for (auto it = pairs.begin(); it != pairs.end();) it = drop(it);
}

}  // namespace guantong
