// The difference pushes make: their rows, sorted by key, against the table as it stands.
#ifndef GUANTONG_NODE_PUSH_DIFF_H_
#define GUANTONG_NODE_PUSH_DIFF_H_

#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "catalog/keys.h"
#include "catalog/sorted_rows.h"
#include "catalog/store.h"
#include "catalog/table.h"
#include "guantong/v1/data.pb.h"
#include "guantong/v1/row.pb.h"
#include "node/row_sorter.h"

namespace guantong {

class Driver;

struct DiffCounts {
  uint64_t inserts = 0;
  uint64_t updates = 0;
  uint64_t deletes = 0;
  uint64_t unchanged = 0;
  uint64_t changes() const { return inserts + updates + deletes; }
};

// Changes in key order; without a row it is a delete.
using OnChange = std::function<absl::Status(absl::string_view key, const absl::string_view* row)>;
// A row whose key an earlier line has; an error ends the diff, OK leaves the row out.
using OnRepeatedKey = std::function<absl::Status(uint64_t first_line, uint64_t line)>;

// One push, and what it changes.
struct PushDiff {
  v1::PushMode mode;
  RowSorter* rows;
  OnRepeatedKey on_repeated;
  DiffCounts counts;
};

// Rows are read from their beginning. A few are looked up one by one, many are merged with a scan
// of the table. A push in mode replace is the only one. ABORTED rows_overlap: two pushes have a key
// in common.
absl::Status Diff(const TableReader& table, absl::Span<PushDiff> pushes, const OnChange& on_change);

// Cuts changes into payloads: blocks, or a RowBatch where the whole push is a small one. One
// payload stays in memory; with the second, all are made durable under StagedKey, in bounded
// groups.
class PayloadWriter {
 public:
  PayloadWriter(Driver* driver, FeedKey feed, std::string push_id);
  // Waits for what is on its way. What is staged stays: Discard removes it.
  ~PayloadWriter();

  absl::Status Add(absl::string_view key, const absl::string_view* row);
  absl::Status Finish();

  uint32_t staged() const { return payloads_ > 1 ? payloads_ : 0; }
  std::string TakePayload() { return std::move(first_); }  // when nothing is staged
  void Discard();

 private:
  absl::Status Cut();
  absl::Status Stage(std::string payload);
  absl::Status Flush();
  absl::Status AwaitFlush();

  Driver* const driver_;
  const FeedKey feed_;
  const std::string push_id_;
  v1::RowBatch few_;  // the first rows, until they are more
  size_t few_bytes_ = 0;
  SortedRowsBuilder block_;
  std::string first_;
  uint32_t payloads_ = 0;
  uint32_t stage_next_ = 0;
  WriteSet group_;
  std::future<absl::Status> on_its_way_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_PUSH_DIFF_H_
