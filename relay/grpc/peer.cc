#include "relay/grpc/peer.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <string>

#include "absl/time/clock.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

absl::string_view Property(const grpc::AuthContext& context, const char* name) {
  const auto values = context.FindPropertyValues(name);
  if (values.empty()) return "";
  return absl::string_view(values[0].data(), values[0].size());
}

}  // namespace

absl::StatusOr<v1::CertificateChain> PresentedChain(absl::string_view leaf_pem,
                                                    absl::string_view chain_pem) {
  if (leaf_pem.empty()) {
    return Error(absl::StatusCode::kUnauthenticated, "certificate_missing",
                 "the peer showed no certificate", "",
                 "connect over TLS with a certificate of this network");
  }
  GT_ASSIGN_OR_RETURN(v1::CertificateChain chain, ChainFromPem(leaf_pem));
  if (chain_pem.empty()) return chain;
  GT_ASSIGN_OR_RETURN(const v1::CertificateChain rest, ChainFromPem(chain_pem));
  if (rest.certificates(0) == chain.certificates(0)) return rest;
  chain.MergeFrom(rest);
  return chain;
}

absl::StatusOr<VerifiedChain> PeerChain(const grpc::AuthContext& context,
                                        absl::string_view network) {
  GT_ASSIGN_OR_RETURN(const v1::CertificateChain chain,
                      PresentedChain(Property(context, GRPC_X509_PEM_CERT_PROPERTY_NAME),
                                     Property(context, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME)));
  return VerifyChain(chain, network, absl::Now());
}

std::string DescribePeer(const grpc::AuthContext& context) {
  const auto leaf = PresentedChain(Property(context, GRPC_X509_PEM_CERT_PROPERTY_NAME), "");
  return leaf.ok() ? DescribeCertificate(leaf->certificates(0)) : "";
}

}  // namespace guantong
