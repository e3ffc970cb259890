#include "catalog/rocks/snapshot_marks.h"

#include <cstdint>

#include "catalog/base/replaced.h"

namespace guantong {
namespace {

constexpr char kSymbol[] = "_ZN7rocksdb18VersionStorageInfo20UpdateOldestSnapshotEm";

thread_local bool unmarked = false;

}  // namespace
}  // namespace guantong

namespace rocksdb {

// As much of the library's own class as the name of the function takes.
class VersionStorageInfo {
 public:
  void UpdateOldestSnapshot(uint64_t oldest);
};

void VersionStorageInfo::UpdateOldestSnapshot(uint64_t oldest) {
  if (guantong::unmarked) return;
  using Function = void (*)(VersionStorageInfo*, uint64_t);
  static const auto library = reinterpret_cast<Function>(guantong::Replaced(guantong::kSymbol));
  if (library != nullptr) library(this, oldest);
}

}  // namespace rocksdb

namespace guantong {

UnmarkedRelease::UnmarkedRelease() { unmarked = true; }
UnmarkedRelease::~UnmarkedRelease() { unmarked = false; }

bool SnapshotMarksAreOurs() { return IsReplaced(kSymbol); }

}  // namespace guantong
