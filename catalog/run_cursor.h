// Reading the runs of a table: one, or several merged.
#ifndef GUANTONG_CATALOG_RUN_CURSOR_H_
#define GUANTONG_CATALOG_RUN_CURSOR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {

// In key order; deletes are shown. Ends before the reader it came from.
class RunCursor {
 public:
  virtual ~RunCursor() = default;
  virtual bool Valid() const = 0;
  virtual absl::Status Next() = 0;
  // Forward, to the first key not below `key`.
  virtual absl::Status Seek(absl::string_view key) = 0;
  virtual absl::string_view key() const = 0;
  virtual bool deleted() const = 0;
  virtual absl::StatusOr<absl::string_view> row() = 0;  // until Next or Seek
};

// begin <= key < end; an empty end: to the end.
absl::StatusOr<std::unique_ptr<RunCursor>> OpenRun(const Reader& reader, const FeedKey& feed,
                                                   const storage::v1::RunInfo& run,
                                                   absl::string_view begin, absl::string_view end);

// Several runs, newest first, as one: of equal keys the newest run's.
class RunsCursor {
 public:
  static absl::StatusOr<RunsCursor> Open(const Reader& reader, const FeedKey& feed,
                                         const std::vector<storage::v1::RunInfo>& runs,
                                         absl::string_view begin, absl::string_view end);

  bool Valid() const { return newest_ != nullptr; }
  absl::Status Next();
  absl::string_view key() const { return newest_->key(); }
  bool deleted() const { return newest_->deleted(); }
  absl::StatusOr<absl::string_view> row() { return newest_->row(); }

 private:
  void Find();

  std::vector<std::unique_ptr<RunCursor>> runs_;
  RunCursor* newest_ = nullptr;
  std::string key_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_RUN_CURSOR_H_
