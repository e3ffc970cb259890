// A store that tells of its commits: before they become visible, and again when they are durable.
#ifndef GUANTONG_NODE_WATCHED_STORE_H_
#define GUANTONG_NODE_WATCHED_STORE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "catalog/store.h"

namespace guantong {

class WatchedStore final : public Store {
 public:
  // On the committing thread; must only take note.
  using OnCommit = std::function<void(absl::Span<const WriteSet>)>;

  // `store` outlives it.
  WatchedStore(Store* store, OnCommit on_commit)
      : store_(*store), on_commit_(std::move(on_commit)) {}

  absl::Status Get(absl::string_view key, std::string* value) const override {
    return store_.Get(key, value);
  }
  std::unique_ptr<Cursor> Scan(absl::string_view begin, absl::string_view end) const override {
    return store_.Scan(begin, end);
  }
  std::unique_ptr<Reader> Snapshot() const override { return store_.Snapshot(); }
  absl::Status Commit(absl::Span<const WriteSet> groups) override {
    on_commit_(groups);
    absl::Status committed = store_.Commit(groups);
    if (committed.ok()) on_commit_(groups);
    return committed;
  }
  StoreUsage Usage() const override { return store_.Usage(); }

 private:
  Store& store_;
  const OnCommit on_commit_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_WATCHED_STORE_H_
