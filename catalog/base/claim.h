// What one certificate claims, before anything proves it. Included by the certificate sources only.
#ifndef GUANTONG_CATALOG_BASE_CLAIM_H_
#define GUANTONG_CATALOG_BASE_CLAIM_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "catalog/base/certificate.h"
#include "catalog/base/openssl.h"

namespace guantong {

struct Claim {
  CertificateRole role;
  NodePath path;
  std::string node_id;
  std::string uscc;
};

std::string ClaimUri(const Claim& claim);
// Only the canonical text: what ClaimUri prints. `ca` tells an issuing certificate from a TLS leaf,
// whose URIs are equal. INVALID_ARGUMENT claim_malformed.
absl::StatusOr<Claim> ParseClaimUri(absl::string_view uri, bool ca);

struct Certificate {
  X509Ptr x509;
  Claim claim;
  std::string spki;
  absl::Time not_before;
  absl::Time not_after;
};

// Well formed by our profile: v3, DER, P-256, ECDSA with SHA-256, critical basic constraints, key
// usage to match, one URI and no other subject alternative name, no unknown critical extension.
// Says nothing about who signed it. UNAUTHENTICATED certificate_malformed.
absl::StatusOr<Certificate> ParseCertificate(absl::string_view der);

// The one URI among its subject alternative names, as it stands there. INVALID_ARGUMENT when there
// is none, or more.
absl::StatusOr<std::string> UriOf(const X509* x509);

// UNAUTHENTICATED with `reason`, naming the certificate, with the remedy that belongs to the
// reason.
absl::Status CertificateError(absl::string_view reason, absl::string_view why,
                              absl::string_view der);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_CLAIM_H_
