// Certificate chains by digest: verified once, remembered within a bound, stored with what they
// signed.
//
// A neighbour can make up any number of valid chains for nodes below it. So what it sends is only
// remembered, the oldest going first; in the store is what signed something that was accepted. A
// chain that went meanwhile is missing like one that never came: it is asked for again.
#ifndef GUANTONG_RELAY_CORE_CHAIN_BOOK_H_
#define GUANTONG_RELAY_CORE_CHAIN_BOOK_H_

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/certificate.h"
#include "catalog/base/limits.h"
#include "catalog/store.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

class ChainBook {
 public:
  ChainBook(std::string network, const Store* store, size_t bytes_max = kChainsInMemoryBytesMax,
            ChainVerifier verify = VerifyChainLinks)
      : network_(std::move(network)),
        store_(store),
        bytes_max_(bytes_max),
        verify_(std::move(verify)) {}

  // Verifies the links and remembers; what was verified before costs a look-up. Dates are held
  // against signed_at of each signed thing.
  absl::StatusOr<std::string> Learn(const v1::CertificateChain& chain);

  // Stores a chain that is held, once; nothing for one that is not.
  void Keep(absl::string_view digest, WriteSet* writes);

  // Null when the chain is not held. A chain in the store was verified when it came in. Good until
  // another is learned or found.
  const VerifiedChain* Find(absl::string_view digest);

  // Must be held. Good as long.
  const v1::CertificateChain& Certificates(absl::string_view digest);

  const std::string& network() const { return network_; }

 private:
  struct Known {
    v1::CertificateChain chain;
    VerifiedChain verified;
    bool stored;
  };
  Known* Load(absl::string_view digest);
  Known* Remember(std::string digest, Known known);

  std::string network_;
  const Store* store_;
  const size_t bytes_max_;
  const ChainVerifier verify_;
  std::map<std::string, std::unique_ptr<Known>, std::less<>> known_;
  std::deque<std::string> by_age_;
  size_t bytes_ = 0;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_CHAIN_BOOK_H_
