#include "node/snapshots.h"

#include <utility>

#include "catalog/base/status.h"
#include "catalog/snapshot.h"
#include "node/driver.h"
#include "node/limits.h"

namespace guantong {

void Snapshots::Make(const MakeSnapshot& make) {
  const absl::Status taken = worker_.Run([this, make] {
    site_.driver->Answer(SnapshotMade{.feed = make.feed, .manifest = Build(make)});
  });
  if (!taken.ok()) site_.driver->Answer(SnapshotMade{.feed = make.feed, .manifest = taken});
}

absl::StatusOr<v1::Manifest> Snapshots::Build(const MakeSnapshot& make) {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  WriteSet group;
  absl::StatusOr<v1::Manifest> manifest = BuildSnapshot(
      *snapshot, make.feed, make.encoding, [&](const std::string& hash, const std::string& chunk) {
        group.Put(ChunkKey(make.feed, hash), chunk);
        if (group.bytes() < kStageGroupBytes) return absl::OkStatus();
        return site_.driver->WriteOwn(std::exchange(group, WriteSet()));
      });
  GT_RETURN_IF_ERROR(manifest.status());
  if (!group.empty()) GT_RETURN_IF_ERROR(site_.driver->WriteOwn(std::move(group)));
  return manifest;
}

}  // namespace guantong
