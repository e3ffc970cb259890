// Making the snapshots the engine asks for, one at a time, on a thread of its own: a large one
// takes minutes.
#ifndef GUANTONG_NODE_SNAPSHOTS_H_
#define GUANTONG_NODE_SNAPSHOTS_H_

#include "absl/status/statusor.h"
#include "catalog/snapshot.h"
#include "node/site.h"
#include "node/workers.h"

namespace guantong {

// Groups of chunks on their way to the disk while the next is made.
inline constexpr size_t kSnapshotGroupsUnderWay = 2;

class Snapshots {
 public:
  explicit Snapshots(const Site* site) : site_(*site), worker_(1) {}

  // From the core thread. Chunks that are not named go through the driver like every other write, a
  // bounded group at a time, and are durable when the manifest is handed to the engine.
  void Make(const MakeSnapshot& make);

  void Stop() { worker_.Stop(); }

 private:
  absl::StatusOr<BuiltSnapshot> Build(const MakeSnapshot& make);

  const Site& site_;
  Workers worker_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_SNAPSHOTS_H_
