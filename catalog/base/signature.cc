#include "catalog/base/signature.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/openssl.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::shared_ptr<EVP_PKEY> Own(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

absl::Status UnusableKey(absl::string_view what) {
  return OpensslError(absl::StatusCode::kInvalidArgument, "key_malformed", what);
}

// A key file is never encrypted here; without this OpenSSL would ask for a password on the
// terminal.
int NoPassword(char*, int, int, void*) { return -1; }

}  // namespace

std::string SignedMessage(absl::string_view domain, absl::string_view network,
                          absl::string_view digest) {
  return absl::StrCat(domain, absl::string_view("\0", 1), network, digest);
}

SigningKey::SigningKey(std::shared_ptr<EVP_PKEY> key)
    : key_(std::move(key)), public_key_(SpkiOf(key_.get())) {}

absl::StatusOr<SigningKey> SigningKey::Generate() {
  auto key = Own(EVP_EC_gen("P-256"));
  if (key == nullptr) {
    return OpensslError(absl::StatusCode::kInternal, "key_generation_failed",
                        "generating a P-256 key");
  }
  return SigningKey(std::move(key));
}

absl::StatusOr<SigningKey> SigningKey::FromPem(absl::string_view pem) {
  if (pem.size() > kPemBytesMax) return UnusableKey("the private key file is too large");
  BioPtr bio = ReadingBio(pem);
  auto key = Own(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) return UnusableKey("the private key is not readable PEM");
  if (!IsP256(key.get())) return UnusableKey("the private key is not on curve P-256");
  return SigningKey(std::move(key));
}

std::string SigningKey::ToPem() const {
  BioPtr bio(BIO_new(BIO_s_mem()));
  GT_CHECK(bio != nullptr && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr,
                                                           0, nullptr, nullptr) == 1);
  return ContentOf(bio.get());
}

std::string SigningKey::Sign(absl::string_view message) const {
  MdContextPtr context(EVP_MD_CTX_new());
  size_t size = EVP_PKEY_get_size(key_.get());
  std::string out(size, '\0');
  GT_CHECK(context != nullptr &&
           EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(),
                                 nullptr) == 1 &&
           EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                          Bytes(message), message.size()) == 1);
  out.resize(size);
  return out;
}

absl::StatusOr<PublicKey> PublicKey::FromSpki(absl::string_view der) {
  // Named curve, uncompressed point: a second encoding of the same key would be a second NodeId.
  if (der.size() != kP256PublicKeyBytes) {
    return UnusableKey("the public key is not an uncompressed P-256 key");
  }
  const unsigned char* cursor = Bytes(der);
  auto key = Own(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(der.size())));
  if (key == nullptr) return UnusableKey("the public key is not a DER SubjectPublicKeyInfo");
  if (!IsP256(key.get()) || SpkiOf(key.get()) != der) {
    return UnusableKey("the public key is not a canonical P-256 key");
  }
  return PublicKey(std::move(key));
}

bool PublicKey::Verify(absl::string_view message, absl::string_view signature) const {
  MdContextPtr context(EVP_MD_CTX_new());
  GT_CHECK(context != nullptr && EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr,
                                                         nullptr, key_.get(), nullptr) == 1);
  const bool good = EVP_DigestVerify(context.get(), Bytes(signature), signature.size(),
                                     Bytes(message), message.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace guantong
