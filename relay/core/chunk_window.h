// Chunks of snapshots asked of one neighbour: in turn by feed, and no more under way than a window.
// So a node that loads hundreds of feeds, or passes them on, has no more than that queued at its
// neighbour.
//
//   Ask -> waiting --Next--> under way --Received--> forgotten
//
// What waits or is under way is not asked for twice; what does not come within its patience may be.
#ifndef GUANTONG_RELAY_CORE_CHUNK_WINDOW_H_
#define GUANTONG_RELAY_CORE_CHUNK_WINDOW_H_

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "catalog/keys.h"

namespace guantong {

class ChunkWindow {
 public:
  using Name = std::pair<FeedKey, std::string>;  // feed, hash

  // `bytes` as its manifest says.
  void Ask(const Name& name, size_t bytes);
  // The next to be asked for now, while less than `window_bytes` are under way.
  std::optional<Name> Next(size_t window_bytes, absl::Time now);
  // It has come, or will not.
  void Received(const Name& name, absl::Time now);
  // What is under way and took longer than the slowest line needs for all of it, `patience` at
  // least, is taken for lost.
  void GiveUp(absl::Duration patience, absl::Time now);

 private:
  struct Known {
    size_t bytes = 0;
    bool under_way = false;
    absl::Time asked_at;
  };

  std::map<Name, Known> known_;
  std::map<FeedKey, std::deque<std::string>> waiting_;
  std::list<FeedKey> turns_;
  size_t under_way_bytes_ = 0;
  absl::Time heard_at_ = absl::InfinitePast();
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_CHUNK_WINDOW_H_
