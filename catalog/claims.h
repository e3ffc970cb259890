// Which of several claims holds: one code in the feeds of two nodes, one node in the membership of
// two parents.
//
// A node cannot forge what another signs, but it can write anything into its own feeds: another
// node's code with a higher version, or another's NodeId as its own child. Feeds arrive in any
// order, so neither may the first one heard of win. What decides is what a claimant cannot give
// itself, and it is a function of the facts held, whatever the order they came in.
//
// A code, in this order:
//   1. this node's own entry: what its departments registered is what the code means here;
//   2. the node whose division, as its parent admitted it, is nearest to the division in the code:
//   the same (630102), then the one
//      around it (630100, 630000, 000000), then any other or one whose admission is not known here;
//   3. the node nearer to the root; the one admitted earlier; the lesser NodeId.
// The version decides between records of one feed only, which the feed's order does already.
//
// A node's place, in this order:
//   1. what this node's own membership says: we admitted it;
//   2. the path that the chains of the node's own feeds prove;
//   3. the latest admission; the lesser path.
#ifndef GUANTONG_CATALOG_CLAIMS_H_
#define GUANTONG_CATALOG_CLAIMS_H_

#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/keys.h"
#include "catalog/store.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

// Of the open catalogue feeds that hold an entry under `code`: the one whose entry is in force.
std::optional<v1::CatalogEntry> EntryInForce(const Reader& snapshot, absl::string_view code);

// The entry in force that has `alias` among its codes. Of several the one whose own code is least:
// an alias decides nothing but what is shown.
std::optional<v1::CatalogEntry> EntryByAlias(const Reader& snapshot, absl::string_view alias);

// Of the membership feeds that name the node: what holds.
std::optional<v1::Member> MemberInForce(const Reader& snapshot, absl::string_view node_id);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_CLAIMS_H_
