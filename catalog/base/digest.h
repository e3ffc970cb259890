// SHA-256 and the chain hash that ties a feed's batches together. Digests are raw 32-byte strings.
#ifndef GUANTONG_CATALOG_BASE_DIGEST_H_
#define GUANTONG_CATALOG_BASE_DIGEST_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace guantong {

inline constexpr size_t kDigestBytes = 32;

std::string Sha256(absl::string_view data);

// Incremental, for streams and multi-part input.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;

  void Update(absl::string_view data);
  // Length-prefixed (8 bytes big-endian), so that parts cannot run into each other.
  void UpdatePart(absl::string_view data);
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// H(last) of protocol: SHA-256( prev_hash | len(header) 8 bytes BE | header | payload_digest ).
std::string ChainHash(absl::string_view prev_hash, absl::string_view header,
                      absl::string_view payload_digest);

// 32 zero bytes: before the first batch of the first epoch.
const std::string& ZeroDigest();

// Cryptographically secure random bytes.
std::string RandomBytes(size_t count);

std::string HexOf(absl::string_view bytes);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_DIGEST_H_
