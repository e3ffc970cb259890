#include "catalog/base/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "catalog/base/claim.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/openssl.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

// What a claim must be for this issuer to be able to make it.
absl::Status CheckBranch(const Certificate& subject, const Certificate& issuer,
                         absl::string_view der) {
  const Claim& claim = subject.claim;
  const NodePath& above = issuer.claim.path;
  if (claim.role == CertificateRole::kIssuing) {
    if (claim.path.depth() != above.depth() + 1 || claim.path.Parent() != above) {
      return CertificateError(
          "branch_violation",
          absl::StrCat("its path is not one label below its issuer's ", DisplayPath(above)), der);
    }
    return absl::OkStatus();
  }
  if (claim.path != above) {
    return CertificateError("branch_violation",
                            absl::StrCat("its path is not that of its issuer ", DisplayPath(above)),
                            der);
  }
  if (claim.node_id != issuer.claim.node_id) {
    return CertificateError("node_id_mismatch", "its node id is not its issuer's", der);
  }
  return absl::OkStatus();
}

absl::Status CheckIssuedBy(const Certificate& subject, const Certificate& issuer,
                           absl::string_view der) {
  if (issuer.claim.role != CertificateRole::kIssuing) {
    return CertificateError("chain_broken", "its issuer may not issue certificates", der);
  }
  if (X509_check_issued(issuer.x509.get(), subject.x509.get()) != X509_V_OK) {
    return CertificateError("chain_broken", "the next certificate is not its issuer", der);
  }
  if (X509_verify(subject.x509.get(), X509_get0_pubkey(issuer.x509.get())) != 1) {
    ERR_clear_error();
    return CertificateError("chain_broken", "its signature is not by its issuer's key", der);
  }
  return absl::OkStatus();
}

absl::Status CheckNodeId(const Certificate& certificate, absl::string_view der) {
  if (certificate.claim.role == CertificateRole::kIssuing &&
      certificate.claim.node_id != NodeIdOf(certificate.spki)) {
    return CertificateError("node_id_mismatch", "its node id is not the hash of its key", der);
  }
  return absl::OkStatus();
}

absl::Status CheckRoot(const Certificate& root, absl::string_view network, absl::string_view der) {
  GT_RETURN_IF_ERROR(CheckIssuedBy(root, root, der));
  if (!root.claim.path.is_root()) {
    return CertificateError("chain_broken", "the chain does not end at a root", der);
  }
  if (!network.empty() && root.claim.node_id != network) {
    return CertificateError("foreign_network", "its root is not the root of this network", der);
  }
  return absl::OkStatus();
}

absl::Status CheckValidity(const Certificate& certificate, absl::Time at, absl::string_view der) {
  if (at > certificate.not_after) {
    return CertificateError(
        "certificate_expired",
        absl::StrCat("expired at ", absl::FormatTime(certificate.not_after, absl::UTCTimeZone())),
        der);
  }
  if (at < certificate.not_before) {
    return CertificateError(
        "certificate_not_yet_valid",
        absl::StrCat("valid from ", absl::FormatTime(certificate.not_before, absl::UTCTimeZone())),
        der);
  }
  return absl::OkStatus();
}

std::string CommonName(const X509* x509) {
  const X509_NAME* name = X509_get_subject_name(x509);
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0) return "(no name)";
  unsigned char* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
  if (size < 0) {
    ERR_clear_error();
    return "(unreadable name)";
  }
  std::string out(reinterpret_cast<char*>(utf8), std::min(static_cast<size_t>(size), size_t{256}));
  OPENSSL_free(utf8);
  // A stranger chose it, and it goes into logs.
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

absl::StatusOr<VerifiedChain> Verify(const v1::CertificateChain& chain, absl::string_view network,
                                     std::optional<absl::Time> at) {
  const auto& ders = chain.certificates();
  if (ders.empty() || static_cast<size_t>(ders.size()) > kChainLengthMax) {
    return Error(absl::StatusCode::kUnauthenticated, "certificate_malformed",
                 absl::StrCat("a chain has 1 to ", kChainLengthMax, " certificates, this one has ",
                              ders.size()),
                 "", "send the node's whole chain, the root last");
  }
  std::vector<Certificate> certificates;
  for (const std::string& der : ders) {
    GT_ASSIGN_OR_RETURN(Certificate certificate, ParseCertificate(der));
    certificates.push_back(std::move(certificate));
  }
  const size_t last = certificates.size() - 1;
  for (size_t i = 0; i < last; ++i) {
    GT_RETURN_IF_ERROR(CheckIssuedBy(certificates[i], certificates[i + 1], ders[i]));
    GT_RETURN_IF_ERROR(CheckBranch(certificates[i], certificates[i + 1], ders[i]));
  }
  for (size_t i = 0; i <= last; ++i) GT_RETURN_IF_ERROR(CheckNodeId(certificates[i], ders[i]));
  GT_RETURN_IF_ERROR(CheckRoot(certificates[last], network, ders[last]));

  absl::Time not_before = absl::InfinitePast();
  absl::Time not_after = absl::InfiniteFuture();
  for (size_t i = 0; i <= last; ++i) {
    if (at.has_value()) GT_RETURN_IF_ERROR(CheckValidity(certificates[i], *at, ders[i]));
    not_before = std::max(not_before, certificates[i].not_before);
    not_after = std::min(not_after, certificates[i].not_after);
  }
  Certificate& first = certificates[0];
  GT_ASSIGN_OR_RETURN(PublicKey key, PublicKey::FromSpki(first.spki));
  return VerifiedChain{.role = first.claim.role,
                       .path = first.claim.path,
                       .node_id = first.claim.node_id,
                       .uscc = first.claim.uscc,
                       .network = certificates[last].claim.node_id,
                       .fingerprint = Sha256(ders[0]),
                       .not_before = not_before,
                       .not_after = not_after,
                       .key = std::move(key)};
}

}  // namespace

std::string NodeIdOf(absl::string_view spki) { return Sha256(spki); }

std::string ChainDigest(const v1::CertificateChain& chain) {
  Sha256Stream stream;
  for (const std::string& der : chain.certificates()) stream.Update(Sha256(der));
  return stream.Finish();
}

absl::StatusOr<VerifiedChain> VerifyChain(const v1::CertificateChain& chain,
                                          absl::string_view network, absl::Time at) {
  return Verify(chain, network, at);
}

absl::StatusOr<VerifiedChain> VerifyChainLinks(const v1::CertificateChain& chain,
                                               absl::string_view network) {
  return Verify(chain, network, std::nullopt);
}

absl::StatusOr<v1::CertificateChain> ChainFromPem(absl::string_view pem) {
  const auto malformed = [](absl::string_view why) {
    return OpensslError(absl::StatusCode::kUnauthenticated, "certificate_malformed", why);
  };
  if (pem.size() > kPemBytesMax) return malformed("the PEM text is too large");
  v1::CertificateChain chain;
  BioPtr bio = ReadingBio(pem);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    const bool certificate = absl::string_view(name) == PEM_STRING_X509;
    std::string der(reinterpret_cast<char*>(data), static_cast<size_t>(size));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (!certificate) return malformed("the PEM text holds something else than certificates");
    if (static_cast<size_t>(chain.certificates_size()) == kChainLengthMax) {
      return malformed("the PEM text holds too many certificates");
    }
    chain.add_certificates(std::move(der));
  }
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!ended || chain.certificates().empty()) return malformed("the PEM text is damaged or empty");
  ERR_clear_error();
  return chain;
}

std::string ChainToPem(const v1::CertificateChain& chain) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  GT_CHECK(bio != nullptr);
  for (const std::string& der : chain.certificates()) {
    GT_CHECK(PEM_write_bio(bio.get(), PEM_STRING_X509, "",
                           reinterpret_cast<const unsigned char*>(der.data()),
                           static_cast<long>(der.size())) > 0);
  }
  return ContentOf(bio.get());
}

std::string SpkiOf(absl::string_view der) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  X509Ptr x509;
  if (der.size() <= kCertificateBytesMax)
    x509.reset(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  unsigned char* bytes = nullptr;
  const int size = x509 == nullptr ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509.get()), &bytes);
  ERR_clear_error();
  if (size <= 0) return "";
  std::string spki(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return spki;
}

std::string DescribeCertificate(absl::string_view der) {
  const std::string fingerprint = absl::StrCat("sha256 ", HexOf(Sha256(der)));
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  X509Ptr x509;
  if (der.size() <= kCertificateBytesMax) {
    x509.reset(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  }
  if (x509 == nullptr) {
    ERR_clear_error();
    return absl::StrCat("unreadable certificate, ", fingerprint);
  }
  const std::string name = CommonName(x509.get());
  const auto uri = UriOf(x509.get());
  const auto claim = uri.ok() ? ParseClaimUri(*uri, /*ca=*/false) : uri.status();
  if (!claim.ok()) return absl::StrCat(name, ", ", fingerprint);
  return absl::StrCat(name, " (path ", DisplayPath(claim->path), "), ", fingerprint);
}

}  // namespace guantong
