// Links refuse peers with the same statuses, so the conversion stands where the lowest of its users
// does.
#ifndef GUANTONG_NODE_RPC_WIRE_STATUS_H_
#define GUANTONG_NODE_RPC_WIRE_STATUS_H_

#include "relay/grpc/wire_status.h"

#endif  // GUANTONG_NODE_RPC_WIRE_STATUS_H_
