// What it means for the feeds of a node that some ranges of its store are gone.
//
//   gone                 copy                               own feed
//   batches of the log   the log is cut to what follows them, and the engine asks neighbours for
//                        what is gone
//   blocks of rows of    fetched again                      read again when neighbours have given
//   the log                                                 the log back, with them
//   rows, facts          made again from the log when that is whole, else
//                        emptied, fetched as a snapshot     reported: only a backup or the source
//                                                           has them
//   the feed's record    dropped, fetched anew              made again from the log
//   manifest, chunks     dropped, made or fetched again
//   drafts, tokens, ...  reported
#ifndef GUANTONG_NODE_UPKEEP_MEND_FEEDS_H_
#define GUANTONG_NODE_UPKEEP_MEND_FEEDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "catalog/salvage.h"
#include "catalog/store.h"
#include "guantong/v1/upkeep.pb.h"
#include "node/identity/identity.h"

namespace guantong {

// `store` holds what could be read and nothing in `lost`; nobody else uses it. Adds to `damage`
// what was found and done. Errors are the store's. Repeating it has one effect.
absl::Status MendFeeds(Store* store, const Identity& identity, absl::Span<const LostRange> lost,
                       v1::Damage* damage);

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_MEND_FEEDS_H_
