// The results of pushes by batch id, so that a repeated push has one effect: kept 90 days, and at
// most kPushRecordsMax of them. The engine writes the result in the commit of the push end; here
// they are read, written for pushes without a difference, and forgotten.
#ifndef GUANTONG_NODE_PUSH_RESULTS_H_
#define GUANTONG_NODE_PUSH_RESULTS_H_

#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "catalog/keys.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/data.pb.h"
#include "node/pushed_rows.h"
#include "node/site.h"
#include "relay/core/engine.h"

namespace guantong {

// Any thread.
class PushResults {
 public:
  explicit PushResults(const Site* site) : site_(*site) {}

  // Counts what is kept.
  absl::Status Begin();

  // The answer given then, null when the batch is new. FAILED_PRECONDITION batch_id_reused.
  absl::StatusOr<std::unique_ptr<v1::PushResponse>> Find(const Reader& snapshot,
                                                         const FeedKey& feed,
                                                         absl::string_view batch_id,
                                                         absl::string_view content_digest) const;

  // Of pushes that changed nothing, as they are.
  absl::Status Keep(const FeedKey& feed, absl::Span<const EndedPush> unchanged);

  // After each new result; does not wait.
  void ForgetOld();

 private:
  const Site& site_;
  std::mutex mutex_;
  size_t kept_ = 0;
};

// What decides whether two pushes are the same: mode, fields and values, however the rows were cut
// into messages.
class ContentDigest {
 public:
  explicit ContentDigest(const v1::PushOpen& open);
  ~ContentDigest();
  void Add(const PushedRow& row);
  std::string Finish();

 private:
  void Add(absl::string_view part);
  void Flush();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_PUSH_RESULTS_H_
