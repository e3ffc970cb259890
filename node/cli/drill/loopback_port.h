// Where a node on the loopback may listen.
#ifndef GUANTONG_NODE_CLI_DRILL_LOOPBACK_PORT_H_
#define GUANTONG_NODE_CLI_DRILL_LOOPBACK_PORT_H_

#include <cstdint>

#include "absl/status/statusor.h"

namespace guantong {

// A port of 127.0.0.1 nobody listens on, below those the kernel gives to outgoing connections: it
// stays free until a node listens there, and while a node that was killed is away. UNAVAILABLE
// port_in_use.
absl::StatusOr<uint16_t> FreeLoopbackPort();

// The first port the kernel gives to outgoing connections.
uint16_t FirstEphemeralPort();

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_DRILL_LOOPBACK_PORT_H_
