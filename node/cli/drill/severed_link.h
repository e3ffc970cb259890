// A wire between two nodes on the loopback that can be cut: what a partition looks like to both.
// While it is cut nothing passes and nothing is answered; connections are dropped when it is
// mended, as after a long outage.
#ifndef GUANTONG_NODE_CLI_DRILL_SEVERED_LINK_H_
#define GUANTONG_NODE_CLI_DRILL_SEVERED_LINK_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"

namespace guantong {

class SeveredLink {
 public:
  // Listens at `port` and passes everything on to `to`, both on the loopback. UNAVAILABLE
  // port_in_use.
  static absl::StatusOr<std::unique_ptr<SeveredLink>> Make(uint16_t port, uint16_t to);
  ~SeveredLink();

  void Cut() { cut_ = true; }
  void Mend() { cut_ = false; }

 private:
  SeveredLink(int listener, uint16_t to);
  void Loop();

  const int listener_;
  const uint16_t to_;
  std::atomic<bool> cut_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_DRILL_SEVERED_LINK_H_
