// Signed batches and manifests: sealing at the origin, checking everywhere. Pure functions over
// bytes.
#ifndef GUANTONG_CATALOG_BATCH_H_
#define GUANTONG_CATALOG_BATCH_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "catalog/base/certificate.h"
#include "catalog/base/signature.h"
#include "catalog/keys.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

struct ParsedBatch {
  v1::BatchHeader header;
  FeedKey key;
  std::string chain_hash;  // H(last), computed from header and payload digest
};

// Well-formedness, bounds and payload digest; no signature. INVALID_ARGUMENT batch_malformed.
absl::StatusOr<ParsedBatch> ParseBatch(const v1::SignedBatch& batch);

// The signer is the feed's origin, its chain was valid at signed_at, and the signature covers
// chain_hash. UNAUTHENTICATED bad_signature, bad_signer.
absl::Status CheckBatchSignature(const ParsedBatch& parsed, const v1::SignedBatch& batch,
                                 const VerifiedChain& signer, absl::string_view network);

// Signs. Fills digest and algorithm fields of `header`; everything else is the caller's.
v1::SignedBatch SealBatch(v1::BatchHeader header, std::string payload, const SigningKey& key,
                          absl::string_view network, std::string* chain_hash);

// Compresses when it pays; the counterpart undoes it, bounded by kPayloadBytesMax. DATA_LOSS
// payload_corrupt.
std::string EncodePayload(absl::string_view plain, v1::Compression* compression);
absl::StatusOr<std::string> DecodePayload(v1::Compression compression, absl::string_view payload);

v1::SignedManifest SealManifest(const v1::Manifest& manifest, const SigningKey& key,
                                absl::string_view network);
absl::StatusOr<v1::Manifest> ParseManifest(const v1::SignedManifest& signed_manifest);
absl::Status CheckManifestSignature(const v1::Manifest& manifest,
                                    const v1::SignedManifest& signed_manifest,
                                    const VerifiedChain& signer, absl::string_view network);

// Positions.
bool SamePosition(const v1::Position& a, const v1::Position& b);
v1::Position PositionOf(const v1::BatchHeader& header, absl::string_view chain_hash);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BATCH_H_
