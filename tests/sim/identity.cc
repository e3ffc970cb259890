// Signatures and serials draw randomness from OpenSSL. Here it is a constant: a nonce is mixed from
// the key and what is signed, so nonces stay distinct, every signature is the same in every run,
// and a seed replays to the byte.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tests/sim/identity.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "tests/sim/heap.h"

namespace guantong::sim {

absl::StatusOr<VerifiedChain> VerifyChainOnce(const v1::CertificateChain& chain,
                                              absl::string_view network) {
  const OnAccount nobody(nullptr);  // remembered for all
  static auto* verified = new std::unordered_map<std::string, absl::StatusOr<VerifiedChain>>;
  const auto [it, first] =
      verified->try_emplace(absl::StrCat(ChainDigest(chain), network), absl::UnknownError(""));
  if (first) it->second = VerifyChainLinks(chain, network);
  return it->second;
}

namespace {

int ConstantBytes(unsigned char* out, int count) {
  std::memset(out, 0x5a, static_cast<size_t>(count));
  return 1;
}

int AlwaysReady() { return 1; }

const bool constant_randomness = [] {
  static const RAND_METHOD method{
      .bytes = ConstantBytes, .pseudorand = ConstantBytes, .status = AlwaysReady};
  return RAND_set_rand_method(&method) == 1;
}();

EngineIdentity Issue(const EngineIdentity* parent, SigningKey key, const NodePath& path,
                     absl::Time not_before) {
  GT_CHECK(constant_randomness);
  const IssueRequest request{.role = CertificateRole::kIssuing,
                             .path = path,
                             .node_id = NodeIdOf(key.public_key()),
                             .common_name = DisplayPath(path),
                             .public_key = key.public_key(),
                             .not_before = not_before,
                             .not_after = Dawn() + 3650 * absl::Hours(24)};
  absl::StatusOr<std::string> der =
      IssueCertificate(request, parent == nullptr ? key : parent->key,
                       parent == nullptr ? "" : parent->chain.certificates(0));
  GT_CHECK(der.ok());
  v1::CertificateChain chain;
  chain.add_certificates(*std::move(der));
  if (parent != nullptr) chain.mutable_certificates()->MergeFrom(parent->chain.certificates());
  absl::StatusOr<VerifiedChain> self =
      VerifyChainOnce(chain, parent == nullptr ? NodeIdOf(key.public_key()) : parent->self.network);
  GT_CHECK(self.ok());
  return EngineIdentity{.key = std::move(key), .chain = std::move(chain), .self = *std::move(self)};
}

EngineIdentity MakeIdentity(const NodePath& path, absl::string_view who) {
  return Issue(path.is_root() ? nullptr : &IdentityAt(path.Parent()),
               KeyNamed(absl::StrCat("node ", path.text(), who)), path, Dawn() - absl::Hours(24));
}

}  // namespace

const EngineIdentity& IssuedBy(const EngineIdentity& parent, const EngineIdentity& former,
                               absl::string_view label) {
  const OnAccount nobody(nullptr);
  static auto* made = new std::map<std::string, EngineIdentity>;
  const std::string name =
      absl::StrCat(ChainDigest(parent.chain), ChainDigest(former.chain), label);
  auto it = made->find(name);
  if (it == made->end()) {
    const absl::Time not_before =
        std::max(parent.self.not_before, former.self.not_before + absl::Seconds(1));
    it = made->emplace(name, Issue(&parent, former.key, parent.self.path.Child(label), not_before))
             .first;
  }
  return it->second;
}

const EngineIdentity& AloneAs(const EngineIdentity& former) {
  const OnAccount nobody(nullptr);
  static auto* made = new std::map<std::string, EngineIdentity>;
  auto it = made->find(former.self.node_id);
  if (it == made->end()) {
    it = made->emplace(former.self.node_id,
                       Issue(nullptr, former.key, NodePath(), Dawn() - absl::Hours(24)))
             .first;
  }
  return it->second;
}

absl::Time Dawn() { return absl::FromUnixSeconds(1'800'000'000); }

SigningKey KeyNamed(absl::string_view name) {
  // PKCS#8 around the private scalar alone; the public key follows from it.
  static constexpr char kHead[] =
      "\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d"
      "\x03\x01\x07"
      "\x04\x27\x30\x25\x02\x01\x01\x04\x20";
  std::string der(kHead, sizeof(kHead) - 1);
  std::string scalar = Sha256(name);
  scalar[0] &= 0x7f;  // below the order of the group
  der += scalar;
  absl::StatusOr<SigningKey> key = SigningKey::FromPem(absl::StrCat(
      "-----BEGIN PRIVATE KEY-----\n", absl::Base64Escape(der), "\n-----END PRIVATE KEY-----\n"));
  GT_CHECK(key.ok());
  return *std::move(key);
}

const EngineIdentity& IdentityAt(const NodePath& path, absl::string_view who) {
  static auto* made = new std::map<std::string, EngineIdentity>;
  const std::string name = absl::StrCat(path.text(), " ", who);
  auto it = made->find(name);
  if (it == made->end()) it = made->emplace(name, MakeIdentity(path, who)).first;
  return it->second;
}

}  // namespace guantong::sim
