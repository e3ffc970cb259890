// Who stands at the other end of a TLS connection: the chain it showed in the handshake, proved by
// our own rules.
//
// The handshake proves possession of the leaf's key and no more: gRPC is told not to judge foreign
// chains, because it knows neither paths nor node ids. So every use of a peer begins here.
#ifndef GUANTONG_RELAY_GRPC_PEER_H_
#define GUANTONG_RELAY_GRPC_PEER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/certificate.h"
#include "guantong/v1/feed.pb.h"

namespace grpc {
class AuthContext;
}  // namespace grpc

namespace guantong {

// The leaf, then what it came with. OpenSSL leaves the leaf out of the chain on a server and puts
// it first on a client; both are understood. UNAUTHENTICATED certificate_missing,
// certificate_malformed.
absl::StatusOr<v1::CertificateChain> PresentedChain(absl::string_view leaf_pem,
                                                    absl::string_view chain_pem);

// The peer's chain of a running rpc, verified now. UNAUTHENTICATED with certificate_missing or a
// reason of VerifyChain.
absl::StatusOr<VerifiedChain> PeerChain(const grpc::AuthContext& context,
                                        absl::string_view network);

// The leaf it showed, for logs and refusals; empty when there was none that can be read.
std::string DescribePeer(const grpc::AuthContext& context);

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_PEER_H_
