#include "relay/core/chunk_window.h"

#include <algorithm>

namespace guantong {

namespace {

// What a chunk counts at least, whatever its manifest says.
constexpr size_t kChunkCostMin = 16 << 10;
constexpr double kSlowestBytesPerSecond = 5000;  // of the lines that are to be served

}  // namespace

void ChunkWindow::Ask(const Name& name, size_t bytes) {
  if (!known_.try_emplace(name, Known{.bytes = std::max(bytes, kChunkCostMin)}).second) return;
  std::deque<std::string>& waiting = waiting_[name.first];
  if (waiting.empty()) turns_.push_back(name.first);
  waiting.push_back(name.second);
}

std::optional<ChunkWindow::Name> ChunkWindow::Next(size_t window_bytes, absl::Time now) {
  if (turns_.empty() || under_way_bytes_ >= window_bytes) return std::nullopt;
  const FeedKey feed = turns_.front();
  turns_.pop_front();
  auto waiting = waiting_.find(feed);
  Name name{feed, std::move(waiting->second.front())};
  waiting->second.pop_front();
  if (waiting->second.empty()) {
    waiting_.erase(waiting);
  } else {
    turns_.push_back(feed);
  }
  Known& known = known_.at(name);
  known.under_way = true;
  known.asked_at = now;
  under_way_bytes_ += known.bytes;
  return name;
}

void ChunkWindow::Received(const Name& name, absl::Time now) {
  auto it = known_.find(name);
  if (it == known_.end() || !it->second.under_way) return;
  heard_at_ = now;
  under_way_bytes_ -= it->second.bytes;
  known_.erase(it);
}

void ChunkWindow::GiveUp(absl::Duration patience, absl::Time now) {
  const absl::Duration needed =
      absl::Seconds(static_cast<double>(under_way_bytes_) / kSlowestBytesPerSecond);
  const absl::Time since = now - std::max(patience, needed);
  if (heard_at_ > since) return;
  for (auto it = known_.begin(); it != known_.end();) {
    auto at = it++;
    if (!at->second.under_way || at->second.asked_at > since) continue;
    under_way_bytes_ -= at->second.bytes;
    known_.erase(at);
  }
}

}  // namespace guantong
