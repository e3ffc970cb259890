#include "catalog/base/digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdint>

#include "absl/strings/escaping.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

// Fetched once: OpenSSL 3 looks an algorithm up by name at every use of EVP_sha256(), which costs
// more than a short digest.
const EVP_MD* Algorithm() {
  static EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  GT_CHECK(md != nullptr);
  return md;
}

std::string BigEndian64(uint64_t value) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8) out[i] = static_cast<char>(value);
  return out;
}

}  // namespace

std::string Sha256(absl::string_view data) {
  std::string out(kDigestBytes, '\0');
  GT_CHECK(EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()),
                      nullptr, Algorithm(), nullptr) == 1);
  return out;
}

struct Sha256Stream::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {
  GT_CHECK(state_->context != nullptr &&
           EVP_DigestInit_ex(state_->context, Algorithm(), nullptr) == 1);
}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Update(absl::string_view data) {
  GT_CHECK(EVP_DigestUpdate(state_->context, data.data(), data.size()) == 1);
}

void Sha256Stream::UpdatePart(absl::string_view data) {
  Update(BigEndian64(data.size()));
  Update(data);
}

std::string Sha256Stream::Finish() {
  std::string out(kDigestBytes, '\0');
  GT_CHECK(EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(out.data()),
                              nullptr) == 1);
  return out;
}

std::string ChainHash(absl::string_view prev_hash, absl::string_view header,
                      absl::string_view payload_digest) {
  Sha256Stream stream;
  stream.Update(prev_hash);
  stream.UpdatePart(header);
  stream.Update(payload_digest);
  return stream.Finish();
}

const std::string& ZeroDigest() {
  static const std::string* const zero = new std::string(kDigestBytes, '\0');
  return *zero;
}

std::string RandomBytes(size_t count) {
  std::string out(count, '\0');
  GT_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) == 1);
  return out;
}

std::string HexOf(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

}  // namespace guantong
