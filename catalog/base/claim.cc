#include "catalog/base/claim.h"

#include <ctime>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

constexpr absl::string_view kNodeScheme = "guantong://";
constexpr absl::string_view kProfileScheme = "guantong-profile://";
constexpr absl::string_view kUsccQuery = "?uscc=";

using NamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;
using ConstraintsPtr = std::unique_ptr<BASIC_CONSTRAINTS, OpensslDeleter<BASIC_CONSTRAINTS_free>>;

absl::string_view RoleName(CertificateRole role) {
  switch (role) {
    case CertificateRole::kOperator:
      return "operator";
    case CertificateRole::kEditor:
      return "editor";
    case CertificateRole::kApprover:
      return "approver";
    case CertificateRole::kIssuing:
    case CertificateRole::kTls:
      break;
  }
  return "";
}

absl::StatusOr<CertificateRole> ParseRole(absl::string_view name) {
  for (CertificateRole role :
       {CertificateRole::kOperator, CertificateRole::kEditor, CertificateRole::kApprover}) {
    if (RoleName(role) == name) return role;
  }
  return Error(absl::StatusCode::kInvalidArgument, "claim_malformed", "unknown role", name);
}

bool IsUscc(absl::string_view text) {
  if (text.size() != kUsccBytes) return false;
  for (char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))) return false;
  }
  return true;
}

// Departments have a code, nodes and their operators have none.
bool UsccFits(const Claim& claim) {
  const bool department =
      claim.role == CertificateRole::kEditor || claim.role == CertificateRole::kApprover;
  return department ? IsUscc(claim.uscc) : claim.uscc.empty();
}

absl::StatusOr<absl::Time> TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return absl::InvalidArgumentError("a validity date is unreadable");
  }
  return absl::FromTimeT(timegm(&parts));
}

// Whether it is a CA; refuses a missing or non-critical statement, and a key usage that contradicts
// it.
absl::StatusOr<bool> IsAuthority(X509* x509) {
  int critical = 0;
  ConstraintsPtr constraints(static_cast<BASIC_CONSTRAINTS*>(
      X509_get_ext_d2i(x509, NID_basic_constraints, &critical, nullptr)));
  if (constraints == nullptr || critical != 1) {
    return absl::InvalidArgumentError("it has no critical basic constraints");
  }
  if (constraints->pathlen != nullptr) {
    return absl::InvalidArgumentError("a path length is no part of the profile");
  }
  const uint32_t flags = X509_get_extension_flags(x509);
  if (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL | EXFLAG_V1)) {
    return absl::InvalidArgumentError("its extensions are invalid or unknown and critical");
  }
  const bool ca = constraints->ca != 0;
  const uint32_t usage = X509_get_key_usage(x509);
  const bool signs_certificates = (usage & KU_KEY_CERT_SIGN) != 0;
  if (!(flags & EXFLAG_KUSAGE) || !(usage & KU_DIGITAL_SIGNATURE) || signs_certificates != ca) {
    return absl::InvalidArgumentError("its key usage does not fit its basic constraints");
  }
  return ca;
}

absl::StatusOr<X509Ptr> Decode(absl::string_view der) {
  if (der.empty() || der.size() > kCertificateBytesMax) {
    return absl::InvalidArgumentError("it has no plausible size");
  }
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* cursor = begin;
  X509Ptr x509(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (x509 == nullptr) {
    return OpensslError(absl::StatusCode::kInvalidArgument, "certificate_malformed",
                        "it is not DER");
  }
  if (cursor != begin + der.size()) return absl::InvalidArgumentError("bytes follow it");
  return x509;
}

absl::StatusOr<Certificate> ParseParts(absl::string_view der) {
  GT_ASSIGN_OR_RETURN(X509Ptr x509, Decode(der));
  if (X509_get_version(x509.get()) != X509_VERSION_3) {
    return absl::InvalidArgumentError("it is not X.509 version 3");
  }
  EVP_PKEY* key = X509_get0_pubkey(x509.get());
  if (key == nullptr || !IsP256(key)) {
    return absl::InvalidArgumentError("its key is not on curve P-256");
  }
  if (X509_get_signature_nid(x509.get()) != NID_ecdsa_with_SHA256) {
    return absl::InvalidArgumentError("it is not signed with ECDSA and SHA-256");
  }
  GT_ASSIGN_OR_RETURN(const bool ca, IsAuthority(x509.get()));
  GT_ASSIGN_OR_RETURN(const std::string uri, UriOf(x509.get()));
  GT_ASSIGN_OR_RETURN(Claim claim, ParseClaimUri(uri, ca));
  GT_ASSIGN_OR_RETURN(const absl::Time not_before, TimeOf(X509_get0_notBefore(x509.get())));
  GT_ASSIGN_OR_RETURN(const absl::Time not_after, TimeOf(X509_get0_notAfter(x509.get())));
  std::string spki = SpkiOf(key);
  GT_RETURN_IF_ERROR(PublicKey::FromSpki(spki).status());
  return Certificate{std::move(x509), std::move(claim), std::move(spki), not_before, not_after};
}

absl::string_view RemedyFor(absl::string_view reason) {
  if (reason == "certificate_expired") {
    return "renew the certificate at its issuer, and check the clocks of both sides";
  }
  if (reason == "certificate_not_yet_valid") return "check the clocks of both sides";
  if (reason == "foreign_network") {
    return "the peer belongs to another network: check the address, or join this network with a "
           "token of its future parent";
  }
  if (reason == "certificate_malformed") return "use a certificate issued by a Guantong node";
  return "have the certificate issued anew by the node above it";
}

}  // namespace

std::string ClaimUri(const Claim& claim) {
  const std::string id = HexOf(claim.node_id);
  const absl::string_view role = RoleName(claim.role);
  if (role.empty()) return absl::StrCat(kNodeScheme, claim.path.text(), "#", id);
  return absl::StrCat(kProfileScheme, claim.path.text(), "/", role,
                      claim.uscc.empty() ? "" : kUsccQuery, claim.uscc, "#", id);
}

absl::StatusOr<Claim> ParseClaimUri(absl::string_view uri, bool ca) {
  const auto malformed = [&] {
    return Error(absl::StatusCode::kInvalidArgument, "claim_malformed",
                 "its URI is not one of this network's", absl::CHexEscape(uri.substr(0, 256)));
  };
  absl::string_view rest = uri;
  const bool profile = absl::ConsumePrefix(&rest, kProfileScheme);
  if (!profile && !absl::ConsumePrefix(&rest, kNodeScheme)) return malformed();
  const size_t hash = rest.find('#');
  if (hash == absl::string_view::npos || rest.size() - hash - 1 != 2 * kDigestBytes) {
    return malformed();
  }
  Claim claim{.role = ca ? CertificateRole::kIssuing : CertificateRole::kTls};
  claim.node_id = absl::HexStringToBytes(rest.substr(hash + 1));
  rest = rest.substr(0, hash);
  if (profile) {
    if (ca) return malformed();
    if (const size_t query = rest.find('?'); query != absl::string_view::npos) {
      claim.uscc = std::string(absl::StripPrefix(rest.substr(query), kUsccQuery));
      rest = rest.substr(0, query);
    }
    const size_t slash = rest.rfind('/');
    if (slash == absl::string_view::npos) return malformed();
    GT_ASSIGN_OR_RETURN(claim.role, ParseRole(rest.substr(slash + 1)));
    rest = rest.substr(0, slash);
  }
  GT_ASSIGN_OR_RETURN(claim.path, NodePath::Parse(rest));
  if (!UsccFits(claim) || ClaimUri(claim) != uri) return malformed();
  return claim;
}

absl::StatusOr<std::string> UriOf(const X509* x509) {
  int critical = 0;
  NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr || sk_GENERAL_NAME_num(names.get()) != 1) {
    return absl::InvalidArgumentError("it needs exactly one subject alternative name");
  }
  int type = 0;
  void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), 0), &type);
  if (type != GEN_URI) return absl::InvalidArgumentError("its alternative name is not a URI");
  const auto* uri = static_cast<const ASN1_IA5STRING*>(value);
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                     static_cast<size_t>(ASN1_STRING_length(uri)));
}

absl::StatusOr<Certificate> ParseCertificate(absl::string_view der) {
  auto parsed = ParseParts(der);
  if (!parsed.ok()) {
    return CertificateError("certificate_malformed", parsed.status().message(), der);
  }
  return parsed;
}

absl::Status CertificateError(absl::string_view reason, absl::string_view why,
                              absl::string_view der) {
  const std::string subject = DescribeCertificate(der);
  return Error(absl::StatusCode::kUnauthenticated, reason, absl::StrCat(why, ": ", subject),
               subject, RemedyFor(reason));
}

}  // namespace guantong
