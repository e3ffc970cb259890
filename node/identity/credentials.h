// TLS 1.3 with both sides authenticated. Servers take any client certificate in the handshake (possession is proved there) and
// check its chain before the first message of every rpc, so that who is refused is told why; clients check the server's
// chain in the handshake, before anything is sent.
#ifndef GUANTONG_NODE_IDENTITY_CREDENTIALS_H_
#define GUANTONG_NODE_IDENTITY_CREDENTIALS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/certificate.h"

namespace grpc {
class ServerCredentials;
class ChannelCredentials;
class AuthContext;
}  // namespace grpc

namespace guantong {

// Must run before gRPC starts in the process: leaves only TLS 1.3 suites.
void RequireTls13();

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& key_pem,
                                                               const std::string& chain_pem);

// What a client demands of the server's verified chain.
using CheckServer = std::function<absl::Status(const VerifiedChain& server)>;

// `on_refused` hears why a server was refused (the rpc itself only says UNAVAILABLE); called on gRPC threads.
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(
    const std::string& key_pem, const std::string& chain_pem, const std::string& network,
    CheckServer check, std::function<void(const absl::Status&)> on_refused);

// The peer's chain of a running rpc, verified now. UNAUTHENTICATED with the reason of VerifyChain.
absl::StatusOr<VerifiedChain> PeerChain(const grpc::AuthContext& context, absl::string_view network);

}  // namespace guantong

#endif  // GUANTONG_NODE_IDENTITY_CREDENTIALS_H_
