#include "catalog/base/openssl.h"

#include <openssl/err.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"

namespace guantong {

absl::Status OpensslError(absl::StatusCode code, absl::string_view reason, absl::string_view what) {
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  if (last == 0) return Error(code, reason, what);
  char text[256];
  ERR_error_string_n(last, text, sizeof(text));
  return Error(code, reason, absl::StrCat(what, ": ", text));
}

BioPtr ReadingBio(absl::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  GT_CHECK(bio != nullptr);
  return bio;
}

std::string ContentOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

std::string SpkiOf(EVP_PKEY* key) {
  unsigned char* data = nullptr;
  const int size = i2d_PUBKEY(key, &data);
  GT_CHECK(size > 0);
  std::string out(reinterpret_cast<char*>(data), static_cast<size_t>(size));
  OPENSSL_free(data);
  return out;
}

bool IsP256(EVP_PKEY* key) {
  char group[64];
  size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group, sizeof(group), &size) == 1 &&
         std::strcmp(group, "prime256v1") == 0;
}

}  // namespace guantong
