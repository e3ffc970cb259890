// Every bound of the node that no configuration changes.
#ifndef GUANTONG_CATALOG_BASE_LIMITS_H_
#define GUANTONG_CATALOG_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace guantong {

// Certificates.
inline constexpr size_t kChainLengthMax = 12;
inline constexpr size_t kCertificateBytesMax = 8 << 10;
inline constexpr size_t kPemBytesMax = 256 << 10;  // a whole chain, or a key, as text
inline constexpr size_t kP256PublicKeyBytes = 91;  // SPKI, DER, named curve, uncompressed point
inline constexpr size_t kUsccBytes = 18;           // GB 32100

// Batches. A payload stays well under a frame, so that fragments of others get between.
inline constexpr size_t kPayloadBytesMax = 4 << 20;     // decoded
inline constexpr size_t kBatchBytesTarget = 512 << 10;  // payload size an origin aims at
inline constexpr size_t kBatchRowsMax = 4096;
inline constexpr uint64_t kBatchRecordsMax =
    kBatchRowsMax + 2;  // the rows, a schema, an epoch's opening
inline constexpr size_t kSignatureBytesMax = 256;
inline constexpr size_t kEpochIdBytes = 16;
inline constexpr size_t kManifestBytesMax = 7 << 20;  // 190,000 chunks, within a frame
inline constexpr size_t kHeaderBytesMax = 4 << 10;
inline constexpr size_t kChunkBytesTarget = 512 << 10;
inline constexpr int64_t kClockAheadSeconds = 600;  // signed_at of a batch against our clock

// Rows and values.
inline constexpr size_t kValueBytesMax = 256 << 10;
inline constexpr size_t kRowBytesMax = 1 << 20;
inline constexpr size_t kRowKeyBytesMax = 1 << 10;
inline constexpr size_t kColumnsMax = 1000;
inline constexpr size_t kNumberDigitsMax = 128;  // before the point, and after it

// Entries.
inline constexpr size_t kEntryBytesMax = 1 << 20;
inline constexpr size_t kFactNameBytesMax = 256;  // the name a fact stands under in its feed

// Code lists. A version is one record.
inline constexpr size_t kCodeListIdBytesMax = 64;
inline constexpr size_t kCodeListVersionBytesMax = 32;
inline constexpr size_t kCodeListBytesMax = 2 << 20;
inline constexpr size_t kCodeBytesMax = 64;

// Tables.
inline constexpr size_t kPutsRowsMax = 64;        // a push this small is put row by row
inline constexpr size_t kPutsBytesMax = 8 << 10;  // and no larger than this
inline constexpr int kRunsMax = 24;               // above it a push waits for the merge
inline constexpr int kOpenRunsMax = 16;           // of one push
inline constexpr size_t kJoinBlocksMax = 4096;    // of a push that joins another run
inline constexpr int kMergeRunsMin = 4;           // so many of about one size are merged
inline constexpr size_t kMergeRowsPerStep = 4096;
inline constexpr size_t kMergeBytesPerStep = 256 << 10;  // whichever is reached first; one block

// Query.
inline constexpr uint32_t kQueryLimitDefault = 100;
inline constexpr uint32_t kQueryLimitMax = 10000;
inline constexpr size_t kReplyBytesMax = 2 << 20;
inline constexpr size_t kWhereBytesMax = 4 << 10;

// Pushes.
inline constexpr int kPushRecordDays = 90;
inline constexpr size_t kPushRecordsMax = 100000;  // per node; the oldest go first
inline constexpr size_t kRejectsListedMax = 1000;

// Relay core.
inline constexpr size_t kScopesPerLinkMax = 64;
inline constexpr size_t kScopeKindsMax = 32;          // of feeds, in one scope
inline constexpr size_t kInterestBytesMax = 1 << 10;  // of one single feed wanted
inline constexpr size_t kChainsInMemoryBytesMax =
    64 << 20;  // certificate chains as DER, those of strangers' calls as well
inline constexpr size_t kFeedsPerLinkMax = 100000;  // single feeds one neighbour may want
inline constexpr size_t kTailBytesMax = 32 << 20;   // recent batches kept in memory, all feeds
inline constexpr size_t kSyncListFeedsMax = 24;     // a range this small is listed, not split
inline constexpr size_t kSyncRangesPerFrameMax = 512;
inline constexpr size_t kChunksPerManifestMax = 1 << 20;
inline constexpr size_t kFeedsBelowMax = 200000;  // held from below one child; more are refused
inline constexpr uint64_t kFeedOverheadBytes = 4 << 10;  // charged for a feed beside its log
inline constexpr int kCutsMax = 64;  // ends of earlier epochs remembered, per feed
inline constexpr size_t kSupersededBytesMax =
    16 << 20;                                    // superseded batches kept to be listed, per feed
inline constexpr size_t kDepartedMax = 4096;     // paths below here whose node went elsewhere
inline constexpr size_t kPlacesAskedMax = 4096;  // nodes children ask the place of, unanswered
inline constexpr size_t kPlacesAskedAtOnceMax = 64;  // of those that have not proved their place
inline constexpr size_t kCallBodyBytesMax = 2 << 20;
inline constexpr size_t kHopsMax = 2 * 8 + 1;
inline constexpr int64_t kCallBudgetSecondsMax = 600;
inline constexpr size_t kCallsRememberedMax = 100000;  // executed calls, so that none runs twice

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_LIMITS_H_
