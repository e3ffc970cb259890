#include "node/identity/credentials.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

namespace tls = grpc::experimental;

absl::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

class ServerVerifier final : public tls::ExternalCertificateVerifier {
 public:
  ServerVerifier(std::string network, CheckServer check,
                 std::function<void(const absl::Status&)> on_refused)
      : network_(std::move(network)),
        check_(std::move(check)),
        on_refused_(std::move(on_refused)) {}

  bool Verify(tls::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const absl::Status verdict = Judge(*request);
    if (verdict.ok()) {
      *sync_status = grpc::Status::OK;
    } else {
      if (on_refused_) on_refused_(verdict);
      *sync_status =
          grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(verdict.message()));
    }
    return true;
  }

  void Cancel(tls::TlsCustomVerificationCheckRequest*) override {}

 private:
  absl::Status Judge(const tls::TlsCustomVerificationCheckRequest& request) const {
    GT_ASSIGN_OR_RETURN(
        const v1::CertificateChain chain,
        PresentedChain(View(request.peer_cert()), View(request.peer_cert_full_chain())));
    GT_ASSIGN_OR_RETURN(const VerifiedChain server, VerifyChain(chain, network_, absl::Now()));
    return check_ ? check_(server) : absl::OkStatus();
  }

  const std::string network_;
  const CheckServer check_;
  const std::function<void(const absl::Status&)> on_refused_;
};

}  // namespace

void RequireTls13() {
  // gRPC 1.51 has no setting for the lowest version. The suites named here are those of TLS 1.2 and
  // below, and this one needs a pre-shared key that nobody has: only 1.3, whose suites are listed
  // elsewhere, is left.
  setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", /*overwrite=*/1);
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& key_pem,
                                                               const std::string& chain_pem) {
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  options.pem_key_cert_pairs.push_back({key_pem, chain_pem});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(
    const std::string& key_pem, const std::string& chain_pem, const std::string& network,
    CheckServer check, std::function<void(const absl::Status&)> on_refused) {
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<tls::StaticDataCertificateProvider>(
      std::vector<tls::IdentityKeyCertPair>{{key_pem, chain_pem}}));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<ServerVerifier>(
      network, std::move(check), std::move(on_refused)));
  return tls::TlsCredentials(options);
}

}  // namespace guantong
