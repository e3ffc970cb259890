#include "catalog/base/signature.h"

#include <string>

#include "absl/strings/escaping.h"
#include "catalog/base/certificate.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "tests/catch.h"

namespace guantong {
namespace {

std::string Bytes(absl::string_view hex) { return absl::HexStringToBytes(hex); }

// A key and a signature made by another program.
const char kSpki[] =
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000433ee075accf5836997bfedfc7e43fd5b76b25e5c"
    "a4b7a6acbb8342cf054be052c9f701317aace361c85a52c77a28f3ac0c1ee686daeac30c14c67cb9f6dec9a8";
const char kCompressedSpki[] =
    "3039301306072a8648ce3d020106082a8648ce3d0301070322000233ee075accf5836997bfedfc7e43fd5b76b25e5c"
    "a4b7a6acbb8342cf054be052";
const char kSignature[] =
    "3044022061ff2ac02f5d9929a8466f765c595d435786b5a8309744c7895c645820307dad022041fe26b623da0281a6"
    "ca0056654fbb6c283f43bca65eee4b50373cef65fc48dc";

std::string Network() {
  std::string network;
  for (char c = 0; c < 32; ++c) network.push_back(c);
  return network;
}

TEST_CASE("a signed message is the bytes the protocol says") {
  const std::string message = SignedMessage(kBatchDomain, Network(), Sha256("payload"));
  CHECK(HexOf(Sha256(message)) ==
        "3445e085d30ec4786d00f8fabd18dd20630c1274280549127d3e9d005635df4d");
  CHECK(message.size() == kBatchDomain.size() + 1 + 64);
}

TEST_CASE("a signature made elsewhere verifies, and for nothing else") {
  const PublicKey key = PublicKey::FromSpki(Bytes(kSpki)).value();
  const std::string digest = Sha256("payload");
  const std::string signature = Bytes(kSignature);
  CHECK(key.Verify(SignedMessage(kBatchDomain, Network(), digest), signature));
  CHECK_FALSE(key.Verify(SignedMessage(kManifestDomain, Network(), digest), signature));
  CHECK_FALSE(key.Verify(SignedMessage(kBatchDomain, ZeroDigest(), digest), signature));
  CHECK_FALSE(key.Verify(SignedMessage(kBatchDomain, Network(), Sha256("")), signature));
  CHECK_FALSE(key.Verify(SignedMessage(kBatchDomain, Network(), digest), ""));
  CHECK_FALSE(key.Verify(SignedMessage(kBatchDomain, Network(), digest), signature + "x"));
  CHECK_FALSE(key.Verify(SignedMessage(kBatchDomain, Network(), digest), std::string(500, 'x')));
}

TEST_CASE("a node id is the hash of the public key") {
  CHECK(HexOf(NodeIdOf(Bytes(kSpki))) ==
        "315c83ddfb72ebfc3fde4b7db0f89134a032acf11633a573fbbf9d468386fa57");
}

TEST_CASE("a key signs, and survives being written down") {
  const SigningKey key = SigningKey::Generate().value();
  const SigningKey read = SigningKey::FromPem(key.ToPem()).value();
  CHECK(read.public_key() == key.public_key());
  CHECK(PublicKey::FromSpki(key.public_key()).value().Verify("message", read.Sign("message")));
  CHECK(SigningKey::Generate().value().public_key() != key.public_key());
}

TEST_CASE("only canonical P-256 keys are keys") {
  const auto refused = [](const std::string& der) {
    return DetailOf(PublicKey::FromSpki(der).status()).reason == "key_malformed";
  };
  CHECK(refused(""));
  CHECK(refused("no key"));
  CHECK(refused(std::string(91, '\0')));
  CHECK(refused(Bytes(kSpki) + "x"));
  CHECK(refused(Bytes(kSpki).substr(1)));
  CHECK(refused(Bytes(kCompressedSpki)));
  std::string off_curve = Bytes(kSpki);
  off_curve.back() ^= 1;
  CHECK(refused(off_curve));
  CHECK(
      DetailOf(SigningKey::FromPem("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")
                   .status())
          .reason == "key_malformed");
}

}  // namespace
}  // namespace guantong
