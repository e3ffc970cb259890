#include "node/snapshots.h"

#include <deque>
#include <future>
#include <memory>
#include <utility>

#include "catalog/base/status.h"
#include "node/driver.h"
#include "node/limits.h"

namespace guantong {

void Snapshots::Make(const MakeSnapshot& make) {
  const absl::Status taken = worker_.Run([this, make] {
    site_.driver->Answer(SnapshotMade{.feed = make.feed, .snapshot = Build(make)});
  });
  if (!taken.ok()) site_.driver->Answer(SnapshotMade{.feed = make.feed, .snapshot = taken});
}

absl::StatusOr<BuiltSnapshot> Snapshots::Build(const MakeSnapshot& make) {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  WriteSet group;
  // While one group is made the ones before it reach the disk.
  std::deque<std::future<absl::Status>> under_way;
  const auto settle = [&](size_t left) {
    absl::Status settled;
    for (; under_way.size() > left; under_way.pop_front()) settled.Update(under_way.front().get());
    return settled;
  };
  const auto submit = [&] {
    const auto written = std::make_shared<std::promise<absl::Status>>();
    GT_RETURN_IF_ERROR(site_.driver->Submit(
        WriteFacts{.writes = std::exchange(group, WriteSet())},
        [written](const WriteDone& done) { written->set_value(done.status); }));
    under_way.push_back(written->get_future());
    return settle(kSnapshotGroupsUnderWay);
  };
  absl::StatusOr<BuiltSnapshot> built = BuildSnapshot(
      *snapshot, make.feed, make.encoding, [&](const std::string& hash, const std::string& chunk) {
        group.Put(ChunkKey(make.feed, hash), chunk);
        return group.bytes() < kStageGroupBytes ? absl::OkStatus() : submit();
      });
  absl::Status written = built.ok() && !group.empty() ? submit() : absl::OkStatus();
  written.Update(settle(0));
  GT_RETURN_IF_ERROR(built.status());
  GT_RETURN_IF_ERROR(written);
  return built;
}

}  // namespace guantong
