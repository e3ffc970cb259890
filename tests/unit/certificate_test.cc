#include "catalog/base/certificate.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "tests/catch.h"
#include "tests/unit/identities.h"
#include "tests/unit/reasons.h"

namespace guantong {
namespace {

struct Branch {
  MadeNode root = MakeRoot();
  MadeNode province = MakeNode(&root, "630000");
  MadeNode city = MakeNode(&province, "630100");
  std::string network = root.node_id();
  absl::Time now = absl::Now();

  std::string Refusal(const v1::CertificateChain& chain) const {
    const auto verified = VerifyChain(chain, network, now);
    CHECK(absl::IsUnauthenticated(verified.status()));
    return ReasonOf(verified.status());
  }
};

IssueRequest IssuingFor(const SigningKey& key, const NodePath& path) {
  return {.role = CertificateRole::kIssuing,
          .path = path,
          .node_id = NodeIdOf(key.public_key()),
          .common_name = "test",
          .public_key = key.public_key()};
}

v1::CertificateChain Below(const std::string& der, const v1::CertificateChain& issuer) {
  v1::CertificateChain chain;
  chain.add_certificates(der);
  chain.MergeFrom(issuer);
  return chain;
}

TEST_CASE("a chain proves node, branch and network") {
  const Branch branch;
  const auto verified = VerifyChain(branch.city.tls_chain, branch.network, branch.now);
  REQUIRE(verified.ok());
  CHECK(verified->role == CertificateRole::kTls);
  CHECK(verified->path.text() == "630000/630100");
  CHECK(verified->node_id == branch.city.node_id());
  CHECK(verified->network == branch.network);
  CHECK(verified->uscc.empty());
  CHECK(verified->fingerprint == Sha256(branch.city.tls_chain.certificates(0)));
  CHECK(verified->key.Verify("m", branch.city.tls_key.Sign("m")));

  const auto issuing = VerifyChain(branch.city.chain, "", branch.now);
  REQUIRE(issuing.ok());
  CHECK(issuing->role == CertificateRole::kIssuing);
  CHECK(issuing->key.Verify("m", branch.city.signing_key.Sign("m")));
  CHECK(VerifyChain(branch.root.chain, branch.network, branch.now).ok());
}

TEST_CASE("a person's certificate names role and department") {
  const Branch branch;
  const SigningKey key = SigningKey::Generate().value();
  IssueRequest request{.role = CertificateRole::kEditor,
                       .path = branch.city.path,
                       .node_id = branch.city.node_id(),
                       .uscc = "116300000150100095",
                       .common_name = "民政厅",
                       .public_key = key.public_key()};
  const auto issue = [&] {
    return Below(IssueOrDie(request, branch.city.signing_key, branch.city.chain.certificates(0)),
                 branch.city.chain);
  };
  const auto editor = VerifyChain(issue(), branch.network, branch.now);
  REQUIRE(editor.ok());
  CHECK(editor->role == CertificateRole::kEditor);
  CHECK(editor->uscc == "116300000150100095");
  CHECK(editor->node_id == branch.city.node_id());

  request.path = branch.province.path;
  CHECK(branch.Refusal(issue()) == "branch_violation");
  request.path = branch.city.path;
  request.node_id = branch.province.node_id();
  CHECK(branch.Refusal(issue()) == "node_id_mismatch");
  request.node_id = branch.city.node_id();
  const auto unissuable = [&] {
    request.not_before = branch.now;
    request.not_after = branch.now + absl::Hours(1);
    return !IssueCertificate(request, branch.city.signing_key, branch.city.chain.certificates(0))
                .ok();
  };
  request.uscc = "1163";
  CHECK(unissuable());
  request.uscc = "11630000015010009,";
  CHECK(unissuable());
  request.uscc = "";
  CHECK(unissuable());
  request.role = CertificateRole::kOperator;
  CHECK(VerifyChain(issue(), branch.network, branch.now)->role == CertificateRole::kOperator);
  request.uscc = "116300000150100095";
  CHECK(unissuable());
}

TEST_CASE("dates are held against every certificate of the chain") {
  const Branch branch;
  const SigningKey key = SigningKey::Generate().value();
  const auto chain = [&](Validity validity) {
    return Below(IssueOrDie(IssuingFor(key, branch.city.path.Child("630102")),
                            branch.city.signing_key, branch.city.chain.certificates(0), validity),
                 branch.city.chain);
  };
  const Validity past{branch.now - absl::Hours(9), branch.now - absl::Hours(1)};
  const Validity future{branch.now + absl::Hours(1), branch.now + absl::Hours(9)};
  CHECK(branch.Refusal(chain(past)) == "certificate_expired");
  CHECK(branch.Refusal(chain(future)) == "certificate_not_yet_valid");
  CHECK(VerifyChainLinks(chain(past), branch.network).ok());

  // An issuer that has expired proves nothing for those below it.
  const auto verified = VerifyChain(branch.city.chain, branch.network, branch.now);
  REQUIRE(verified.ok());
  const auto late =
      VerifyChain(branch.city.chain, branch.network, verified->not_after + absl::Seconds(1));
  CHECK(ReasonOf(late.status()) == "certificate_expired");
  CHECK(VerifyChain(branch.city.chain, branch.network, verified->not_after).ok());
  CHECK(VerifyChain(branch.city.chain, branch.network, verified->not_before).ok());
}

TEST_CASE("the narrowest dates of a chain are its dates") {
  const Branch branch;
  const SigningKey key = SigningKey::Generate().value();
  const Validity narrow{absl::FromUnixSeconds(absl::ToUnixSeconds(branch.now) - 60),
                        absl::FromUnixSeconds(absl::ToUnixSeconds(branch.now) + 60)};
  const auto verified = VerifyChain(
      Below(IssueOrDie(IssuingFor(key, branch.city.path.Child("630102")), branch.city.signing_key,
                       branch.city.chain.certificates(0), narrow),
            branch.city.chain),
      branch.network, branch.now);
  REQUIRE(verified.ok());
  CHECK(verified->not_before == narrow.not_before);
  CHECK(verified->not_after == narrow.not_after);
}

TEST_CASE("a node speaks for its own branch only") {
  const Branch branch;
  const SigningKey key = SigningKey::Generate().value();
  for (const char* path :
       {"640000/640100", "630000", "", "630000/630100", "630000/630100/1/2", "630000/630200/1"}) {
    INFO(path);
    const std::string der = IssueOrDie(IssuingFor(key, NodePath::Parse(path).value()),
                                       branch.city.signing_key, branch.city.chain.certificates(0));
    CHECK(branch.Refusal(Below(der, branch.city.chain)) == "branch_violation");
  }
}

TEST_CASE("a node id that is not the key's is a stranger's") {
  const Branch branch;
  const SigningKey key = SigningKey::Generate().value();
  IssueRequest request = IssuingFor(key, branch.city.path.Child("1"));
  request.node_id = branch.root.node_id();
  const std::string der =
      IssueOrDie(request, branch.city.signing_key, branch.city.chain.certificates(0));
  CHECK(branch.Refusal(Below(der, branch.city.chain)) == "node_id_mismatch");

  // Also for a root: nobody can name himself the network.
  IssueRequest root = IssuingFor(key, NodePath());
  root.node_id = branch.network;
  v1::CertificateChain chain;
  chain.add_certificates(IssueOrDie(root, key, ""));
  CHECK(branch.Refusal(chain) == "node_id_mismatch");
}

TEST_CASE("another network's root is foreign") {
  const Branch branch;
  const MadeNode root = MakeRoot();
  const MadeNode node = MakeNode(&root, "630000");
  CHECK(branch.Refusal(node.tls_chain) == "foreign_network");
  CHECK(branch.Refusal(root.chain) == "foreign_network");
  CHECK(VerifyChain(node.tls_chain, "", branch.now).ok());
}

TEST_CASE("a chain with a broken link is no chain") {
  const Branch branch;
  SECTION("a certificate is left out") {
    v1::CertificateChain chain = branch.city.tls_chain;
    chain.mutable_certificates()->DeleteSubrange(1, 1);
    CHECK(branch.Refusal(chain) == "chain_broken");
  }
  SECTION("the root is left out") {
    v1::CertificateChain chain = branch.city.tls_chain;
    chain.mutable_certificates()->RemoveLast();
    CHECK(branch.Refusal(chain) == "chain_broken");
  }
  SECTION("the order is wrong") {
    v1::CertificateChain chain = branch.city.tls_chain;
    chain.mutable_certificates()->SwapElements(1, 2);
    CHECK(branch.Refusal(chain) == "chain_broken");
  }
  SECTION("signed by a key that is not the issuer's") {
    const MadeNode liar = MakeRoot();
    // Issuer's name and path are right, the signature is the liar's.
    MadeNode namesake = liar;
    const IssueRequest request{.role = CertificateRole::kIssuing,
                               .node_id = liar.node_id(),
                               .common_name = "节点 root",
                               .public_key = liar.signing_key.public_key()};
    *namesake.chain.mutable_certificates(0) = IssueOrDie(request, liar.signing_key, "");
    const MadeNode below = MakeNode(&namesake, "630000");
    v1::CertificateChain chain = below.tls_chain;
    *chain.mutable_certificates(2) = branch.root.chain.certificates(0);
    CHECK(branch.Refusal(chain) == "chain_broken");
  }
  SECTION("a byte of a signature is changed") {
    v1::CertificateChain chain = branch.city.tls_chain;
    std::string* der = chain.mutable_certificates(1);
    (*der)[der->size() - 1] ^= 1;
    const std::string reason = branch.Refusal(chain);
    CHECK((reason == "chain_broken" || reason == "certificate_malformed"));
  }
  SECTION("a TLS leaf issues") {
    const SigningKey key = SigningKey::Generate().value();
    const std::string der = IssueOrDie(IssuingFor(key, branch.city.path.Child("1")),
                                       branch.city.tls_key, branch.city.tls_chain.certificates(0));
    CHECK(branch.Refusal(Below(der, branch.city.tls_chain)) == "chain_broken");
  }
  SECTION("a self-signed leaf is no root") {
    const SigningKey key = SigningKey::Generate().value();
    IssueRequest request = IssuingFor(key, NodePath());
    request.role = CertificateRole::kTls;
    v1::CertificateChain chain;
    chain.add_certificates(IssueOrDie(request, key, ""));
    CHECK(branch.Refusal(chain) == "chain_broken");
  }
  SECTION("it ends below the root at a self-signed certificate") {
    const SigningKey key = SigningKey::Generate().value();
    v1::CertificateChain chain;
    chain.add_certificates(IssueOrDie(IssuingFor(key, branch.province.path), key, ""));
    CHECK(branch.Refusal(chain) == "chain_broken");
  }
}

TEST_CASE("what is no certificate of this network's profile is malformed") {
  const Branch branch;
  v1::CertificateChain chain = branch.city.tls_chain;
  SECTION("none") { chain.clear_certificates(); }
  SECTION("too many") {
    while (chain.certificates_size() <= static_cast<int>(kChainLengthMax)) {
      chain.add_certificates(branch.root.chain.certificates(0));
    }
  }
  SECTION("empty") { chain.set_certificates(0, ""); }
  SECTION("no DER") { chain.set_certificates(0, "certificate"); }
  SECTION("cut") { chain.mutable_certificates(0)->pop_back(); }
  SECTION("with more behind it") { chain.mutable_certificates(0)->push_back('\0'); }
  SECTION("large") { chain.mutable_certificates(0)->append(kCertificateBytesMax, '\0'); }
  CHECK(branch.Refusal(chain) == "certificate_malformed");
}

TEST_CASE("every single changed byte is noticed") {
  const Branch branch;
  const std::string& der = branch.city.chain.certificates(0);
  size_t accepted = 0;
  for (size_t i = 0; i < der.size(); ++i) {
    v1::CertificateChain chain = branch.city.chain;
    (*chain.mutable_certificates(0))[i] ^= 0x41;
    if (VerifyChain(chain, branch.network, branch.now).ok()) ++accepted;
  }
  CHECK(accepted == 0);
}

TEST_CASE("a refusal names the certificate and the remedy") {
  const Branch branch;
  const auto verified = VerifyChain(MakeRoot().chain, branch.network, branch.now);
  const ErrorDetail detail = DetailOf(verified.status());
  CHECK(absl::StrContains(detail.subject, "节点 root (path /), sha256 "));
  CHECK_FALSE(detail.remedy.empty());
  CHECK(absl::StrContains(verified.status().message(), detail.subject));
  CHECK(absl::StartsWith(DescribeCertificate("junk"), "unreadable certificate, sha256 "));
}

TEST_CASE("PEM keeps a chain as it is") {
  const Branch branch;
  const auto read = ChainFromPem(ChainToPem(branch.city.tls_chain));
  REQUIRE(read.ok());
  CHECK(read->SerializeAsString() == branch.city.tls_chain.SerializeAsString());
  for (const std::string& pem :
       {std::string(), std::string("text"), ChainToPem(branch.city.chain).substr(0, 200),
        branch.city.signing_key.ToPem(),
        ChainToPem(branch.city.chain) + branch.city.tls_key.ToPem(),
        std::string(kPemBytesMax + 1, 'x')}) {
    CHECK(ReasonOf(ChainFromPem(pem).status()) == "certificate_malformed");
  }
}

TEST_CASE("a chain's digest names it") {
  const Branch branch;
  CHECK(ChainDigest(branch.city.chain) ==
        Sha256(absl::StrCat(Sha256(branch.city.chain.certificates(0)),
                            Sha256(branch.city.chain.certificates(1)),
                            Sha256(branch.city.chain.certificates(2)))));
}

TEST_CASE("long and odd names are cut, not refused") {
  const Branch branch;
  const SigningKey key = SigningKey::Generate().value();
  IssueRequest request = IssuingFor(key, branch.city.path.Child("1"));
  for (int i = 0; i < 100; ++i) request.common_name += "省";
  const std::string der =
      IssueOrDie(request, branch.city.signing_key, branch.city.chain.certificates(0));
  CHECK(VerifyChain(Below(der, branch.city.chain), branch.network, branch.now).ok());
  request.common_name = "";
  CHECK_FALSE(
      IssueOrDie(request, branch.city.signing_key, branch.city.chain.certificates(0)).empty());
}

}  // namespace
}  // namespace guantong
