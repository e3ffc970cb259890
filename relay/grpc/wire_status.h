// Our Status on the gRPC wire and back: the one place of conversion, for the daemon and its
// clients.
//
// The detail (reason, subject, remedy) travels packed in the status' binary details, the message as
// its text. Both are trailing metadata, which peers bound to 8 KiB as a whole, with Chinese text
// tripled by percent-encoding: longer parts are cut at a character, so that an error never costs
// the caller the error.
#ifndef GUANTONG_RELAY_GRPC_WIRE_STATUS_H_
#define GUANTONG_RELAY_GRPC_WIRE_STATUS_H_

#include <cstddef>

#include "absl/status/status.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace guantong {

inline constexpr size_t kWireMessageBytesMax = 1600;
inline constexpr size_t kWireSubjectBytesMax = 256;
inline constexpr size_t kWireRemedyBytesMax = 800;

grpc::Status ToGrpc(const absl::Status& status);

// A status made by gRPC itself, or by a stranger, carries no detail: it gets the reason
// `rpc_<code>`, e.g. rpc_unavailable, so that every error a script sees has one. Codes outside the
// canonical ones become UNKNOWN.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_WIRE_STATUS_H_
