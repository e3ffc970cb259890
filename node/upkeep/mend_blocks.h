// Own blocks of rows that a damaged file held, put right by what the log keeps for it: the block
// itself where it is small or an earlier build wrote it, else what mends it (catalog/spare.h).
#ifndef GUANTONG_NODE_UPKEEP_MEND_BLOCKS_H_
#define GUANTONG_NODE_UPKEEP_MEND_BLOCKS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "catalog/salvage.h"
#include "catalog/store.h"
#include "guantong/v1/upkeep.pb.h"

namespace guantong {

// `store` holds all that could be read, `lost` is what could not. Blocks missing there are taken
// from the log, or looked for in the damaged `files`, and put into `store` when they have the
// digest that was signed; told
// in `damage`, a line for each feed. What cannot be mended stays missing. Errors of the store.
absl::Status MendBlocks(Store* store, absl::Span<const LostRange> lost,
                        absl::Span<const std::string> files, v1::Damage* damage);

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_MEND_BLOCKS_H_
