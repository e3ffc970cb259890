#include "catalog/memory_store.h"

#include <iterator>
#include <mutex>
#include <utility>

#include "catalog/base/status.h"

namespace guantong {

// Keeps one commit number readable for as long as it lives.
class MemoryStore::View {
 public:
  explicit View(const MemoryStore* store) : store_(store) {
    std::unique_lock lock(store_->mutex_);
    commit_ = store_->commit_;
    store_->views_.insert(commit_);
  }
  ~View() { store_->EndView(commit_); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  const MemoryStore& store() const { return *store_; }
  uint64_t commit() const { return commit_; }

 private:
  const MemoryStore* store_;
  uint64_t commit_;
};

// Stands on an entry its view can see. Such an entry is never removed while the view lives, and
// other insertions and removals leave the iterator valid; only moving on needs the lock.
class MemoryStore::ViewCursor : public Cursor {
 public:
  ViewCursor(std::shared_ptr<const View> view, absl::string_view begin, absl::string_view end)
      : view_(std::move(view)), end_(end) {
    std::shared_lock lock(view_->store().mutex_);
    at_ = view_->store().map_.lower_bound(begin);
    Settle();
  }

  bool Valid() const override { return value_ != nullptr; }
  void Next() override {
    std::shared_lock lock(view_->store().mutex_);
    ++at_;
    Settle();
  }
  absl::string_view key() const override { return at_->first; }
  absl::string_view value() const override { return *value_; }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  void Settle() {
    const Map& map = view_->store().map_;
    for (; at_ != map.end() && (end_.empty() || at_->first < end_); ++at_) {
      value_ = NewestAt(at_->second, view_->commit());
      if (value_ != nullptr) return;
    }
    value_ = nullptr;
  }

  std::shared_ptr<const View> view_;
  std::string end_;
  Map::const_iterator at_;
  Value value_;
};

class MemoryStore::ViewReader : public Reader {
 public:
  explicit ViewReader(const MemoryStore* store) : view_(std::make_shared<const View>(store)) {}

  absl::Status Get(absl::string_view key, std::string* value) const override {
    std::shared_lock lock(view_->store().mutex_);
    const Map& map = view_->store().map_;
    const auto at = map.find(key);
    const Value found = at == map.end() ? nullptr : NewestAt(at->second, view_->commit());
    if (found == nullptr) return absl::NotFoundError("no such key");
    *value = *found;
    return absl::OkStatus();
  }
  std::unique_ptr<Cursor> Scan(absl::string_view begin, absl::string_view end) const override {
    return std::make_unique<ViewCursor>(view_, begin, end);
  }

 private:
  std::shared_ptr<const View> view_;
};

MemoryStore::~MemoryStore() { GT_CHECK(views_.empty()); }

absl::Status MemoryStore::Get(absl::string_view key, std::string* value) const {
  std::shared_lock lock(mutex_);
  const auto at = map_.find(key);
  const Value found = at == map_.end() ? nullptr : at->second.back().value;
  if (found == nullptr) return absl::NotFoundError("no such key");
  *value = *found;
  return absl::OkStatus();
}

std::unique_ptr<Cursor> MemoryStore::Scan(absl::string_view begin, absl::string_view end) const {
  return std::make_unique<ViewCursor>(std::make_shared<const View>(this), begin, end);
}

std::unique_ptr<Reader> MemoryStore::Snapshot() const { return std::make_unique<ViewReader>(this); }

absl::Status MemoryStore::Commit(absl::Span<const WriteSet> groups) {
  std::unique_lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  ++commit_;
  for (const WriteSet& group : groups) {
    for (const WriteSet::Op& op : group.ops()) {
      switch (op.kind) {
        case WriteSet::Kind::kPut:
          Write(op.key, std::make_shared<const std::string>(op.value));
          break;
        case WriteSet::Kind::kDelete:
          if (map_.count(op.key) > 0) Write(op.key, nullptr);
          break;
        case WriteSet::Kind::kDeleteRange:
          Erase(op.key, op.value);
          break;
      }
    }
  }
  return absl::OkStatus();
}

StoreUsage MemoryStore::Usage() const {
  std::shared_lock lock(mutex_);
  StoreUsage usage;
  for (const auto& [key, versions] : map_) {
    for (const Version& version : versions) {
      usage.memory_bytes += key.size() + (version.value ? version.value->size() : 0);
    }
  }
  return usage;
}

std::unique_ptr<MemoryStore> MemoryStore::Clone() const {
  auto clone = std::make_unique<MemoryStore>();
  std::shared_lock lock(mutex_);
  for (const auto& [key, versions] : map_) {
    if (const Value& value = versions.back().value; value != nullptr) {
      clone->map_.emplace_hint(clone->map_.end(), key, Versions{{0, value}});
    }
  }
  return clone;
}

void MemoryStore::FailCommits(absl::Status status) {
  std::unique_lock lock(mutex_);
  failure_ = std::move(status);
}

MemoryStore::Value MemoryStore::NewestAt(const Versions& versions, uint64_t commit) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->commit <= commit) return version->value;
  }
  return nullptr;
}

void MemoryStore::Write(const std::string& key, Value value) {
  const auto at = map_.try_emplace(key).first;
  Versions& versions = at->second;
  if (!versions.empty() && versions.back().commit == commit_) {
    versions.back().value = std::move(value);
  } else {
    versions.push_back({commit_, std::move(value)});
  }
  if (versions.size() == 1 && versions.back().value != nullptr) return;
  if (Trim(at)) layered_.insert(key);
}

void MemoryStore::Erase(const std::string& begin, const std::string& end) {
  auto at = map_.lower_bound(begin);
  while (at != map_.end() && at->first < end) {
    const std::string key = at->first;
    ++at;  // before the write, which may remove the entry
    Write(key, nullptr);
  }
}

// Drops the versions no view can see, and the entry with its last one. True while something is left
// to trim later.
bool MemoryStore::Trim(Map::iterator at) const {
  Versions& versions = at->second;
  const uint64_t oldest_view = views_.empty() ? commit_ : *views_.begin();
  auto needed = versions.begin();
  for (auto version = versions.begin(); version != versions.end(); ++version) {
    if (version->commit <= oldest_view) needed = version;
  }
  versions.erase(versions.begin(), needed);
  if (versions.size() > 1) return true;
  if (versions.front().value != nullptr) return false;
  if (versions.front().commit > oldest_view) return true;
  map_.erase(at);
  return false;
}

void MemoryStore::EndView(uint64_t commit) const {
  std::unique_lock lock(mutex_);
  const bool oldest = *views_.begin() == commit;
  views_.erase(views_.find(commit));
  if (!oldest || (!views_.empty() && *views_.begin() == commit)) return;
  for (auto key = layered_.begin(); key != layered_.end();) {
    const auto at = map_.find(*key);
    key = at != map_.end() && Trim(at) ? std::next(key) : layered_.erase(key);
  }
}

}  // namespace guantong
