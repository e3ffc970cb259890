// Hosts in network namespaces of their own, joined by lines of a quality the test sets.
//
// Each host has one interface, whose packets come to a thread of this process: it holds them back,
// drops or passes them on as the line between the two hosts says. So a test needs no module of the
// kernel for bad lines and no packet filter, sees every packet, and leaves nothing behind: the
// namespaces have no names and end with the process, however it ends.
//
// THREADS  Any; a line may be changed while packets are on it (those under way still arrive).
#ifndef GUANTONG_TESTS_NETWORK_WIRES_H_
#define GUANTONG_TESTS_NETWORK_WIRES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"

namespace guantong::test {

struct Host {
  int network_namespace;  // descriptor
  int number;             // from 1
  std::string address;    // IPv4
};

// One direction. The default is a cable.
struct Line {
  int64_t bits_per_second = 0;  // 0: without a limit
  absl::Duration delay;
  double loss = 0;              // of packets, each on its own
  int64_t queue_bytes = 64000;  // waiting for their turn; what comes beyond is dropped
  bool cut = false;
};

// Who cuts what TCP sends into packets.
enum class Cutting {
  kHost,  // each packet comes to the line, and is lost, by itself
  kCard,  // as a network card does that is handed 64 KiB at once and hands as much on: what came at
          // once takes the line's time for the packets it would be, and arrives together
};

struct Traffic {
  uint64_t packets = 0;  // delivered; with kCard what arrived at once is one
  uint64_t bytes = 0;
  uint64_t dropped = 0;
};

class Wires {
 public:
  // Why this machine can have none; empty when it can.
  static std::string WhyNot();

  // `seed` of the loss; `packet_bytes` the largest packet of its interfaces.
  explicit Wires(uint32_t seed = 1, int packet_bytes = 1500, Cutting cutting = Cutting::kHost);
  ~Wires();
  Wires(const Wires&) = delete;
  Wires& operator=(const Wires&) = delete;

  // Throws when it cannot be made. Valid as long as this lives.
  const Host& AddHost();

  // Throws for a line with loss where cards cut: there it would be of 64 KiB.
  void SetOneWay(const Host& from, const Host& to, const Line& line);
  void SetBothWays(const Host& a, const Host& b, const Line& line);
  Traffic TrafficOf(const Host& from, const Host& to) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether somebody in this namespace listens on the port.
bool ListensIn(const Host& host, uint16_t port);

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_NETWORK_WIRES_H_
