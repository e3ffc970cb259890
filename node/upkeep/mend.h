// Mending a store that holds damaged files, while no node runs on it: everything that can be read
// moves to a new store, what that means for each feed is drawn (mend_feeds.h), and the new store
// takes the place of the old one.
//
// A file cannot be taken out alone: what it hid of older files would come back. A rewrite costs the
// size of the store in time and space, and is right wherever the damage stands.
//
// A damaged write-ahead log is read up to the damage. What was committed after it is gone,
// acknowledged or not, as with a store restored from a backup of that moment; so it is marked as
// one, and neighbours are asked before anything new is taken in.
#ifndef GUANTONG_NODE_UPKEEP_MEND_H_
#define GUANTONG_NODE_UPKEEP_MEND_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "catalog/rocks/rocks_store.h"
#include "guantong/v1/upkeep.pb.h"
#include "node/identity/identity.h"

namespace guantong {

// Opens the store of a node that is about to start; mends it first where it has to be. After a stop
// at any moment it goes on or begins anew. Errors: those of OpenRocksStore; DATA_LOSS store_corrupt
// when the damage cannot be stepped around: only a backup helps.
absl::StatusOr<std::unique_ptr<RocksStore>> OpenAndMend(const std::string& store_dir,
                                                        const Identity& identity,
                                                        const RocksOptions& options);

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_MEND_H_
