#include "relay/core/chain_book.h"

#include <utility>

#include "catalog/base/status.h"
#include "catalog/keys.h"

namespace guantong {

absl::StatusOr<std::string> ChainBook::Learn(const v1::CertificateChain& chain) {
  std::string digest = ChainDigest(chain);
  if (Load(digest) != nullptr) return digest;
  GT_ASSIGN_OR_RETURN(VerifiedChain verified, verify_(chain, network_));
  Remember(digest, {chain, std::move(verified), /*stored=*/false});
  return digest;
}

void ChainBook::Keep(absl::string_view digest, WriteSet* writes) {
  Known* known = Load(digest);
  if (known == nullptr || std::exchange(known->stored, true)) return;
  writes->Put(ChainKey(digest), known->chain.SerializeAsString());
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

ChainBook::Known* ChainBook::Load(absl::string_view digest) {
  if (auto it = known_.find(digest); it != known_.end()) return it->second.get();
  std::string bytes;
  if (!store_->Get(ChainKey(digest), &bytes).ok()) return nullptr;
  v1::CertificateChain chain;
  if (!chain.ParseFromString(bytes) || chain.certificates_size() == 0) return nullptr;
  absl::StatusOr<VerifiedChain> verified = verify_(chain, network_);
  if (!verified.ok()) return nullptr;
  return Remember(std::string(digest), {std::move(chain), *std::move(verified), /*stored=*/true});
}

ChainBook::Known* ChainBook::Remember(std::string digest, Known known) {
  bytes_ += known.chain.ByteSizeLong();
  while (bytes_ > bytes_max_ && !by_age_.empty()) {
    auto oldest = known_.find(by_age_.front());
    bytes_ -= oldest->second->chain.ByteSizeLong();
    known_.erase(oldest);
    by_age_.pop_front();
  }
  by_age_.push_back(digest);
  return known_.emplace(std::move(digest), std::make_unique<Known>(std::move(known)))
      .first->second.get();
}

}  // namespace guantong
