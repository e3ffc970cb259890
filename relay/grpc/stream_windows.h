// HTTP/2 windows of streams, given back by the dozen instead of after each message.
//
// gRPC gives a stream back what was read as soon as it is asked for the next message: a write of
// its own, at the peer a wake-up and a read, for every message that comes. Half of all that is sent
// over a call's way was this. The function that says how much is to be given
// (catalog/base/replaced.h) gives `kStreamAhead` more each time, so that the next time is after as
// many bytes.
//
// A peer may so have that much more unread in a stream; nothing is granted later than before. Where
// a later gRPC has no such function, nothing but the speed changes.
#ifndef GUANTONG_RELAY_GRPC_STREAM_WINDOWS_H_
#define GUANTONG_RELAY_GRPC_STREAM_WINDOWS_H_

#include <cstdint>

namespace guantong {

inline constexpr int64_t kStreamAhead = 64 << 10;

// Whether gRPC in this process asks the function defined here.
bool StreamWindowsAreOurs();

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_STREAM_WINDOWS_H_
