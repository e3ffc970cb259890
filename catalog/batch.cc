#include "catalog/batch.h"

#include <zstd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/feed_kind.h"
#include "catalog/zstd_contexts.h"

namespace guantong {
namespace {

// Shorter payloads are all entropy and header.
constexpr size_t kCompressBytesMin = 128;
constexpr int kCompressionLevel = 3;

absl::Status Malformed(absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "batch_malformed",
               absl::StrCat("malformed batch: ", what));
}

absl::Status ManifestMalformed(absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "manifest_malformed",
               absl::StrCat("malformed manifest: ", what));
}

bool IsTime(const google::protobuf::Timestamp& time) {
  return time.seconds() > 0 && time.nanos() >= 0 && time.nanos() < 1'000'000'000;
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// A node has one feed of each kind of records: a name with more in it would be another feed beside
// it.
bool NamesNoMore(const v1::FeedId& feed) {
  v1::FeedId plain;
  plain.set_origin(feed.origin());
  plain.set_kind(feed.kind());
  return FeedKey::Of(plain) == FeedKey::Of(feed);
}

bool IsFeed(const v1::FeedId& feed) {
  if (feed.origin().size() != kDigestBytes) return false;
  switch (feed.kind()) {
    case v1::FEED_KIND_UNSPECIFIED:
      return false;
    case v1::FEED_KIND_ROWS:
      return !feed.resource().empty() && feed.addressee().empty();
    default:
      if (FindRecordKind(feed.kind()) != nullptr) return NamesNoMore(feed);
      return feed.addressee().empty() || feed.addressee().size() == kDigestBytes;
  }
}

bool IsEpoch(const v1::Epoch& epoch) {
  return epoch.number() > 0 && epoch.id().size() == kEpochIdBytes;
}

absl::Status CheckHeader(const v1::BatchHeader& header) {
  if (!IsFeed(header.feed())) return Malformed("feed");
  if (!IsEpoch(header.epoch())) return Malformed("epoch");
  if (header.prev() >= header.last()) return Malformed("it holds no record");
  if (header.last() - header.prev() > kBatchRecordsMax) return Malformed("too many records");
  if (header.prev_hash().size() != kDigestBytes) return Malformed("prev_hash");
  if (header.signer_chain().size() != kDigestBytes) return Malformed("signer_chain");
  if (!IsTime(header.signed_at())) return Malformed("signed_at");
  if (header.sealing() == v1::SEALING_UNSPECIFIED) return Malformed("sealing");
  if (header.encoding() == v1::ENCODING_UNSPECIFIED) return Malformed("encoding");
  if (header.compression() == v1::COMPRESSION_UNSPECIFIED) return Malformed("compression");
  if (header.digest_algorithm() != v1::DIGEST_ALGORITHM_SHA256) {
    return Malformed(absl::StrCat("digest algorithm ", static_cast<int>(header.digest_algorithm()),
                                  " is not known here"));
  }
  return absl::OkStatus();
}

// The signer is who it must be, in the right network, at the right time.
absl::Status CheckSigner(const v1::FeedId& feed, const google::protobuf::Timestamp& signed_at,
                         const VerifiedChain& signer, absl::string_view network) {
  const auto bad = [&](absl::string_view what) {
    return Error(absl::StatusCode::kUnauthenticated, "bad_signer",
                 absl::StrCat("signed by ", DisplayPath(signer.path), ": ", what),
                 HexOf(signer.fingerprint));
  };
  if (signer.role != CertificateRole::kIssuing) return bad("not with a node's signing key");
  if (signer.node_id != feed.origin()) return bad("not the origin of the feed");
  if (signer.network != network) return bad("a member of another network");
  const absl::Time at = TimeOf(signed_at);
  if (at < signer.not_before || at > signer.not_after) {
    return bad("its certificates were not valid when it signed");
  }
  return absl::OkStatus();
}

absl::Status CheckSignature(absl::string_view domain, v1::SignatureAlgorithm algorithm,
                            absl::string_view digest, absl::string_view signature,
                            const VerifiedChain& signer, absl::string_view network) {
  if (algorithm != v1::SIGNATURE_ALGORITHM_P256_SHA256) {
    return Error(
        absl::StatusCode::kUnauthenticated, "bad_signature",
        absl::StrCat("signature algorithm ", static_cast<int>(algorithm), " is not known here"));
  }
  if (!signer.key.Verify(SignedMessage(domain, network, digest), signature)) {
    return Error(absl::StatusCode::kUnauthenticated, "bad_signature",
                 absl::StrCat("the signature is not by the key of ", DisplayPath(signer.path)),
                 HexOf(signer.fingerprint));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ParsedBatch> ParseBatch(const v1::SignedBatch& batch) {
  if (batch.header().size() > kHeaderBytesMax) return Malformed("header too long");
  if (batch.payload().size() > kPayloadBytesMax) return Malformed("payload too long");
  if (batch.signature().empty() || batch.signature().size() > kSignatureBytesMax) {
    return Malformed("signature");
  }
  ParsedBatch parsed;
  if (!parsed.header.ParseFromString(batch.header())) return Malformed("header");
  GT_RETURN_IF_ERROR(CheckHeader(parsed.header));
  if (parsed.header.payload_digest() != Sha256(batch.payload())) {
    return Malformed("the payload is not the one its digest names");
  }
  parsed.key = FeedKey::Of(parsed.header.feed());
  parsed.chain_hash =
      ChainHash(parsed.header.prev_hash(), batch.header(), parsed.header.payload_digest());
  return parsed;
}

absl::Status CheckBatchSignature(const ParsedBatch& parsed, const v1::SignedBatch& batch,
                                 const VerifiedChain& signer, absl::string_view network) {
  const v1::BatchHeader& header = parsed.header;
  GT_RETURN_IF_ERROR(CheckSigner(header.feed(), header.signed_at(), signer, network));
  return CheckSignature(kBatchDomain, header.signature_algorithm(), parsed.chain_hash,
                        batch.signature(), signer, network);
}

v1::SignedBatch SealBatch(v1::BatchHeader header, std::string payload, const SigningKey& key,
                          absl::string_view network, std::string* chain_hash) {
  header.set_digest_algorithm(v1::DIGEST_ALGORITHM_SHA256);
  header.set_payload_digest(Sha256(payload));
  header.set_signature_algorithm(v1::SIGNATURE_ALGORITHM_P256_SHA256);
  v1::SignedBatch batch;
  header.SerializeToString(batch.mutable_header());
  batch.set_payload(std::move(payload));
  *chain_hash = ChainHash(header.prev_hash(), batch.header(), header.payload_digest());
  batch.set_signature(key.Sign(SignedMessage(kBatchDomain, network, *chain_hash)));
  return batch;
}

std::string EncodePayload(absl::string_view plain, v1::Compression* compression) {
  *compression = v1::COMPRESSION_NONE;
  if (plain.size() < kCompressBytesMin) return std::string(plain);
  // Room for an eighth less than the plain text: zstd gives up where that is not enough, and so do
  // we.
  std::string packed(plain.size() - plain.size() / 8, '\0');
  const size_t size = ZSTD_compressCCtx(ThreadPacker(), packed.data(), packed.size(), plain.data(),
                                        plain.size(), kCompressionLevel);
  if (ZSTD_isError(size)) return std::string(plain);
  packed.resize(size);
  *compression = v1::COMPRESSION_ZSTD;
  return packed;
}

absl::StatusOr<std::string> DecodePayload(v1::Compression compression, absl::string_view payload) {
  const auto corrupt = [](absl::string_view what) {
    return Error(absl::StatusCode::kDataLoss, "payload_corrupt",
                 absl::StrCat("payload cannot be unpacked: ", what));
  };
  if (compression == v1::COMPRESSION_NONE) {
    if (payload.size() > kPayloadBytesMax) return corrupt("too long");
    return std::string(payload);
  }
  if (compression != v1::COMPRESSION_ZSTD) return corrupt("unknown compression");
  const unsigned long long size = ZSTD_getFrameContentSize(payload.data(), payload.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) {
    return corrupt("no content size");
  }
  if (size > kPayloadBytesMax) return corrupt("too long");
  std::string plain(size, '\0');
  const size_t unpacked = ZSTD_decompressDCtx(ThreadUnpacker(), plain.data(), plain.size(),
                                              payload.data(), payload.size());
  if (ZSTD_isError(unpacked)) return corrupt(ZSTD_getErrorName(unpacked));
  if (unpacked != plain.size()) return corrupt("shorter than it says");
  return plain;
}

v1::SignedManifest SealManifest(const v1::Manifest& manifest, const SigningKey& key,
                                absl::string_view network) {
  v1::Manifest filled = manifest;
  filled.set_digest_algorithm(v1::DIGEST_ALGORITHM_SHA256);
  filled.set_signature_algorithm(v1::SIGNATURE_ALGORITHM_P256_SHA256);
  v1::SignedManifest signed_manifest;
  filled.SerializeToString(signed_manifest.mutable_manifest());
  signed_manifest.set_signature(
      key.Sign(SignedMessage(kManifestDomain, network, Sha256(signed_manifest.manifest()))));
  return signed_manifest;
}

absl::StatusOr<v1::Manifest> ParseManifest(const v1::SignedManifest& signed_manifest) {
  if (signed_manifest.manifest().size() > kManifestBytesMax) return ManifestMalformed("too long");
  if (signed_manifest.signature().empty() ||
      signed_manifest.signature().size() > kSignatureBytesMax) {
    return ManifestMalformed("signature");
  }
  v1::Manifest manifest;
  if (!manifest.ParseFromString(signed_manifest.manifest())) return ManifestMalformed("not parsed");
  if (!IsFeed(manifest.feed())) return ManifestMalformed("feed");
  if (!IsEpoch(manifest.at().epoch()) || manifest.at().chain_hash().size() != kDigestBytes) {
    return ManifestMalformed("position");
  }
  if (manifest.signer_chain().size() != kDigestBytes) return ManifestMalformed("signer_chain");
  if (!IsTime(manifest.signed_at())) return ManifestMalformed("signed_at");
  if (manifest.encoding() == v1::ENCODING_UNSPECIFIED) return ManifestMalformed("encoding");
  if (manifest.digest_algorithm() != v1::DIGEST_ALGORITHM_SHA256) {
    return ManifestMalformed("digest algorithm not known here");
  }
  for (const v1::ChunkRef& chunk : manifest.chunks()) {
    if (chunk.hash().size() != kDigestBytes || chunk.bytes() > kPayloadBytesMax) {
      return ManifestMalformed("chunk");
    }
  }
  return manifest;
}

absl::Status CheckManifestSignature(const v1::Manifest& manifest,
                                    const v1::SignedManifest& signed_manifest,
                                    const VerifiedChain& signer, absl::string_view network) {
  GT_RETURN_IF_ERROR(CheckSigner(manifest.feed(), manifest.signed_at(), signer, network));
  return CheckSignature(kManifestDomain, manifest.signature_algorithm(),
                        Sha256(signed_manifest.manifest()), signed_manifest.signature(), signer,
                        network);
}

bool SamePosition(const v1::Position& a, const v1::Position& b) {
  return a.epoch().number() == b.epoch().number() && a.epoch().id() == b.epoch().id() &&
         a.sequence() == b.sequence() && a.chain_hash() == b.chain_hash();
}

v1::Position PositionOf(const v1::BatchHeader& header, absl::string_view chain_hash) {
  v1::Position position;
  *position.mutable_epoch() = header.epoch();
  position.set_sequence(header.last());
  position.set_chain_hash(chain_hash.data(), chain_hash.size());
  return position;
}

}  // namespace guantong
