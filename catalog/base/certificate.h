// Certificates as the protocol uses them: what a certificate claims, and whether a chain proves it.
//
// Issuing certificates (CA) carry the URI SAN  guantong://<path>#<nodeid hex>. The root's is
// self-signed with an empty path and its NodeId is the network id. TLS leaves carry the same URI as
// the issuing certificate that signed them (CA:FALSE). Profiles of people carry
// guantong-profile://<path>/<role>?uscc=<USCC>#<nodeid hex of the issuing node>; role: operator,
// editor, approver. X.509 name constraints see hosts only, so the branch rule is checked here: a
// child's path is its issuer's plus one label, its NodeId is SHA-256 of its own key.
#ifndef GUANTONG_CATALOG_BASE_CERTIFICATE_H_
#define GUANTONG_CATALOG_BASE_CERTIFICATE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "catalog/base/node_path.h"
#include "catalog/base/signature.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

enum class CertificateRole { kIssuing, kTls, kOperator, kEditor, kApprover };

// What a verified chain proves about its first certificate.
struct VerifiedChain {
  CertificateRole role;
  NodePath path;            // of the node (for profiles: of the node that issued them)
  std::string node_id;      // 32 bytes
  std::string uscc;         // profiles of departments
  std::string network;      // NodeId of the root
  std::string fingerprint;  // SHA-256 of the first certificate
  absl::Time not_before;    // the narrowest over the chain
  absl::Time not_after;
  PublicKey key;  // of the first certificate
};

// SHA-256 over the concatenated SHA-256 of each certificate: names a chain in headers and in the
// store.
std::string ChainDigest(const v1::CertificateChain& chain);

// Checks every link: signatures, CA flags, validity at `at`, path and NodeId rules, the root
// against `network` (empty: any root, used by a joiner before it has pinned, and by tools).
// `expected` certificates in order: leaf first, root last. Errors: UNAUTHENTICATED with reason
// certificate_malformed, certificate_expired, certificate_not_yet_valid, chain_broken,
// branch_violation, node_id_mismatch, foreign_network; the message names the certificate (subject,
// fingerprint), remedy set.
absl::StatusOr<VerifiedChain> VerifyChain(const v1::CertificateChain& chain,
                                          absl::string_view network, absl::Time at);

// The same without dates: for a chain that signed something earlier. The signed thing's own date is
// then held against not_before and not_after.
absl::StatusOr<VerifiedChain> VerifyChainLinks(const v1::CertificateChain& chain,
                                               absl::string_view network);

// VerifyChainLinks, or what gives its very answers: a process that holds many engines may remember
// them for all.
using ChainVerifier = std::function<absl::StatusOr<VerifiedChain>(const v1::CertificateChain& chain,
                                                                  absl::string_view network)>;

// PEM <-> DER.
absl::StatusOr<v1::CertificateChain> ChainFromPem(absl::string_view pem);
std::string ChainToPem(const v1::CertificateChain& chain);

// "subject CN (path ...), sha256 ab12...": for logs and refusals.
std::string DescribeCertificate(absl::string_view der);

// The public key of a certificate as SPKI; empty when it is none.
std::string SpkiOf(absl::string_view der);

// NodeId of a signing key.
std::string NodeIdOf(absl::string_view spki);

struct IssueRequest {
  CertificateRole role;
  NodePath path;
  std::string node_id;
  std::string uscc;  // department profiles
  std::string common_name;
  std::string public_key;  // SPKI of the subject
  absl::Time not_before;
  absl::Time not_after;
};

// Signs a certificate with `issuer_key`; `issuer_der` is the issuer's certificate, empty for a
// self-signed one. Returns DER.
absl::StatusOr<std::string> IssueCertificate(const IssueRequest& request,
                                             const SigningKey& issuer_key,
                                             absl::string_view issuer_der);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_CERTIFICATE_H_
