// Makes certificates of the profile that claim.cc demands.
#include <openssl/err.h>
#include <openssl/rand.h>

#include <ctime>

#include "absl/strings/str_cat.h"
#include "catalog/base/certificate.h"
#include "catalog/base/claim.h"
#include "catalog/base/digest.h"
#include "catalog/base/openssl.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

constexpr size_t kCommonNameCharsMax = 64;  // X.520 ub-common-name
constexpr int kSerialBytes = 16;

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslDeleter<X509_EXTENSION_free>>;
using NamePtr = std::unique_ptr<X509_NAME, OpensslDeleter<X509_NAME_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>>;

absl::Status Failed(absl::string_view what) {
  return OpensslError(absl::StatusCode::kInvalidArgument, "certificate_not_issued", what);
}

// Cuts at a character, not inside one.
absl::string_view FirstChars(absl::string_view utf8, size_t count) {
  for (size_t i = 0; i < utf8.size(); ++i) {
    const bool starts_char = (static_cast<unsigned char>(utf8[i]) & 0xc0) != 0x80;
    if (starts_char && count-- == 0) return utf8.substr(0, i);
  }
  return utf8;
}

absl::Status SetNames(const IssueRequest& request, const X509* issuer, X509* x509) {
  const std::string name =
      request.common_name.empty() ? HexOf(request.node_id).substr(0, 16) : request.common_name;
  const absl::string_view shown = FirstChars(name, kCommonNameCharsMax);
  NamePtr subject(X509_NAME_new());
  if (subject == nullptr ||
      X509_NAME_add_entry_by_NID(subject.get(), NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(shown.data()),
                                 static_cast<int>(shown.size()), -1, 0) != 1) {
    return Failed("the name is not usable in a certificate");
  }
  const X509_NAME* above = issuer == nullptr ? subject.get() : X509_get_subject_name(issuer);
  if (X509_set_subject_name(x509, subject.get()) != 1 || X509_set_issuer_name(x509, above) != 1) {
    return Failed("setting the names");
  }
  return absl::OkStatus();
}

absl::Status SetValidity(const IssueRequest& request, X509* x509) {
  if (request.not_before >= request.not_after ||
      ASN1_TIME_set(X509_getm_notBefore(x509), absl::ToTimeT(request.not_before)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(x509), absl::ToTimeT(request.not_after)) == nullptr) {
    return Failed("the validity is not a range of dates");
  }
  return absl::OkStatus();
}

absl::Status SetSerial(X509* x509) {
  std::string bytes = RandomBytes(kSerialBytes);
  bytes[0] = static_cast<char>((bytes[0] & 0x7f) | 0x40);  // positive, and never shorter
  BignumPtr number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), kSerialBytes, nullptr));
  if (number == nullptr ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) == nullptr) {
    return Failed("setting the serial number");
  }
  return absl::OkStatus();
}

absl::Status AddExtension(int nid, const std::string& value, X509* issuer, X509* x509) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer == nullptr ? x509 : issuer, x509, nullptr, nullptr, 0);
  ExtensionPtr extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(x509, extension.get(), -1) != 1) {
    return Failed(absl::StrCat("adding the extension ", OBJ_nid2sn(nid)));
  }
  return absl::OkStatus();
}

absl::Status AddExtensions(const IssueRequest& request, X509* issuer, X509* x509) {
  const bool ca = request.role == CertificateRole::kIssuing;
  GT_RETURN_IF_ERROR(AddExtension(NID_basic_constraints,
                                  ca ? "critical,CA:TRUE" : "critical,CA:FALSE", issuer, x509));
  GT_RETURN_IF_ERROR(AddExtension(
      NID_key_usage, ca ? "critical,digitalSignature,keyCertSign" : "critical,digitalSignature",
      issuer, x509));
  if (request.role == CertificateRole::kTls) {
    GT_RETURN_IF_ERROR(AddExtension(NID_ext_key_usage, "serverAuth,clientAuth", issuer, x509));
  } else if (!ca) {
    GT_RETURN_IF_ERROR(AddExtension(NID_ext_key_usage, "clientAuth", issuer, x509));
  }
  GT_RETURN_IF_ERROR(AddExtension(NID_subject_key_identifier, "hash", issuer, x509));
  GT_RETURN_IF_ERROR(AddExtension(NID_authority_key_identifier, "keyid", issuer, x509));
  const std::string uri = ClaimUri(Claim{.role = request.role,
                                         .path = request.path,
                                         .node_id = request.node_id,
                                         .uscc = request.uscc});
  // Also keeps a caller's text out of OpenSSL's configuration syntax, where a comma would begin a
  // second name.
  GT_RETURN_IF_ERROR(ParseClaimUri(uri, ca).status());
  return AddExtension(NID_subject_alt_name, absl::StrCat("URI:", uri), issuer, x509);
}

absl::StatusOr<X509Ptr> Issuer(const SigningKey& key, absl::string_view der) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  X509Ptr issuer(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (issuer == nullptr) return Failed("the issuer's certificate is unreadable");
  if (SpkiOf(X509_get0_pubkey(issuer.get())) != key.public_key()) {
    return Failed("the issuer's certificate is not of the issuer's key");
  }
  return issuer;
}

}  // namespace

absl::StatusOr<std::string> IssueCertificate(const IssueRequest& request,
                                             const SigningKey& issuer_key,
                                             absl::string_view issuer_der) {
  X509Ptr issuer;
  if (!issuer_der.empty()) {
    GT_ASSIGN_OR_RETURN(issuer, Issuer(issuer_key, issuer_der));
  }
  GT_RETURN_IF_ERROR(PublicKey::FromSpki(request.public_key).status());
  const auto* cursor = reinterpret_cast<const unsigned char*>(request.public_key.data());
  const std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>> key(
      d2i_PUBKEY(nullptr, &cursor, static_cast<long>(request.public_key.size())));
  X509Ptr x509(X509_new());
  if (x509 == nullptr || X509_set_version(x509.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(x509.get(), key.get()) != 1) {
    return Failed("starting the certificate");
  }
  GT_RETURN_IF_ERROR(SetSerial(x509.get()));
  GT_RETURN_IF_ERROR(SetNames(request, issuer.get(), x509.get()));
  GT_RETURN_IF_ERROR(SetValidity(request, x509.get()));
  GT_RETURN_IF_ERROR(AddExtensions(request, issuer.get(), x509.get()));
  if (X509_sign(x509.get(), issuer_key.evp(), EVP_sha256()) == 0) return Failed("signing");

  unsigned char* data = nullptr;
  const int size = i2d_X509(x509.get(), &data);
  if (size <= 0) return Failed("encoding");
  std::string der(reinterpret_cast<char*>(data), static_cast<size_t>(size));
  OPENSSL_free(data);
  return der;
}

}  // namespace guantong
