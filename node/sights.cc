#include "node/sights.h"

#include "node/limits.h"

namespace guantong {

std::shared_ptr<const void> Sight::Kept(const Name& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = kept_.find(name);
  return it == kept_.end() ? nullptr : it->second;
}

std::shared_ptr<const void> Sight::Put(const Name& name, std::shared_ptr<const void> value) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (kept_.size() >= kSightKeptMax) kept_.clear();
  return kept_.emplace(name, std::move(value)).first->second;
}

std::shared_ptr<const Sight> Sights::Now(const Store& store) {
  uint64_t commits;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (sight_ != nullptr) return sight_;
    commits = commits_;
  }
  auto sight = std::make_shared<const Sight>(store.Snapshot());
  const std::lock_guard<std::mutex> lock(mutex_);
  // One that a commit has overtaken is for this question alone.
  if (commits == commits_) sight_ = sight;
  return sight;
}

void Sights::LetGo() {
  std::shared_ptr<const Sight> gone;  // destroyed after the lock is released
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++commits_;
    gone = std::exchange(sight_, nullptr);
  }
}

}  // namespace guantong
