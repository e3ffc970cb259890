#include "relay/grpc/arguments.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>

namespace guantong {
namespace {

// Of whoever is neither link nor caller any more: links watch themselves. The time is also what the
// kernel gives a connection to have repeats confirmed (TCP_USER_TIMEOUT), counted through losses
// that follow each other: on a bad line one that lives may need more than gRPC's 20 s.
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 60'000;

// A fragment with its message around it, twice over. The bandwidth probe stays on: without it the
// window of the connection stands at 64 KiB a round trip, however large those of the streams are.
// What a peer may have unconsumed here is bounded by our credit, not by these windows.
int LookaheadBytes(const LinkOptions& options) {
  const size_t wanted = options.credit_bytes_max + 2 * options.fragment_bytes_max;
  return static_cast<int>(std::min(wanted, size_t{1} << 30));
}

// Of what gRPC encrypts at once and keeps room for on each connection; 16,384 unless told. With 100
// bytes left for what TLS adds, the room is the largest that the allocator packs without a page to
// spare.
constexpr int kTlsFrameBytes = 14'336 + 100;

}  // namespace

void ApplyLinkArguments(const LinkOptions& options, grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, LookaheadBytes(options));
  builder->AddChannelArgument(GRPC_ARG_TSI_MAX_FRAME_SIZE, kTlsFrameBytes);
  builder->AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);  // nobody asks
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
}

std::shared_ptr<grpc::Channel> MakeLinkChannel(
    const LinkOptions& options, const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, LookaheadBytes(options));
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

}  // namespace guantong
