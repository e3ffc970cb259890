// Nodes made in memory: real keys and certificates, no files.
#ifndef GUANTONG_TESTS_UNIT_IDENTITIES_H_
#define GUANTONG_TESTS_UNIT_IDENTITIES_H_

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "catalog/base/certificate.h"
#include "catalog/base/signature.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

struct Validity {
  absl::Time not_before = absl::Now() - absl::Minutes(10);
  absl::Time not_after = absl::Now() + absl::Hours(1000);
};

// `issuer` empty: self-signed by `issuer_key`. Dies when the certificate cannot be made.
inline std::string IssueOrDie(IssueRequest request, const SigningKey& issuer_key,
                              const std::string& issuer, Validity validity = {}) {
  request.not_before = validity.not_before;
  request.not_after = validity.not_after;
  return IssueCertificate(request, issuer_key, issuer).value();
}

struct MadeNode {
  SigningKey signing_key = SigningKey::Generate().value();
  SigningKey tls_key = SigningKey::Generate().value();
  NodePath path;
  v1::CertificateChain chain;      // issuing certificate first
  v1::CertificateChain tls_chain;  // TLS leaf first

  std::string node_id() const { return NodeIdOf(signing_key.public_key()); }
  std::string tls_pem() const { return ChainToPem(tls_chain); }
};

// `parent` null: a root.
inline MadeNode MakeNode(const MadeNode* parent, const std::string& label,
                         Validity tls_validity = {}) {
  MadeNode node;
  if (parent != nullptr) node.path = parent->path.Child(label);
  IssueRequest request{.role = CertificateRole::kIssuing,
                       .path = node.path,
                       .node_id = node.node_id(),
                       .common_name = "节点 " + label,
                       .public_key = node.signing_key.public_key()};
  node.chain.add_certificates(IssueOrDie(request,
                                         parent == nullptr ? node.signing_key : parent->signing_key,
                                         parent == nullptr ? "" : parent->chain.certificates(0)));
  if (parent != nullptr) node.chain.MergeFrom(parent->chain);
  request.role = CertificateRole::kTls;
  request.public_key = node.tls_key.public_key();
  node.tls_chain.add_certificates(
      IssueOrDie(request, node.signing_key, node.chain.certificates(0), tls_validity));
  node.tls_chain.MergeFrom(node.chain);
  return node;
}

inline MadeNode MakeRoot() { return MakeNode(nullptr, "root"); }

}  // namespace guantong

#endif  // GUANTONG_TESTS_UNIT_IDENTITIES_H_
