#include "node/identity/identity.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "node/identity/files.h"
#include "node/identity/folder.h"
#include "node/language.h"

namespace guantong {
namespace {

constexpr size_t kRootNameBytes = 64;

absl::Status Damaged(const absl::Status& why, const std::string& file) {
  const ErrorDetail detail = DetailOf(why);
  const std::string remedy =
      detail.reason == "certificate_expired" || detail.reason == "certificate_not_yet_valid"
          ? Text("检查本机时钟；证书确已过期时，请上级节点重新签发",
                 "check this machine's clock; when the certificate has really expired, have the "
                 "parent "
                 "issue it anew")
          : Text("从备份恢复身份目录", "restore the identity folder from a backup");
  return Error(absl::StatusCode::kFailedPrecondition,
               detail.reason.empty() ? "identity_damaged" : detail.reason,
               absl::StrCat(file, ": ", why.message()), file, remedy);
}

absl::Status Contradiction(const std::string& file, absl::string_view what) {
  return Damaged(Error(absl::StatusCode::kFailedPrecondition, "identity_damaged", what), file);
}

absl::StatusOr<std::string> ReadPart(const std::string& file) {
  auto content = ReadSmallFile(file);
  if (absl::IsNotFound(content.status())) return Contradiction(file, "it is missing");
  return content;
}

struct TlsLeaf {
  SigningKey key;
  v1::CertificateChain chain;  // leaf first
  absl::Time renew_at;
};

// So long before the end, or at half of a shorter life.
absl::Time RenewAt(absl::Time ends, absl::Duration life, const CertificateTerms& terms) {
  return ends - std::min(terms.renew_before, life / 2);
}

// What the issuing certificate cannot outlive, a new leaf would not outlive either.
absl::Time RenewAt(const VerifiedChain& leaf, const VerifiedChain& self,
                   const CertificateTerms& terms) {
  if (leaf.not_after >= self.not_after) return absl::InfiniteFuture();
  return RenewAt(leaf.not_after, terms.tls, terms);
}

absl::StatusOr<TlsLeaf> LoadLeaf(const IdentityFolder& folder, const v1::CertificateChain& issuing,
                                 const VerifiedChain& self, const CertificateTerms& terms) {
  GT_ASSIGN_OR_RETURN(const std::string key_pem, ReadSmallFile(folder.TlsKey()));
  GT_ASSIGN_OR_RETURN(SigningKey key, SigningKey::FromPem(key_pem));
  GT_ASSIGN_OR_RETURN(const std::string pem, ReadSmallFile(folder.TlsChain()));
  GT_ASSIGN_OR_RETURN(v1::CertificateChain chain, ChainFromPem(pem));
  GT_ASSIGN_OR_RETURN(const VerifiedChain leaf, VerifyChain(chain, self.network, absl::Now()));
  v1::CertificateChain above = chain;
  above.mutable_certificates()->DeleteSubrange(0, 1);
  if (ChainDigest(above) != ChainDigest(issuing))
    return absl::FailedPreconditionError("the TLS certificate is not of this chain");
  if (leaf.role != CertificateRole::kTls || leaf.node_id != self.node_id ||
      !leaf.key.Verify("", key.Sign(""))) {
    return absl::FailedPreconditionError("the TLS certificate is not of this node's TLS key");
  }
  if (absl::Now() >= RenewAt(leaf, self, terms))
    return absl::FailedPreconditionError("the TLS certificate ends soon");
  return TlsLeaf{std::move(key), std::move(chain), RenewAt(leaf, self, terms)};
}

absl::StatusOr<TlsLeaf> MakeLeaf(const IdentityFolder& folder, const SigningKey& signing_key,
                                 const v1::CertificateChain& chain, const VerifiedChain& self,
                                 const CertificateTerms& terms) {
  GT_ASSIGN_OR_RETURN(SigningKey key, SigningKey::Generate());
  const absl::Time now = absl::Now();
  const IssueRequest request{.role = CertificateRole::kTls,
                             .path = self.path,
                             .node_id = self.node_id,
                             .common_name = absl::StrCat("TLS ", HexOf(self.node_id).substr(0, 16)),
                             .public_key = key.public_key(),
                             .not_before = now - kClockSkew,
                             .not_after = std::min(now + terms.tls, self.not_after)};
  GT_ASSIGN_OR_RETURN(std::string der,
                      IssueCertificate(request, signing_key, chain.certificates(0)));
  v1::CertificateChain leaf;
  leaf.add_certificates(std::move(der));
  leaf.MergeFrom(chain);
  // A crash between the two leaves a pair that does not fit, and the next start makes another.
  GT_RETURN_IF_ERROR(ReplaceFile(folder.TlsKey(), key.ToPem()));
  GT_RETURN_IF_ERROR(ReplaceFile(folder.TlsChain(), ChainToPem(leaf)));
  GT_ASSIGN_OR_RETURN(const VerifiedChain made, VerifyChain(leaf, self.network, now));
  return TlsLeaf{std::move(key), std::move(leaf), RenewAt(made, self, terms)};
}

// The NodeId of the certificate above ours; empty at the root.
absl::StatusOr<std::string> ParentOf(const v1::CertificateChain& chain) {
  if (chain.certificates_size() < 2) return "";
  v1::CertificateChain above = chain;
  above.mutable_certificates()->DeleteSubrange(0, 1);
  GT_ASSIGN_OR_RETURN(const VerifiedChain parent, VerifyChainLinks(above, ""));
  return parent.node_id;
}

absl::StatusOr<std::string> CheckedPin(const IdentityFolder& folder,
                                       const v1::CertificateChain& chain) {
  GT_ASSIGN_OR_RETURN(const std::string parent, ParentOf(chain));
  if (parent.empty()) return parent;
  GT_ASSIGN_OR_RETURN(const std::string pin, ReadPart(folder.ParentPin()));
  if (absl::StripAsciiWhitespace(pin) != HexOf(parent)) {
    return Contradiction(folder.ParentPin(), "the pinned parent is not the issuer of chain.pem");
  }
  return parent;
}

}  // namespace

absl::Status CheckUnused(const IdentityFolder& folder) {
  if (!FileExists(folder.Chain())) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "identity_exists",
               absl::StrCat(Text("目录里已有身份：", "the folder already holds an identity: "),
                            folder.Chain()),
               folder.Chain(), Text("换一个空目录", "use an empty folder"));
}

absl::StatusOr<SigningKey> KeptSigningKey(const IdentityFolder& folder) {
  auto pem = ReadSmallFile(folder.SigningKeyFile());
  if (pem.ok()) {
    auto key = SigningKey::FromPem(*pem);
    return key.ok() ? std::move(key) : Damaged(key.status(), folder.SigningKeyFile());
  }
  if (!absl::IsNotFound(pem.status())) return pem.status();
  GT_ASSIGN_OR_RETURN(SigningKey key, SigningKey::Generate());
  GT_RETURN_IF_ERROR(MakeFolder(folder.path()));
  GT_RETURN_IF_ERROR(ReplaceFile(folder.SigningKeyFile(), key.ToPem()));
  return key;
}

namespace {

absl::Status IssueRoot(const IdentityFolder& folder, const SigningKey& key,
                       const std::string& name) {
  const absl::Time now = absl::Now();
  const IssueRequest request{.role = CertificateRole::kIssuing,
                             .node_id = NodeIdOf(key.public_key()),
                             .common_name = name,
                             .public_key = key.public_key(),
                             .not_before = now - kClockSkew,
                             .not_after = now + kRootLifetime};
  GT_ASSIGN_OR_RETURN(std::string der, IssueCertificate(request, key, ""));
  v1::CertificateChain chain;
  chain.add_certificates(std::move(der));
  GT_ASSIGN_OR_RETURN(const VerifiedChain self, VerifyChain(chain, request.node_id, now));
  GT_RETURN_IF_ERROR(MakeLeaf(folder, key, chain, self, {}).status());
  return ReplaceFile(folder.Chain(), ChainToPem(chain));
}

// The time the chain is to be made anew by its parent; all of it counts.
absl::Time RenewChainAt(const VerifiedChain& self, const CertificateTerms& terms) {
  return RenewAt(self.not_after, self.not_after - self.not_before - kClockSkew, terms);
}

}  // namespace

absl::Status CreateRootIdentity(const std::string& dir, const std::string& name) {
  const IdentityFolder folder(dir);
  GT_RETURN_IF_ERROR(CheckUnused(folder));
  GT_ASSIGN_OR_RETURN(const SigningKey key, KeptSigningKey(folder));
  return IssueRoot(folder, key, name);
}

std::string IdentityStamp(const std::string& dir) {
  const IdentityFolder folder(dir);
  const auto chain = ReadSmallFile(folder.Chain());
  return absl::StrCat(chain.ok() ? *chain : "", FileExists(folder.Moving()) ? "moving" : "");
}

absl::StatusOr<Identity> LoadIdentity(const std::string& dir, const CertificateTerms& terms) {
  const IdentityFolder folder(dir);
  GT_RETURN_IF_ERROR(FinishMove(dir));
  auto pem = ReadSmallFile(folder.Chain());
  if (absl::IsNotFound(pem.status())) {
    return Error(
        absl::StatusCode::kNotFound, "identity_missing",
        absl::StrCat(Text("目录里没有身份：", "the folder holds no identity: "), folder.Chain()),
        folder.Chain(), Text("先运行 guantong init", "run guantong init first"));
  }
  GT_RETURN_IF_ERROR(pem.status());
  auto chain = ChainFromPem(*pem);
  if (!chain.ok()) return Damaged(chain.status(), folder.Chain());
  auto self = VerifyChain(*chain, "", absl::Now());
  if (!self.ok()) return Damaged(self.status(), folder.Chain());
  if (self->role != CertificateRole::kIssuing) {
    return Contradiction(folder.Chain(), "its first certificate is no issuing certificate");
  }
  GT_ASSIGN_OR_RETURN(const std::string key_pem, ReadPart(folder.SigningKeyFile()));
  auto key = SigningKey::FromPem(key_pem);
  if (!key.ok()) return Damaged(key.status(), folder.SigningKeyFile());
  if (NodeIdOf(key->public_key()) != self->node_id) {
    return Contradiction(folder.SigningKeyFile(), "the key is not the one of chain.pem");
  }
  GT_ASSIGN_OR_RETURN(std::string parent, CheckedPin(folder, *chain));
  if (parent.empty() && absl::Now() >= RenewChainAt(*self, terms)) {
    GT_RETURN_IF_ERROR(IssueRoot(
        folder, *key, DescribeCertificate(chain->certificates(0)).substr(0, kRootNameBytes)));
    return LoadIdentity(dir, terms);
  }
  auto leaf = LoadLeaf(folder, *chain, *self, terms);
  if (!leaf.ok()) leaf = MakeLeaf(folder, *key, *chain, *self, terms);
  GT_RETURN_IF_ERROR(leaf.status());
  const absl::Time renew_chain_at = RenewChainAt(*self, terms);
  return Identity{.signing_key = *std::move(key),
                  .chain = *std::move(chain),
                  .self = *std::move(self),
                  .tls_key = std::move(leaf->key),
                  .tls_chain_pem = ChainToPem(leaf->chain),
                  .parent_node_id = std::move(parent),
                  .terms = terms,
                  .renew_chain_at = renew_chain_at,
                  .renew_tls_at = leaf->renew_at};
}

}  // namespace guantong
