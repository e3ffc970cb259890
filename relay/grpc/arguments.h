// What gRPC must be told for links, on servers and channels alike.
#ifndef GUANTONG_RELAY_GRPC_ARGUMENTS_H_
#define GUANTONG_RELAY_GRPC_ARGUMENTS_H_

#include <memory>
#include <string>

#include "relay/grpc/links.h"

namespace grpc {
class Channel;
class ChannelCredentials;
class ServerBuilder;
}  // namespace grpc

namespace guantong {

// The server's half: lookahead for the credit of a lane, and pings that find a connection whose
// peer vanished.
void ApplyLinkArguments(const LinkOptions& options, grpc::ServerBuilder* builder);

// A channel of its own connection, never one shared through gRPC's pool: a dial is an attempt of
// its own.
std::shared_ptr<grpc::Channel> MakeLinkChannel(
    const LinkOptions& options, const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials);

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_ARGUMENTS_H_
