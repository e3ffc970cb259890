// P-256/SHA-256 signatures over domain-separated messages. Every signed thing of the protocol goes
// through `SignedMessage`, so that a signature made for one purpose never verifies for another, nor
// in another network.
#ifndef GUANTONG_CATALOG_BASE_SIGNATURE_H_
#define GUANTONG_CATALOG_BASE_SIGNATURE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

typedef struct evp_pkey_st EVP_PKEY;

namespace guantong {

inline constexpr absl::string_view kBatchDomain = "guantong/batch/1";
inline constexpr absl::string_view kManifestDomain = "guantong/manifest/1";
inline constexpr absl::string_view kCallDomain = "guantong/call/1";
inline constexpr absl::string_view kReplyDomain = "guantong/reply/1";
inline constexpr absl::string_view kEnrolDomain = "guantong/enrol/1";
inline constexpr absl::string_view kRenewDomain = "guantong/renew/1";

// domain | 0x00 | network id (32 bytes) | digest (32 bytes, or a fixed-length concatenation of
// digests)
std::string SignedMessage(absl::string_view domain, absl::string_view network,
                          absl::string_view digest);

// Immutable after construction; any thread.
class SigningKey {
 public:
  static absl::StatusOr<SigningKey> Generate();
  static absl::StatusOr<SigningKey> FromPem(absl::string_view pem);

  std::string ToPem() const;                                     // PKCS#8, unencrypted
  const std::string& public_key() const { return public_key_; }  // SPKI, DER
  std::string Sign(absl::string_view message) const;             // DER ECDSA
  EVP_PKEY* evp() const { return key_.get(); }

 private:
  explicit SigningKey(std::shared_ptr<EVP_PKEY> key);
  std::shared_ptr<EVP_PKEY> key_;
  std::string public_key_;
};

// A parsed public key; immutable, any thread. Parse once per certificate, verify often.
class PublicKey {
 public:
  static absl::StatusOr<PublicKey> FromSpki(absl::string_view der);
  explicit PublicKey(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {}

  bool Verify(absl::string_view message, absl::string_view signature) const;

 private:
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_SIGNATURE_H_
