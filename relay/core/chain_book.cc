#include "relay/core/chain_book.h"

#include <utility>

#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"

namespace guantong {

namespace {
// Bounds what a peer can make us remember; the store keeps what is needed for good.
constexpr size_t kChainsInMemoryMax = 20000;
}  // namespace

absl::StatusOr<std::string> ChainBook::Learn(const v1::CertificateChain& chain,
                                             WriteSet* writes) {
  std::string digest = ChainDigest(chain);
  if (Load(digest) != nullptr) return digest;
  GT_ASSIGN_OR_RETURN(VerifiedChain verified, VerifyChainLinks(chain, network_));
  if (known_.size() >= kChainsInMemoryMax) {
    return Error(absl::StatusCode::kResourceExhausted, "chains_full",
                 "too many certificate chains are remembered", HexOf(digest));
  }
  writes->Put(ChainKey(digest), chain.SerializeAsString());
  known_.emplace(digest, std::make_unique<Known>(Known{chain, std::move(verified)}));
  return digest;
}

const VerifiedChain* ChainBook::Find(absl::string_view digest) {
  const Known* known = Load(digest);
  return known == nullptr ? nullptr : &known->verified;
}

const v1::CertificateChain& ChainBook::Certificates(absl::string_view digest) {
  const Known* known = Load(digest);
  GT_CHECK(known != nullptr);
  return known->chain;
}

const ChainBook::Known* ChainBook::Load(absl::string_view digest) {
  if (auto it = known_.find(digest); it != known_.end()) return it->second.get();
  std::string bytes;
  if (!store_->Get(ChainKey(digest), &bytes).ok()) return nullptr;
  v1::CertificateChain chain;
  if (!chain.ParseFromString(bytes) || chain.certificates_size() == 0) return nullptr;
  absl::StatusOr<VerifiedChain> verified = VerifyChainLinks(chain, network_);
  if (!verified.ok()) return nullptr;
  auto known = std::make_unique<Known>(Known{std::move(chain), *std::move(verified)});
  const Known* result = known.get();
  known_.emplace(std::string(digest), std::move(known));
  return result;
}

}  // namespace guantong
