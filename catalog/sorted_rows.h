// A block: changes of rows in key order, with the index to find one without reading the rest. The
// payload of batches and chunks in ENCODING_SORTED_ROWS, and what tables are made of.
//
//   magic1 version1 rows4 pages4 keybytes4      numbers are big-endian
//   page table: { rows4 keys4 stored4 raw4 }    `keys`: where its keys begin; stored = raw: plain
//   keys: { shared suffix row_bytes }           varints; `shared` with the key before it, 0 at the
//                                               first of a page; row_bytes 0: a delete
//   pages: rows one after the other             zstd each, where that pays
//
// The magic begins no protobuf message, so a block is never taken for a RowBatch.
#ifndef GUANTONG_CATALOG_SORTED_ROWS_H_
#define GUANTONG_CATALOG_SORTED_ROWS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/row.pb.h"

namespace guantong {

class SortedRowsBuilder {
 public:
  // Keys ascend strictly and are not empty. An empty row is a delete.
  void Add(absl::string_view key, absl::string_view row);

  uint32_t rows() const { return rows_; }
  size_t bytes() const { return bytes_; }  // keys and rows, plain
  // The block; the builder is empty again. At least one row.
  std::string Finish();

 private:
  enum class Packing { kUnknown, kDense, kSwift };

  void EndPage();

  Packing packing_ = Packing::kUnknown;  // the first page of a block shows it
  std::string trial_;
  uint32_t rows_ = 0;
  size_t bytes_ = 0;
  uint32_t pages_ = 0;
  uint32_t page_rows_ = 0;
  uint32_t page_keys_ = 0;
  std::string last_key_;
  std::string table_;
  std::string keys_;
  std::string page_;
  std::string data_;
};

// A block as it stands; borrows the bytes.
class SortedRows {
 public:
  static bool IsBlock(absl::string_view payload);
  // Checks bounds, order and sizes; what is packed inside a page shows when it is read.
  // INVALID_ARGUMENT block_malformed.
  static absl::StatusOr<SortedRows> Check(absl::string_view bytes);
  // For a block checked before it was stored: the page table alone. DATA_LOSS store_corrupt.
  static absl::StatusOr<SortedRows> Open(absl::string_view bytes);

  uint32_t rows() const { return rows_; }
  const std::string& first() const { return first_; }  // keys; Check alone sets them
  const std::string& last() const { return last_; }
  bool has_deletes() const { return has_deletes_; }

 private:
  friend class SortedRowsCursor;
  struct Page {
    uint32_t rows;
    uint32_t keys;
    uint32_t stored;
    uint32_t raw;
    size_t data;  // offset in `data_`
  };

  uint32_t rows_ = 0;
  bool has_deletes_ = false;
  std::vector<Page> pages_;
  absl::string_view keys_;
  absl::string_view data_;
  std::string first_;
  std::string last_;
};

// In key order. Owns the bytes; unpacks a page when a row of it is asked for.
class SortedRowsCursor {
 public:
  // Stands on the first key not below `begin`. DATA_LOSS store_corrupt.
  static absl::StatusOr<SortedRowsCursor> Open(std::shared_ptr<const std::string> block,
                                               absl::string_view begin);

  bool Valid() const { return valid_; }
  absl::Status Next();
  // Forward, to the first key not below `begin`.
  absl::Status Seek(absl::string_view begin);
  absl::string_view key() const { return key_; }
  bool deleted() const { return row_bytes_ == 0; }
  // Until Next; empty for a delete. DATA_LOSS store_corrupt.
  absl::StatusOr<absl::string_view> row();

 private:
  absl::Status EnterPage(size_t page);
  absl::Status ReadKey();

  std::shared_ptr<const std::string> block_;
  SortedRows rows_;
  size_t page_ = 0;
  uint32_t in_page_ = 0;
  size_t key_at_ = 0;  // of the key behind this one
  size_t row_at_ = 0;
  size_t row_bytes_ = 0;
  bool valid_ = false;
  bool unpacked_ = false;
  std::string key_;
  std::string page_bytes_;
};

// Appends the changes of a block. DATA_LOSS store_corrupt.
absl::Status UnpackBlock(absl::string_view block, v1::RowBatch* rows);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_SORTED_ROWS_H_
