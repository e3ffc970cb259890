// Every bound of the process that no configuration changes. The bounds of facts and of the
// protocol: catalog/base/limits.h.
#ifndef GUANTONG_NODE_LIMITS_H_
#define GUANTONG_NODE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace guantong {

// The core's inbox. Neighbours and this node's own callers have budgets of their own, so that
// neither starves the other.
inline constexpr size_t kInboxRequestsMax = 4096;
inline constexpr size_t kInboxRequestBytesMax = 64 << 20;
inline constexpr size_t kInboxFrameBytesMax = 32 << 20;  // transports stop granting credit above
inline constexpr size_t kInboxFrameCost =
    512;  // of each beside its bytes, so that empty ones count
inline constexpr size_t kCommitBytesMax =
    64 << 20;  // ordered and not yet durable; the core pauses above
inline constexpr int64_t kStopSecondsMax = 8;

// A thread that brings something small steps the engine itself, for so long at most.
inline constexpr size_t kVisitBytesMax = 64 << 10;
inline constexpr int kVisitTurnsMax = 64;
inline constexpr int kVisitsMax = 4;
// What steps want sent is handed to the links together, up to so much.
inline constexpr size_t kSendsGatheredMax = 64;
inline constexpr size_t kSendBytesGatheredMax = 64 << 10;

// Serials of codes have six digits. Each delegate a class has in turn counts in a part of its own.
inline constexpr uint64_t kSerialsPerDelegate = 100'000;
inline constexpr uint32_t kDelegateTurnsMax = 9;

// Workers.
inline constexpr int kWorkerThreads = 4;
inline constexpr size_t kWorkerTasksMax = 1024;

// The server.
inline constexpr int kServerThreadsMax = 48;  // requests of people and programs at a time
inline constexpr size_t kServerMemoryBytesMax = 256 << 20;
inline constexpr int kRequestBytesMax = 8 << 20;
inline constexpr size_t kPeersRememberedMax = 1024;  // verified chains, by certificate
inline constexpr size_t kRefusalsMax = 100;
inline constexpr size_t kCallsTracedMax = 1000;

// A stream of questions. No more are read while so many are open; answers that wait share a message
// up to so many bytes.
inline constexpr size_t kQuestionsOpenMax = 256;
inline constexpr size_t kAnswersBytesMax = 256 << 10;

// Entries and tables kept read between two commits.
inline constexpr size_t kSightKeptMax = 1024;
inline constexpr size_t kRowsKeptBytesMax = 24 << 20;  // of all tables

// Quick questions to one node that travel as one call, and what they hold together. A larger call
// would travel with the bulk.
inline constexpr size_t kGatheredMax = 64;
inline constexpr size_t kGatheredTargetsKept = 256;  // remembered while nothing is asked of them
inline constexpr size_t kGatheredBytesMax = 3 << 10;
inline constexpr size_t kGatheredReplyBytesMax = 256 << 10;

// Pushes. Rows beyond the buffer are sorted and spilled to files; a series has two pushes in
// memory, and of small ones those that wait to be one batch (kBatchRowsMax, kBatchBytesTarget).
inline constexpr size_t kPushesOpenMax = 16;
inline constexpr size_t kPushesJoinedMax = 32;  // in one commit
// Of small pushes that are committed where they are read, one in so many is handed over, which
// shows whether their sender waits for answers.
inline constexpr uint64_t kSeriesProbeEvery = 16;
inline constexpr size_t kPushBufferBytesMax = 24 << 20;
inline constexpr uint64_t kPushBytesMax = uint64_t{8} << 30;
inline constexpr size_t kPushReadBufferBytes = 256
                                               << 10;  // of each spilled run while runs are merged
inline constexpr size_t kPushIdBytesMax = 64;
inline constexpr int64_t kPushIdleSecondsMax = 60;   // a silent push gives way to the next one
inline constexpr size_t kStageGroupBytes = 4 << 20;  // staged payloads of one commit
inline constexpr int kPushRedoMax = 5;  // the dataset moved while the difference was made
inline constexpr int kDiffScanRatio =
    10;  // read the table through when one row in so many is touched

// Questions asked of other nodes.
inline constexpr int64_t kCallSecondsDefault = 20;
inline constexpr uint32_t kSearchLimitDefault = 50;
inline constexpr uint32_t kSearchLimitMax = 500;
inline constexpr size_t kWordsMax = 16;

// The catalogue.
inline constexpr size_t kProblemsListedMax = 1000;
inline constexpr size_t kClassesListedDefault = 500;
inline constexpr size_t kClassesListedMax = 10000;
inline constexpr size_t kImportEntriesMax = 20000;  // all become drafts in one commit
inline constexpr size_t kImportBytesMax = 32 << 20;
inline constexpr size_t kListLookedMax = 20000;  // entries looked at for one page of a list
inline constexpr size_t kTodoListedMax = 500;
inline constexpr int64_t kTodoAskSeconds = 5;
inline constexpr int64_t kCodesAskSeconds = 5;   // codes brought, asked of the levels above
inline constexpr size_t kCodesAskedMax = 10000;  // in one question
inline constexpr size_t kCodeListsListedMax = 1000;
inline constexpr size_t kDemandsListedMax = 500;     // of one question
inline constexpr size_t kDemandsImportedMax = 4000;  // one batch of their feed
inline constexpr size_t kDemandQuestionsMax = 20;    // asked above for one answer
inline constexpr size_t kRulingsListedMax = 500;
inline constexpr size_t kTagsMax = 32;

// Who reads a dataset, asked of other nodes before a change is refused.
inline constexpr size_t kReadersAskedMax = 256;
inline constexpr size_t kReadersNamedMax = 20;
inline constexpr int64_t kReadersSecondsMax = 5;

// Admission.
inline constexpr size_t kTokensMax = 10000;
inline constexpr size_t kChildrenMax = 1024;
inline constexpr int64_t kTokenHoursDefault = 24;
inline constexpr size_t kNameBytesMax = 256;
inline constexpr size_t kProfileKeysMax = 8;

inline constexpr size_t kVerifyFaultsMax = 100;
inline constexpr int kSupersededListedMax = 10000;

// Certificates. Sixty days are left at least while renewal works.
inline constexpr uint32_t kRenewBeforeSecondsDefault = 60 * 24 * 3600;
inline constexpr uint32_t kCertificateSecondsMax = 5 * 365 * 24 * 3600;

// What one child may cost this node on disk, in node.yaml.
inline constexpr uint32_t kChildDiskMbDefault = 1024;
inline constexpr uint32_t kChildDiskMbMin = 16;
inline constexpr uint32_t kChildDiskMbMax = 1 << 20;

// Upkeep.
inline constexpr uint32_t kScrubBytesPerSecondDefault = 1 << 20;
inline constexpr uint32_t kScrubBytesPerSecondMax = 1 << 30;
inline constexpr uint32_t kScrubPauseSecondsDefault = 24 * 3600;  // between two passes
inline constexpr uint32_t kScrubPauseSecondsMax = 30 * 24 * 3600;
inline constexpr int64_t kScrubAgeDaysMax = 30;  // older than that doctor asks why
inline constexpr int64_t kBackupAgeDaysMax = 7;
inline constexpr size_t kDamagesKept = 20;
inline constexpr int kMendsPerHourMax = 3;
inline constexpr uint64_t kMendRoomBytes = 64 << 20;  // beside the size of the store

}  // namespace guantong

#endif  // GUANTONG_NODE_LIMITS_H_
