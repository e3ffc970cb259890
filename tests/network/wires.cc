// Theory. A host is a namespace with a TUN interface; its descriptor belongs to the one thread
// `Run`, which reads a packet, finds by the destination whose it is, and asks the line between the
// two when it arrives: a packet takes its turn after those before it (rate), then the delay. What
// is under way waits in `due` by its time. Packets of one line never overtake each other, because
// their times do not.
#include "tests/network/wires.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace guantong::test {
namespace {

using std::chrono::steady_clock;

constexpr size_t kPacketBytesMax = 64 << 10;
constexpr size_t kCardHeaderBytes = 10;  // before each packet, where cards cut
constexpr size_t kDestinationAt = 16;    // in the header of IPv4
constexpr int kPacketsAtOnce = 64;       // of one host, before the others have their turn
constexpr int kHostsMax = 250;

[[noreturn]] void Fail(const char* what) {
  throw std::runtime_error(absl::StrCat(what, ": ", std::strerror(errno)));
}

// A thread that leaves the namespace of the others cannot be given back: it ends.
void OnItsOwnThread(const std::function<void()>& work) {
  std::exception_ptr failed;
  std::thread([&] {
    try {
      work();
    } catch (...) {
      failed = std::current_exception();
    }
  }).join();
  if (failed) std::rethrow_exception(failed);
}

void SetUp(int control, const char* interface, const std::string& address, int packet_bytes) {
  ifreq request = {};
  std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  if (packet_bytes > 0) {
    request.ifr_mtu = packet_bytes;
    if (ioctl(control, SIOCSIFMTU, &request) != 0) Fail("packet size of an interface");
  }
  if (!address.empty()) {
    auto* in = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
    in->sin_family = AF_INET;
    inet_pton(AF_INET, address.c_str(), &in->sin_addr);
    if (ioctl(control, SIOCSIFADDR, &request) != 0) Fail("address of an interface");
    inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
    if (ioctl(control, SIOCSIFNETMASK, &request) != 0) Fail("netmask of an interface");
  }
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(control, SIOCSIFFLAGS, &request) != 0) Fail("starting an interface");
}

struct Ends {
  int network_namespace = -1;
  int tun = -1;
};

// On a thread of its own.
Ends MakeNamespace(const std::string& address, int packet_bytes = 0,
                   Cutting cutting = Cutting::kHost) {
  Ends ends;
  if (unshare(CLONE_NEWNET) != 0) Fail("a network namespace");
  ends.network_namespace = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (ends.network_namespace < 0) Fail("/proc/thread-self/ns/net");
  ends.tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (ends.tun < 0) Fail("/dev/net/tun");
  ifreq request = {};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (cutting == Cutting::kCard) request.ifr_flags |= IFF_VNET_HDR;
  std::strncpy(request.ifr_name, "line", IFNAMSIZ - 1);
  if (ioctl(ends.tun, TUNSETIFF, &request) != 0) Fail("a TUN interface");
  if (cutting == Cutting::kCard && ioctl(ends.tun, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) != 0) {
    Fail("an interface that takes what its card is to cut");
  }
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  SetUp(control, "lo", "", 0);
  SetUp(control, "line", address, packet_bytes);
  close(control);
  return ends;
}

std::string AddressOf(int number) { return absl::StrCat("10.99.0.", number); }

// virtio_net_hdr of <linux/virtio_net.h>, which C++ cannot read (it has a member `class`).
struct CardHeader {
  uint8_t flags;
  uint8_t cut_as;  // 0: a packet as it is
  uint16_t header_bytes;
  uint16_t cut_bytes;
  uint16_t checksum_from;
  uint16_t checksum_at;
};
static_assert(sizeof(CardHeader) == kCardHeaderBytes);

// What `bytes`, with the header before them where cards cut, are on the line.
size_t BytesOnLine(std::string_view bytes, Cutting cutting) {
  if (cutting == Cutting::kHost) return bytes.size();
  CardHeader card;
  std::memcpy(&card, bytes.data(), sizeof card);
  const std::string_view packet = bytes.substr(sizeof card);
  const size_t tcp_length_at = card.checksum_from + 12u;
  if (card.cut_as == 0 || card.cut_bytes == 0 || packet.size() <= tcp_length_at) {
    return packet.size();
  }
  // Each packet but the first repeats the headers of IP and TCP.
  const size_t headers =
      card.checksum_from + 4 * (static_cast<uint8_t>(packet[tcp_length_at]) >> 4);
  const size_t packets = (packet.size() - headers + card.cut_bytes - 1) / card.cut_bytes;
  return packet.size() + (std::max<size_t>(packets, 1) - 1) * headers;
}

}  // namespace

struct Wires::State {
  State(uint32_t seed, int packet_size, Cutting who_cuts)
      : packet_bytes(packet_size), cutting(who_cuts), random(seed) {
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread = std::thread([this] { Run(); });
  }
  ~State() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      stopping = true;
    }
    Wake();
    thread.join();
    for (const int tun : tuns) close(tun);
    for (const Host& host : hosts) close(host.network_namespace);
    close(wake);
  }

  struct Way {
    Line line;
    Traffic traffic;
    steady_clock::time_point free_at;  // the last packet has left
  };
  struct Packet {
    int to;
    Way* way;
    std::string bytes;
  };

  void Wake() const {
    const uint64_t one = 1;
    if (write(wake, &one, sizeof one) < 0) return;  // it is awake
  }

  Way& At(int from, int to) { return ways[{from, to}]; }

  void Run();
  void Take(int from, std::string bytes);
  int Deliver();  // milliseconds until the next is due; -1: none

  const int packet_bytes;
  const Cutting cutting;
  mutable std::mutex mutex;  // guards all below; `hosts` keep their places
  bool stopping = false;
  std::deque<Host> hosts;
  std::vector<int> tuns;
  std::map<std::pair<int, int>, Way> ways;
  std::multimap<steady_clock::time_point, Packet> due;
  std::mt19937 random;
  int wake = -1;
  std::thread thread;
};

void Wires::State::Take(int from, std::string bytes) {
  const size_t ip_at = cutting == Cutting::kCard ? kCardHeaderBytes : 0;
  const size_t destination_at = ip_at + kDestinationAt;
  if (bytes.size() < destination_at + 4 || (bytes[ip_at] & 0xf0) != 0x40) return;
  const int to = static_cast<uint8_t>(bytes[destination_at + 3]);
  if (bytes.compare(destination_at, 3, "\x0a\x63\x00", 3) != 0 || to == 0 ||
      to > static_cast<int>(hosts.size())) {
    return;
  }
  Way& way = At(from, to);
  const auto now = steady_clock::now();
  const Line& line = way.line;
  auto leaves = now;
  bool taken = !line.cut && !(std::uniform_real_distribution<double>(0, 1)(random) < line.loss);
  if (taken && line.bits_per_second > 0) {
    const auto turn = std::max(now, way.free_at);
    const std::chrono::nanoseconds holds(static_cast<int64_t>(BytesOnLine(bytes, cutting)) * 8 *
                                         1'000'000'000 / line.bits_per_second);
    const double waiting = std::chrono::duration<double>(turn - now).count() *
                           static_cast<double>(line.bits_per_second) / 8;
    taken = waiting <= static_cast<double>(line.queue_bytes);
    if (taken) leaves = way.free_at = turn + holds;
  }
  if (!taken) {
    ++way.traffic.dropped;
    return;
  }
  due.emplace(leaves + absl::ToChronoNanoseconds(line.delay), Packet{to, &way, std::move(bytes)});
}

int Wires::State::Deliver() {
  while (!due.empty()) {
    const auto wait = due.begin()->first - steady_clock::now();
    if (wait > wait.zero()) {
      return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(wait).count()) +
             1;
    }
    const Packet packet = std::move(due.begin()->second);
    due.erase(due.begin());
    // A line that is cut meanwhile loses what is on it.
    if (!packet.way->line.cut &&
        write(tuns[packet.to - 1], packet.bytes.data(), packet.bytes.size()) > 0) {
      ++packet.way->traffic.packets;
      packet.way->traffic.bytes += BytesOnLine(packet.bytes, cutting);
    } else {
      ++packet.way->traffic.dropped;
    }
  }
  return -1;
}

void Wires::State::Run() {
  std::vector<char> buffer(kPacketBytesMax + kCardHeaderBytes);
  while (true) {
    std::vector<pollfd> ready;
    int wait;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (stopping) return;
      wait = Deliver();
      ready.push_back({wake, POLLIN, 0});
      for (const int tun : tuns) ready.push_back({tun, POLLIN, 0});
    }
    poll(ready.data(), ready.size(), wait);
    uint64_t ignored;
    if (ready[0].revents != 0 && read(wake, &ignored, sizeof ignored) < 0) continue;
    const std::lock_guard<std::mutex> lock(mutex);
    for (size_t i = 1; i < ready.size(); ++i) {
      if ((ready[i].revents & POLLIN) == 0) continue;
      for (int taken = 0; taken < kPacketsAtOnce; ++taken) {
        const ssize_t got = read(ready[i].fd, buffer.data(), buffer.size());
        if (got <= 0) break;
        Take(static_cast<int>(i), std::string(buffer.data(), static_cast<size_t>(got)));
      }
    }
  }
}

std::string Wires::WhyNot() {
  try {
    OnItsOwnThread([] {
      const Ends ends = MakeNamespace(AddressOf(1));
      close(ends.tun);
      close(ends.network_namespace);
    });
  } catch (const std::exception& failed) {
    return absl::StrCat("no network namespaces can be made here (", failed.what(), ")");
  }
  return "";
}

Wires::Wires(uint32_t seed, int packet_bytes, Cutting cutting)
    : state_(std::make_unique<State>(seed, packet_bytes, cutting)) {}
Wires::~Wires() = default;

const Host& Wires::AddHost() {
  int number;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    number = static_cast<int>(state_->hosts.size()) + 1;
  }
  if (number > kHostsMax) throw std::runtime_error("no more hosts on these wires");
  Ends ends;
  OnItsOwnThread(
      [&] { ends = MakeNamespace(AddressOf(number), state_->packet_bytes, state_->cutting); });
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->tuns.push_back(ends.tun);
  state_->hosts.push_back({ends.network_namespace, number, AddressOf(number)});
  state_->Wake();
  return state_->hosts.back();
}

void Wires::SetOneWay(const Host& from, const Host& to, const Line& line) {
  if (line.loss > 0 && state_->cutting == Cutting::kCard) {
    throw std::invalid_argument("a line with loss, where cards cut what is sent");
  }
  const std::lock_guard<std::mutex> lock(state_->mutex);
  State::Way& way = state_->At(from.number, to.number);
  way.line = line;
  way.free_at = {};
}

void Wires::SetBothWays(const Host& a, const Host& b, const Line& line) {
  SetOneWay(a, b, line);
  SetOneWay(b, a, line);
}

Traffic Wires::TrafficOf(const Host& from, const Host& to) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->At(from.number, to.number).traffic;
}

bool ListensIn(const Host& host, uint16_t port) {
  bool listens = false;
  OnItsOwnThread([&] {
    if (setns(host.network_namespace, CLONE_NEWNET) != 0) Fail("entering a namespace");
    const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host.address.c_str(), &address.sin_addr);
    listens = connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(file);
  });
  return listens;
}

}  // namespace guantong::test
