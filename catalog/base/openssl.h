// OpenSSL's objects as owners, and its errors as statuses. Included by .cc files only.
#ifndef GUANTONG_CATALOG_BASE_OPENSSL_H_
#define GUANTONG_CATALOG_BASE_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace guantong {

template <auto Free>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpensslDeleter<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, OpensslDeleter<X509_free>>;
using MdContextPtr = std::unique_ptr<EVP_MD_CTX, OpensslDeleter<EVP_MD_CTX_free>>;

// Drains the error queue of this thread; the message says what failed, then OpenSSL's own words.
absl::Status OpensslError(absl::StatusCode code, absl::string_view reason, absl::string_view what);

// Reads from `text`, which must outlive it.
BioPtr ReadingBio(absl::string_view text);
std::string ContentOf(BIO* bio);

// SPKI as DER.
std::string SpkiOf(EVP_PKEY* key);
bool IsP256(EVP_PKEY* key);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_OPENSSL_H_
