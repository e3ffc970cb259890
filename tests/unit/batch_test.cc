#include "catalog/batch.h"

#include <random>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "tests/catch.h"
#include "tests/unit/reasons.h"

namespace guantong {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1795200000);

std::string CountedBytes(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

struct Origin {
  SigningKey key = *SigningKey::Generate();
  std::string network = Sha256("root");
  VerifiedChain chain{.role = CertificateRole::kIssuing,
                      .path = NodePath(),
                      .node_id = NodeIdOf(key.public_key()),
                      .uscc = "",
                      .network = network,
                      .fingerprint = Sha256("certificate"),
                      .not_before = kNow - absl::Hours(1),
                      .not_after = kNow + absl::Hours(1),
                      .key = *PublicKey::FromSpki(key.public_key())};

  v1::BatchHeader Header() const {
    v1::BatchHeader header;
    header.mutable_feed()->set_origin(chain.node_id);
    header.mutable_feed()->set_kind(v1::FEED_KIND_ROWS);
    header.mutable_feed()->set_resource("1/1:1");
    header.mutable_epoch()->set_number(1);
    header.mutable_epoch()->set_id(std::string(16, 'E'));
    header.set_last(3);
    header.set_prev_hash(ZeroDigest());
    header.set_signer_chain(Sha256("chain"));
    header.mutable_signed_at()->set_seconds(absl::ToUnixSeconds(kNow));
    header.set_sealing(v1::SEALING_NONE);
    header.set_encoding(v1::ENCODING_ROWS);
    header.set_compression(v1::COMPRESSION_NONE);
    return header;
  }
};

// The bytes and digests come from a script that writes the wire format by hand and hashes with
// another library.
TEST_CASE("batch: the chain hash of a batch written by hand") {
  v1::SignedBatch batch;
  batch.set_header(absl::HexStringToBytes(
      "0a2b0a20000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f10041a05312f313a31"
      "1214080112104545454545454545454545454545454520032a2000000000000000000000000000000000000000"
      "00000000000000000000000000"
      "30013a20ef0e132d4e42932dd746939784074559714d2907beaaac0db7899c690b2c47a840014a204343434343"
      "434343434343434343434343434343434343434343434343434343"
      "52060880a882d80660076a04707573687001800101880102900101980103"));
  batch.set_payload("payload of the first batch");
  batch.set_signature("not looked at");
  const auto parsed = ParseBatch(batch);
  INFO(parsed.status());
  REQUIRE(parsed.ok());
  CHECK(HexOf(parsed->chain_hash) ==
        "1c9461057463341b2e9b235ad28722bbbdd8f7a1f4bd93c8a3fe0d6bfa0c0f2b");
  CHECK(HexOf(parsed->key.bytes()) == "c96cd5399013741f20182daa327b4606");
  CHECK(parsed->header.feed().origin() == CountedBytes(32));
  CHECK(parsed->header.last() == 3);
  CHECK(parsed->header.commit() == 7);
  CHECK(parsed->header.push_end());
  CHECK(parsed->header.rows() == 3);

  // Fields of a later version are part of what is hashed, and no reason to refuse.
  absl::StrAppend(batch.mutable_header(), "\xf8\x07\x01");
  const auto later = ParseBatch(batch);
  REQUIRE(later.ok());
  CHECK(later->chain_hash != parsed->chain_hash);
}

TEST_CASE("batch: what is sealed parses, and its signature is the origin's") {
  const Origin origin;
  std::string hash;
  const v1::SignedBatch batch =
      SealBatch(origin.Header(), "payload", origin.key, origin.network, &hash);
  const auto parsed = ParseBatch(batch);
  REQUIRE(parsed.ok());
  CHECK(parsed->chain_hash == hash);
  CHECK(parsed->key == FeedKey::Of(origin.Header().feed()));
  CHECK(CheckBatchSignature(*parsed, batch, origin.chain, origin.network).ok());

  v1::SignedBatch forged = batch;
  forged.mutable_signature()->back() ^= 1;
  CHECK(ReasonOf(CheckBatchSignature(*parsed, forged, origin.chain, origin.network)) ==
        "bad_signature");

  const Origin other;
  CHECK(ReasonOf(CheckBatchSignature(*parsed, batch, other.chain, origin.network)) == "bad_signer");
  VerifiedChain stranger = origin.chain;
  stranger.key = other.chain.key;
  CHECK(ReasonOf(CheckBatchSignature(*parsed, batch, stranger, origin.network)) == "bad_signature");
  VerifiedChain profile = origin.chain;
  profile.role = CertificateRole::kTls;
  CHECK(ReasonOf(CheckBatchSignature(*parsed, batch, profile, origin.network)) == "bad_signer");
  VerifiedChain late = origin.chain;
  late.not_after = kNow - absl::Seconds(1);
  CHECK(ReasonOf(CheckBatchSignature(*parsed, batch, late, origin.network)) == "bad_signer");
  CHECK(ReasonOf(CheckBatchSignature(*parsed, batch, origin.chain, Sha256("other root"))) ==
        "bad_signer");
  VerifiedChain moved = origin.chain;
  moved.network = Sha256("other root");
  CHECK(ReasonOf(CheckBatchSignature(*parsed, batch, moved, moved.network)) == "bad_signature");
}

TEST_CASE("batch: what is malformed is refused before anything is believed") {
  const Origin origin;
  const auto reason = [&](auto change) {
    v1::BatchHeader header = origin.Header();
    change(&header);
    std::string hash;
    return ReasonOf(
        ParseBatch(SealBatch(header, "payload", origin.key, origin.network, &hash)).status());
  };
  const std::string malformed = "batch_malformed";
  CHECK(reason([](v1::BatchHeader*) {}) == "");
  CHECK(reason([](auto* h) { h->mutable_feed()->set_origin("short"); }) == malformed);
  CHECK(reason([](auto* h) { h->mutable_feed()->clear_kind(); }) == malformed);
  CHECK(reason([](auto* h) { h->mutable_feed()->set_addressee("short"); }) == malformed);
  CHECK(reason([](auto* h) { h->mutable_epoch()->set_number(0); }) == malformed);
  CHECK(reason([](auto* h) { h->mutable_epoch()->set_id("short"); }) == malformed);
  CHECK(reason([](auto* h) { h->set_prev(3); }) == malformed);
  CHECK(reason([](auto* h) { h->set_prev(4); }) == malformed);
  CHECK(reason([](auto* h) { h->set_last(kBatchRecordsMax + 1); }) == malformed);
  CHECK(reason([](auto* h) { h->set_prev_hash(""); }) == malformed);
  CHECK(reason([](auto* h) { h->set_signer_chain("x"); }) == malformed);
  CHECK(reason([](auto* h) { h->clear_signed_at(); }) == malformed);
  CHECK(reason([](auto* h) { h->mutable_signed_at()->set_nanos(-1); }) == malformed);
  CHECK(reason([](auto* h) { h->clear_encoding(); }) == malformed);
  CHECK(reason([](auto* h) { h->clear_compression(); }) == malformed);
  CHECK(reason([](auto* h) { h->clear_sealing(); }) == malformed);
  CHECK(reason([](auto* h) { h->set_author(std::string(kHeaderBytesMax, 'a')); }) == malformed);
  // Kinds and encodings of a later version are stored and forwarded.
  CHECK(reason([](auto* h) { h->mutable_feed()->set_kind(static_cast<v1::FeedKind>(30)); }) == "");
  CHECK(reason([](auto* h) { h->set_encoding(static_cast<v1::Encoding>(9)); }) == "");

  std::string hash;
  v1::SignedBatch batch = SealBatch(origin.Header(), "payload", origin.key, origin.network, &hash);
  v1::SignedBatch swapped = batch;
  swapped.set_payload("Payload");
  CHECK(ReasonOf(ParseBatch(swapped).status()) == malformed);
  batch.clear_signature();
  CHECK(ReasonOf(ParseBatch(batch).status()) == malformed);
}

TEST_CASE("batch: no flipped bit passes") {
  const Origin origin;
  std::string hash;
  const v1::SignedBatch batch =
      SealBatch(origin.Header(), "payload of some length", origin.key, origin.network, &hash);
  const std::string bytes = batch.SerializeAsString();
  int passed = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] ^= static_cast<char>(1 << bit % 8);
    v1::SignedBatch other;
    if (!other.ParseFromString(flipped)) continue;
    const auto parsed = ParseBatch(other);
    if (!parsed.ok()) continue;
    if (CheckBatchSignature(*parsed, other, origin.chain, origin.network).ok()) ++passed;
  }
  CHECK(passed == 0);
}

TEST_CASE("batch: payloads come back, compressed when it pays") {
  std::mt19937 random(7);
  std::string noise;
  for (int i = 0; i < 100000; ++i) noise.push_back(static_cast<char>(random()));
  const std::string repeated(100000, 'r');
  for (const std::string& plain : {std::string(), std::string("short"), repeated, noise}) {
    v1::Compression compression;
    const std::string encoded = EncodePayload(plain, &compression);
    CHECK(encoded.size() <= plain.size());
    const auto decoded = DecodePayload(compression, encoded);
    REQUIRE(decoded.ok());
    CHECK(*decoded == plain);
  }
  v1::Compression compression;
  CHECK(EncodePayload(repeated, &compression).size() < 1000);
  CHECK(compression == v1::COMPRESSION_ZSTD);
  CHECK(EncodePayload(noise, &compression) == noise);
  CHECK(compression == v1::COMPRESSION_NONE);
}

TEST_CASE("batch: a payload that is damaged or too large is refused") {
  v1::Compression compression;
  const std::string packed = EncodePayload(std::string(5000, 'r'), &compression);
  const auto reason = [](v1::Compression how, absl::string_view payload) {
    return ReasonOf(DecodePayload(how, payload).status());
  };
  CHECK(reason(v1::COMPRESSION_ZSTD, packed.substr(0, packed.size() - 1)) == "payload_corrupt");
  CHECK(reason(v1::COMPRESSION_ZSTD, "nothing of the kind") == "payload_corrupt");
  CHECK(reason(v1::COMPRESSION_ZSTD, "") == "payload_corrupt");
  CHECK(reason(static_cast<v1::Compression>(9), packed) == "payload_corrupt");
  CHECK(reason(v1::COMPRESSION_NONE, std::string(kPayloadBytesMax + 1, 'x')) == "payload_corrupt");
  // A few bytes that say they are many.
  const std::string bomb = EncodePayload(std::string(kPayloadBytesMax + 1, 'b'), &compression);
  CHECK(bomb.size() < 10000);
  CHECK(reason(v1::COMPRESSION_ZSTD, bomb) == "payload_corrupt");
  // Two frames, of which the first alone says its size.
  CHECK(reason(v1::COMPRESSION_ZSTD, packed + packed) == "payload_corrupt");
}

TEST_CASE("batch: a manifest is signed over all of it") {
  const Origin origin;
  v1::Manifest manifest;
  *manifest.mutable_feed() = origin.Header().feed();
  *manifest.mutable_at() = PositionOf(origin.Header(), Sha256("here"));
  manifest.set_signer_chain(Sha256("chain"));
  manifest.mutable_signed_at()->set_seconds(absl::ToUnixSeconds(kNow));
  manifest.set_encoding(v1::ENCODING_ROWS);
  v1::ChunkRef* chunk = manifest.add_chunks();
  chunk->set_hash(Sha256("chunk"));
  chunk->set_bytes(5);
  const v1::SignedManifest sealed = SealManifest(manifest, origin.key, origin.network);
  const auto parsed = ParseManifest(sealed);
  REQUIRE(parsed.ok());
  CHECK(parsed->chunks(0).hash() == chunk->hash());
  CHECK(CheckManifestSignature(*parsed, sealed, origin.chain, origin.network).ok());
  v1::SignedManifest altered = sealed;
  v1::Manifest more = *parsed;
  more.set_records(1);
  altered.set_manifest(more.SerializeAsString());
  CHECK(ReasonOf(CheckManifestSignature(*ParseManifest(altered), altered, origin.chain,
                                        origin.network)) == "bad_signature");
  // A signature over a manifest is none over a batch with that hash.
  CHECK_FALSE(origin.chain.key.Verify(
      SignedMessage(kBatchDomain, origin.network, Sha256(sealed.manifest())), sealed.signature()));

  chunk->set_bytes(kPayloadBytesMax + 1);
  CHECK(ReasonOf(ParseManifest(SealManifest(manifest, origin.key, origin.network)).status()) ==
        "manifest_malformed");
  chunk->set_bytes(5);
  chunk->set_hash("short");
  CHECK(ReasonOf(ParseManifest(SealManifest(manifest, origin.key, origin.network)).status()) ==
        "manifest_malformed");
}

TEST_CASE("batch: positions differ in any part") {
  const Origin origin;
  const v1::Position position = PositionOf(origin.Header(), Sha256("a"));
  CHECK(position.sequence() == 3);
  CHECK(SamePosition(position, position));
  v1::Position other = position;
  other.set_sequence(4);
  CHECK_FALSE(SamePosition(position, other));
  other = position;
  other.set_chain_hash(Sha256("b"));
  CHECK_FALSE(SamePosition(position, other));
  other = position;
  other.mutable_epoch()->set_number(2);
  CHECK_FALSE(SamePosition(position, other));
  other = position;
  other.mutable_epoch()->set_id(std::string(16, 'F'));
  CHECK_FALSE(SamePosition(position, other));
}

}  // namespace
}  // namespace guantong
