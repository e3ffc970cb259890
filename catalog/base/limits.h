// Every bound of the node that no configuration changes.
#ifndef GUANTONG_CATALOG_BASE_LIMITS_H_
#define GUANTONG_CATALOG_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace guantong {

// Certificates.
inline constexpr size_t kChainLengthMax = 12;
inline constexpr size_t kCertificateBytesMax = 8 << 10;

// Batches. A payload stays well under a frame, so that fragments of others get between.
inline constexpr size_t kPayloadBytesMax = 4 << 20;         // decoded
inline constexpr size_t kBatchBytesTarget = 512 << 10;      // payload size an origin aims at
inline constexpr size_t kBatchRowsMax = 4096;
inline constexpr size_t kHeaderBytesMax = 4 << 10;
inline constexpr size_t kChunkBytesTarget = 512 << 10;
inline constexpr int64_t kClockAheadSeconds = 600;          // signed_at of a batch against our clock

// Rows and values.
inline constexpr size_t kValueBytesMax = 256 << 10;
inline constexpr size_t kRowBytesMax = 1 << 20;
inline constexpr size_t kRowKeyBytesMax = 1 << 10;
inline constexpr size_t kColumnsMax = 1000;

// Entries.
inline constexpr size_t kEntryBytesMax = 1 << 20;

// Tables.
inline constexpr size_t kRunsMax = 8;                       // in front of the base; above it a push waits
inline constexpr size_t kMergeRowsPerStep = 4096;

// Query.
inline constexpr uint32_t kQueryLimitDefault = 100;
inline constexpr uint32_t kQueryLimitMax = 10000;
inline constexpr size_t kReplyBytesMax = 2 << 20;
inline constexpr size_t kWhereBytesMax = 4 << 10;

// Pushes.
inline constexpr int kPushRecordDays = 90;
inline constexpr size_t kPushRecordsMax = 100000;           // per node; the oldest go first
inline constexpr size_t kRejectsListedMax = 1000;

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_LIMITS_H_
