// The store as an ordered map: for the simulator, whose crash drops what was not committed, and for
// tests.
//
// Every key has its versions, by commit number; a view (snapshot or cursor) reads what was newest
// at its number. Versions that no view can see go when they are overwritten or when a view ends, so
// that without views there is one version per key.
#ifndef GUANTONG_CATALOG_MEMORY_STORE_H_
#define GUANTONG_CATALOG_MEMORY_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "catalog/store.h"

namespace guantong {

class MemoryStore : public Store {
 public:
  MemoryStore() = default;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;
  ~MemoryStore() override;

  absl::Status Get(absl::string_view key, std::string* value) const override;
  std::unique_ptr<Cursor> Scan(absl::string_view begin, absl::string_view end) const override;
  std::unique_ptr<Reader> Snapshot() const override;
  absl::Status Commit(absl::Span<const WriteSet> groups) override;
  StoreUsage Usage() const override;

  // What a power cut now would leave: all commits, nothing else. Shares the bytes of values with
  // this store.
  std::unique_ptr<MemoryStore> Clone() const;

  // Every commit from now on fails with `status` and applies nothing; OK ends that.
  void FailCommits(absl::Status status);

 private:
  using Value = std::shared_ptr<const std::string>;  // null: deleted
  struct Version {
    uint64_t commit;
    Value value;
  };
  using Versions = std::vector<Version>;  // oldest first
  using Map = std::map<std::string, Versions, std::less<>>;
  class View;
  class ViewReader;
  class ViewCursor;

  // All but NewestAt need `mutex_`.
  static Value NewestAt(const Versions& versions, uint64_t commit);
  void Write(const std::string& key, Value value);
  void Erase(const std::string& begin, const std::string& end);
  bool Trim(Map::iterator at) const;
  void EndView(uint64_t commit) const;

  mutable std::shared_mutex mutex_;
  mutable Map map_;  // mutable: trimmed when a view ends
  mutable std::set<std::string>
      layered_;  // keys that have more than one version or end in a deletion
  mutable std::multiset<uint64_t> views_;
  uint64_t commit_ = 0;
  absl::Status failure_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_MEMORY_STORE_H_
