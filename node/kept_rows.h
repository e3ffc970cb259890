// Rows that were read lately, of a table that does not change: a stretch of neighbours for each
// place that was asked about, so that the next question near it finds them without the blocks they
// came from, which have to be fetched and unpacked for every look-up.
//
// BOUNDS   kRowsKeptBytesMax of all tables that share a KeptBytes: above it a table forgets all it
// has kept, and keeps nothing where others have taken the room. THREADS  Any.
#ifndef GUANTONG_NODE_KEPT_ROWS_H_
#define GUANTONG_NODE_KEPT_ROWS_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "catalog/table.h"

namespace guantong {

// What all tables keep together.
using KeptBytes = std::atomic<size_t>;

class KeptRows {
 public:
  using Row = std::function<bool(absl::string_view key, absl::string_view row)>;

  // Borrows `table`.
  KeptRows(const TableReader* table, std::shared_ptr<KeptBytes> all)
      : table_(*table), all_(std::move(all)) {}
  ~KeptRows() { *all_ -= bytes_; }
  KeptRows(const KeptRows&) = delete;
  KeptRows& operator=(const KeptRows&) = delete;

  // As TableReader::Scan, for ranges of few rows.
  absl::Status Scan(absl::string_view begin, absl::string_view end, const Row& row) const;

 private:
  // All rows with begin <= key < end; an empty end: to the end of the table.
  struct Stretch {
    std::string end;
    std::vector<std::pair<std::string, std::string>> rows;
    size_t bytes = 0;
    bool Reaches(absl::string_view to) const { return end.empty() || (!to.empty() && to <= end); }
  };
  using Stretches = std::map<std::string, std::shared_ptr<const Stretch>, std::less<>>;

  std::shared_ptr<const Stretch> Find(absl::string_view begin) const;
  absl::StatusOr<std::shared_ptr<const Stretch>> Read(absl::string_view begin) const;

  const TableReader& table_;
  const std::shared_ptr<KeptBytes> all_;
  mutable std::mutex mutex_;
  mutable Stretches stretches_;  // by begin; guarded by mutex_
  mutable size_t bytes_ = 0;     // guarded by mutex_
};

}  // namespace guantong

#endif  // GUANTONG_NODE_KEPT_ROWS_H_
