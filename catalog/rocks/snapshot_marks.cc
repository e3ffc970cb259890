#include "catalog/rocks/snapshot_marks.h"

#include <dlfcn.h>

#include <cstdint>

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
  static const auto library = reinterpret_cast<Function>(dlsym(RTLD_NEXT, guantong::kSymbol));
  if (library != nullptr) library(this, oldest);
}

}  // namespace rocksdb

namespace guantong {

UnmarkedRelease::UnmarkedRelease() { unmarked = true; }
UnmarkedRelease::~UnmarkedRelease() { unmarked = false; }

bool SnapshotMarksAreOurs() {
  // What the linker of the process finds first is what the library's own calls reach; the library's
  // own comes after it.
  void* const first = dlsym(RTLD_DEFAULT, kSymbol);
  void* const next = dlsym(RTLD_NEXT, kSymbol);
  return first != nullptr && next != nullptr && first != next;
}

}  // namespace guantong
