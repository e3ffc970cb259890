// Certificate chains by digest: verified once, kept while the process lives, stored with what they signed.
#ifndef GUANTONG_RELAY_CORE_CHAIN_BOOK_H_
#define GUANTONG_RELAY_CORE_CHAIN_BOOK_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/certificate.h"
#include "catalog/store.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

class ChainBook {
 public:
  ChainBook(std::string network, const Store* store) : network_(std::move(network)), store_(store) {}

  // Verifies the links and remembers; what was verified before costs a look-up. Adds the chain to `writes` the first time. Dates are
  // held against signed_at of each signed thing.
  absl::StatusOr<std::string> Learn(const v1::CertificateChain& chain, WriteSet* writes);

  // Null when the chain is not held. A chain in the store was verified when it came in.
  const VerifiedChain* Find(absl::string_view digest);

  // Must be held.
  const v1::CertificateChain& Certificates(absl::string_view digest);

  const std::string& network() const { return network_; }

 private:
  struct Known {
    v1::CertificateChain chain;
    VerifiedChain verified;
  };
  const Known* Load(absl::string_view digest);

  std::string network_;
  const Store* store_;
  std::map<std::string, std::unique_ptr<Known>, std::less<>> known_;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_CHAIN_BOOK_H_
