// The parent's half of enrolment, and the certificates of people.
#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "node/identity/folder.h"
#include "node/identity/identity.h"
#include "node/identity/proof.h"
#include "node/language.h"

namespace guantong {
namespace {

constexpr absl::string_view kTokenPrefix = "gt1.";
constexpr size_t kTokenBytesMax = 4 << 10;
constexpr size_t kSecretBytes = 32;

absl::Status Malformed(absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "token_malformed",
               absl::StrCat(Text("令牌无法识别：", "the token is unusable: "), why), "",
               Text("原样复制上级节点 guantong invite 打印的令牌",
                    "copy the token exactly as the parent's guantong invite printed it"));
}

absl::StatusOr<v1::CertificateChain> Issue(const Identity& issuer, IssueRequest request,
                                           absl::Duration lifetime) {
  const absl::Time now = absl::Now();
  request.not_before = std::max(now - kClockSkew, request.not_before);
  request.not_after = std::min(now + lifetime, issuer.self.not_after);
  GT_ASSIGN_OR_RETURN(std::string der,
                      IssueCertificate(request, issuer.signing_key, issuer.chain.certificates(0)));
  v1::CertificateChain chain;
  chain.add_certificates(std::move(der));
  chain.MergeFrom(issuer.chain);
  // Nothing leaves that a peer would refuse.
  GT_RETURN_IF_ERROR(VerifyChain(chain, issuer.self.network, now).status());
  return chain;
}

}  // namespace

std::string EncodeToken(const v1::JoinToken& token) {
  return absl::StrCat(kTokenPrefix, absl::WebSafeBase64Escape(token.SerializeAsString()));
}

absl::StatusOr<v1::JoinToken> DecodeToken(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > kTokenBytesMax || !absl::ConsumePrefix(&text, kTokenPrefix)) {
    return Malformed(Text("开头不是 gt1.", "it does not begin with gt1."));
  }
  std::string bytes;
  v1::JoinToken token;
  if (!absl::WebSafeBase64Unescape(text, &bytes) || !token.ParseFromString(bytes)) {
    return Malformed(Text("内容不完整", "its content is incomplete"));
  }
  if (token.parent().size() != kDigestBytes || token.network().size() != kDigestBytes ||
      token.secret().size() != kSecretBytes || !IsPathLabel(token.label())) {
    return Malformed(Text("内容不完整", "its content is incomplete"));
  }
  return token;
}

std::string EnrolProofMessage(absl::string_view network, absl::string_view secret,
                              absl::string_view spki) {
  return SignedMessage(kEnrolDomain, network, absl::StrCat(Sha256(secret), Sha256(spki)));
}

std::string RenewProofMessage(absl::string_view parent, absl::string_view spki,
                              absl::string_view former_digest) {
  return SignedMessage(kRenewDomain, parent, absl::StrCat(Sha256(spki), former_digest));
}

namespace {

absl::Status CheckProof(const std::string& spki, const std::string& message,
                        const std::string& proof) {
  const auto invalid = [](absl::string_view why) {
    return Error(
        absl::StatusCode::kPermissionDenied, "proof_invalid",
        absl::StrCat(Text("密钥证明不成立：", "the proof of the key does not hold: "), why));
  };
  const auto key = PublicKey::FromSpki(spki);
  if (!key.ok()) return invalid(key.status().message());
  if (!key->Verify(message, proof))
    return invalid(Text("签名不对", "the signature does not verify"));
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckEnrolProof(const v1::EnrolRequest& request, absl::string_view network) {
  return CheckProof(request.signing_key(),
                    EnrolProofMessage(network, request.token_secret(), request.signing_key()),
                    request.proof());
}

absl::Status CheckRenewProof(const v1::RenewRequest& request, absl::string_view parent) {
  return CheckProof(request.signing_key(),
                    RenewProofMessage(parent, request.signing_key(), ChainDigest(request.former())),
                    request.proof());
}

absl::StatusOr<v1::CertificateChain> IssueChild(const Identity& parent, const std::string& label,
                                                const std::string& name, const std::string& spki,
                                                absl::Time former) {
  if (!IsPathLabel(label) || parent.self.path.depth() >= kPathDepthMax) {
    return Error(absl::StatusCode::kInvalidArgument, "path_malformed",
                 Text("标签无效，或层级太深", "the label is invalid, or the tree too deep"), label);
  }
  return Issue(
      parent,
      IssueRequest{
          .role = CertificateRole::kIssuing,
          .path = parent.self.path.Child(label),
          .node_id = NodeIdOf(spki),
          .common_name = name,
          .public_key = spki,
          .not_before = former == absl::InfinitePast() ? former : former + absl::Seconds(1)},
      parent.terms.child);
}

absl::StatusOr<v1::CertificateChain> IssueProfile(const Identity& node, CertificateRole role,
                                                  const std::string& uscc, const std::string& name,
                                                  const std::string& spki) {
  GT_CHECK(role == CertificateRole::kOperator || role == CertificateRole::kEditor ||
           role == CertificateRole::kApprover);
  return Issue(node,
               IssueRequest{.role = role,
                            .path = node.self.path,
                            .node_id = node.self.node_id,
                            .uscc = uscc,
                            .common_name = name,
                            .public_key = spki,
                            .not_before = absl::InfinitePast()},
               kProfileLifetime);
}

}  // namespace guantong
