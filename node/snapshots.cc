#include "node/snapshots.h"

#include <utility>

#include "catalog/base/status.h"
#include "catalog/snapshot.h"
#include "node/driver.h"
#include "node/limits.h"

namespace guantong {

void Snapshots::Make(const FeedKey& feed) {
  const absl::Status taken = worker_.Run(
      [this, feed] { site_.driver->Answer(SnapshotMade{.feed = feed, .manifest = Build(feed)}); });
  if (!taken.ok()) site_.driver->Answer(SnapshotMade{.feed = feed, .manifest = taken});
}

absl::StatusOr<v1::Manifest> Snapshots::Build(const FeedKey& feed) {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  WriteSet group;
  absl::StatusOr<v1::Manifest> manifest =
      BuildSnapshot(*snapshot, feed, [&](const std::string& hash, const std::string& chunk) {
        group.Put(ChunkKey(feed, hash), chunk);
        if (group.bytes() < kStageGroupBytes) return absl::OkStatus();
        return site_.driver->WriteOwn(std::exchange(group, WriteSet()));
      });
  GT_RETURN_IF_ERROR(manifest.status());
  if (!group.empty()) GT_RETURN_IF_ERROR(site_.driver->WriteOwn(std::move(group)));
  return manifest;
}

}  // namespace guantong
