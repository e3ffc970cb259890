// One node, running: its parts made, wired, served and ended in order.
#ifndef GUANTONG_NODE_DAEMON_H_
#define GUANTONG_NODE_DAEMON_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace guantong {

class Daemon {
 public:
  // Returns when the node serves. Errors name the thing and the remedy: those of LoadConfig,
  // LoadIdentity and OpenRocksStore, FAILED_PRECONDITION foreign_store, parent_mismatch;
  // UNAVAILABLE port_in_use. A store with damaged files is mended first (upkeep/mend.h). Damage met
  // later calls `wants_restart`, from any thread: Stop, and Start again, mends it.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(const std::string& dir,
                                                       std::function<void()> wants_restart);
  virtual ~Daemon() = default;

  // Ends links and requests, makes durable what was taken, and returns. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_DAEMON_H_
