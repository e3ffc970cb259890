// The storage seam: get, ordered scan, snapshot, atomic durable commit. RocksDB in production
// (catalog/rocks), an ordered map for the simulator (catalog/memory_store.h); one conformance suite
// runs over both.
//
// CONTRACT  Keys and values are bytes; keys sort bytewise (catalog/keys.h). Commit applies its
// write sets in order, all or nothing each and none out of order, and returns when they survive a
// power cut. Readers see whole commits only.
//
// THREADS   Any number of readers; one committer at a time.
//
// GAPS      No read-your-writes inside a WriteSet; no conflict detection: one thread orders all
// writes.
#ifndef GUANTONG_CATALOG_STORE_H_
#define GUANTONG_CATALOG_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace guantong {

class WriteSet {
 public:
  enum class Kind : uint8_t { kPut, kDelete, kDeleteRange };
  struct Op {
    Kind kind;
    std::string key;
    std::string value;  // kDeleteRange: the exclusive end
  };

  void Put(std::string key, std::string value);
  void Delete(std::string key);
  // begin <= key < end; begin < end is required. Costs readers of the neighbourhood: for whole
  // ranges, not for single keys.
  void DeleteRange(std::string begin, std::string end);
  void Append(WriteSet other);

  const std::vector<Op>& ops() const { return ops_; }
  bool empty() const { return ops_.empty(); }
  size_t bytes() const { return bytes_; }

 private:
  std::vector<Op> ops_;
  size_t bytes_ = 0;
};

// Ends before the reader it came from. Starts on the first key of the range. key() and value()
// until Next.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool Valid() const = 0;
  virtual void Next() = 0;
  virtual absl::string_view key() const = 0;
  virtual absl::string_view value() const = 0;
  virtual absl::Status status() const = 0;  // why it ended, when not by the end of the range
};

class Reader {
 public:
  virtual ~Reader() = default;
  // NOT_FOUND when there is no such key; DATA_LOSS with reason store_corrupt.
  virtual absl::Status Get(absl::string_view key, std::string* value) const = 0;
  // begin <= key < end, an empty end: to the end. A consistent view, as of the call.
  virtual std::unique_ptr<Cursor> Scan(absl::string_view begin, absl::string_view end) const = 0;
};

struct StoreUsage {
  uint64_t disk_bytes = 0;
  uint64_t memory_bytes = 0;
};

class Store : public Reader {
 public:
  // A frozen view; must not outlive the store.
  virtual std::unique_ptr<Reader> Snapshot() const = 0;
  // Errors: RESOURCE_EXHAUSTED disk_full, DATA_LOSS store_corrupt, UNAVAILABLE store_failed. After
  // an error nothing of this call is applied.
  virtual absl::Status Commit(absl::Span<const WriteSet> groups) = 0;
  virtual StoreUsage Usage() const = 0;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_STORE_H_
