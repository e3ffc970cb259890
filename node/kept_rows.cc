#include "node/kept_rows.h"

#include <algorithm>
#include <utility>

#include "catalog/base/status.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr size_t kStretchBytes = 16 << 10;
constexpr size_t kStretchRowsMax = 256;
constexpr size_t kRowCost = 96;  // beside its bytes

}  // namespace

std::shared_ptr<const KeptRows::Stretch> KeptRows::Find(absl::string_view begin) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto it = stretches_.upper_bound(begin);
  if (it == stretches_.begin()) return nullptr;
  --it;
  // The end of a stretch is no part of it, unless it is the table's.
  const bool holds = it->second->end.empty() || begin < it->second->end;
  return holds ? it->second : nullptr;
}

absl::StatusOr<std::shared_ptr<const KeptRows::Stretch>> KeptRows::Read(
    absl::string_view begin) const {
  auto stretch = std::make_shared<Stretch>();
  std::string stop;  // where the next one begins
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto next = stretches_.upper_bound(begin);
    if (next != stretches_.end()) stop = next->first;
  }
  stretch->end = stop;
  GT_RETURN_IF_ERROR(table_.Scan(begin, stop, [&](absl::string_view key, absl::string_view row) {
    if (stretch->bytes >= kStretchBytes || stretch->rows.size() == kStretchRowsMax) {
      stretch->end = std::string(key);
      return false;
    }
    stretch->rows.emplace_back(key, row);
    stretch->bytes += key.size() + row.size() + kRowCost;
    return true;
  }));
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t more = stretch->bytes + kRowCost;
  if (*all_ + more > kRowsKeptBytesMax) {
    stretches_.clear();
    *all_ -= std::exchange(bytes_, 0);
    if (*all_ + more > kRowsKeptBytesMax) return stretch;
  }
  auto& place = stretches_[std::string(begin)];
  const size_t before = place == nullptr ? 0 : place->bytes + kRowCost;
  place = stretch;
  bytes_ += more - before;
  *all_ += more - before;
  return stretch;
}

absl::Status KeptRows::Scan(absl::string_view begin, absl::string_view end, const Row& row) const {
  std::shared_ptr<const Stretch> stretch = Find(begin);
  if (stretch == nullptr) {
    GT_ASSIGN_OR_RETURN(stretch, Read(begin));
  }
  auto it = std::lower_bound(
      stretch->rows.begin(), stretch->rows.end(), begin,
      [](const auto& held, absl::string_view key) { return absl::string_view(held.first) < key; });
  for (; it != stretch->rows.end() && (end.empty() || absl::string_view(it->first) < end); ++it) {
    if (!row(it->first, it->second)) return absl::OkStatus();
  }
  return stretch->Reaches(end) ? absl::OkStatus() : table_.Scan(stretch->end, end, row);
}

}  // namespace guantong
