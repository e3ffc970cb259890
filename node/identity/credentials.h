// TLS 1.3 with both sides authenticated. Servers take any client certificate in the handshake
// (possession is proved there) and check its chain before the first message of every rpc, so that
// who is refused is told why; clients check the server's chain in the handshake, before anything is
// sent.
#ifndef GUANTONG_NODE_IDENTITY_CREDENTIALS_H_
#define GUANTONG_NODE_IDENTITY_CREDENTIALS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "catalog/base/certificate.h"
#include "relay/grpc/peer.h"  // PeerChain, for servers

namespace grpc {
class ServerCredentials;
class ChannelCredentials;
}  // namespace grpc

namespace guantong {

// Must run before gRPC starts in the process: leaves only TLS 1.3 suites.
void RequireTls13();

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& key_pem,
                                                               const std::string& chain_pem);

// What a client demands of the server's verified chain.
using CheckServer = std::function<absl::Status(const VerifiedChain& server)>;

// The chain is verified against `network` (empty: any root, for a joiner whose `check` pins it) and
// given to `check`, before a byte of an rpc leaves. `on_refused` hears why a server was refused
// (the rpc itself only says UNAVAILABLE); called on gRPC threads, as is `check`.
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(
    const std::string& key_pem, const std::string& chain_pem, const std::string& network,
    CheckServer check, std::function<void(const absl::Status&)> on_refused);

}  // namespace guantong

#endif  // GUANTONG_NODE_IDENTITY_CREDENTIALS_H_
