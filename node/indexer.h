// Keeps the search index of this node's catalogue (catalog/search) in step with the store, on a
// thread of its own: beside all commits, never in their way.
//
// Every commit tells which codes it may change, before it becomes visible and after. A round
// forgets the codes first and looks at the store then, so none is lost; the positions it saves are
// those of a look before that, so none is left out after a crash. Files are merged on a second
// thread.
//
// AT START   The files are read through beside the start of the node; the feeds that moved since
// are looked at again. An index that is missing, damaged, of another version or of another store is
// made anew, and answers meanwhile say so.
#ifndef GUANTONG_NODE_INDEXER_H_
#define GUANTONG_NODE_INDEXER_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "catalog/search/follow.h"
#include "catalog/search/index.h"
#include "guantong/v1/search.pb.h"
#include "node/directory.h"
#include "node/hidden.h"
#include "node/site.h"

namespace guantong {

// Any thread, but for Start and Stop.
class Indexer {
 public:
  // `folder` empty: in memory only.
  Indexer(const Site* site, const Directory* directory, Hidden* hidden, std::string folder);
  ~Indexer();

  void Start();
  void Stop();

  // On the commit thread, before and after a commit.
  void Note(absl::Span<const WriteSet> groups);

  std::shared_ptr<const search::View> view() const;
  v1::IndexState state() const;
  uint64_t disk_bytes() const;

  // Waits until all that was noted is in. False: not before the deadline.
  bool WaitCurrent(absl::Time deadline);

 private:
  void Loop();
  absl::Status Begin();
  absl::Status Round();
  absl::Status SaveNow();
  // Threads of their own help with very many.
  absl::Status TakeInCodes(const Reader& snapshot, const search::Codes& codes);
  absl::Status TakeInNoted(search::Codes* taken);
  absl::Status LoadAnew();
  void UpdateNodes();
  absl::Status TendMerge(const search::Heads& heads);
  void EndMerge();
  bool stopping() const;

  const Site& site_;
  const Directory& directory_;
  Hidden& hidden_;
  const std::string folder_;

  mutable std::mutex mutex_;
  std::condition_variable wakes_;
  std::condition_variable taken_;
  search::Codes noted_;
  bool members_noted_ = true;
  uint64_t notes_ = 0;        // in all
  uint64_t notes_taken_ = 0;  // of them in the index
  absl::Time oldest_noted_ = absl::InfiniteFuture();
  absl::Time taking_since_ = absl::InfiniteFuture();  // of what is being taken in
  bool building_ = true;
  bool stopping_ = false;
  bool merge_done_ = false;
  std::shared_ptr<search::Index> index_;  // set once

  // The thread's own.
  bool begun_ = false;
  absl::Time saved_at_ = absl::InfinitePast();
  bool unsaved_ = false;
  bool burst_ = false;  // the last round took in very many codes
  absl::Time contested_due_ = absl::InfiniteFuture();
  std::optional<search::MergeJob> merge_;
  absl::StatusOr<search::WrittenSegment> merged_ = absl::UnknownError("");
  std::thread merger_;

  std::thread thread_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_INDEXER_H_
