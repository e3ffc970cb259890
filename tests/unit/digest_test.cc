#include "catalog/base/digest.h"

#include <string>

#include "tests/catch.h"

namespace guantong {
namespace {

TEST_CASE("SHA-256 is the one everybody knows") {
  // FIPS 180-2, appendix B.
  CHECK(HexOf(Sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(HexOf(Sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256Stream stream;
  stream.Update("a");
  stream.Update("");
  stream.Update("bc");
  CHECK(stream.Finish() == Sha256("abc"));
}

TEST_CASE("parts cannot run into each other") {
  const auto digest = [](const char* first, const char* second) {
    Sha256Stream stream;
    stream.UpdatePart(first);
    stream.UpdatePart(second);
    return stream.Finish();
  };
  CHECK(digest("ab", "c") != digest("a", "bc"));
  CHECK(digest("ab", "c") == Sha256(std::string("\0\0\0\0\0\0\0\2ab\0\0\0\0\0\0\0\1c", 19)));
}

TEST_CASE("the chain hash is what every node in the country computes") {
  // Made with sha256sum over the bytes that feed.proto names.
  const std::string first = ChainHash(ZeroDigest(), "header", Sha256("payload"));
  CHECK(HexOf(first) == "399e97abb0cf68709d14cf9a9b67eeaef07beead6c76aa328d4bedf7b019e6c9");
  CHECK(HexOf(ChainHash(first, "", Sha256(""))) ==
        "7b04d6e17811aa84601d412d9b5454456ef7cd5cae03e9216b28cd708bb2d262");
}

TEST_CASE("zero digest, random bytes") {
  CHECK(ZeroDigest() == std::string(32, '\0'));
  CHECK(RandomBytes(0).empty());
  CHECK(RandomBytes(16).size() == 16);
  CHECK(RandomBytes(16) != RandomBytes(16));
}

}  // namespace
}  // namespace guantong
