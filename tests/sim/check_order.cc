// Within a feed everything stands in the order in which its origin took it in: commits never fall,
// pushes follow each other by number, the versions of an entry rise. A reader of a copy never sees
// it go back, unless the origin itself lost what it had, or the copy was dropped or restored in
// between.
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/sim/checkers.h"
#include "tests/sim/log_walk.h"

namespace guantong::sim {

void CheckOrder(World& world, size_t index) {
  const Node& node = world.node(index);
  ForEachFeed(node, [&](const storage::v1::FeedRecord& feed) {
    uint64_t commit = 0, push = 0;
    std::map<std::string, uint64_t> versions;
    ForEachBatch(node, FeedKey::Of(feed.feed()), [&](const LoggedBatch& batch) {
      const auto wrong = [&](const std::string& what) {
        world.Wrong(absl::StrCat(NameOf(node, feed), " batch ", batch.header.epoch().number(), ".",
                                 batch.header.last(), ": ", what));
      };
      if (batch.header.commit() < commit)
        wrong(absl::StrCat("commit ", batch.header.commit(), " after ", commit));
      commit = batch.header.commit();
      if (const uint64_t number = NumberOfPush(batch.header.push_id()); number != 0) {
        if (number < push) wrong(absl::StrCat("push ", number, " after ", push));
        push = number;
      }
      for (const v1::Record& record : batch.records.records()) {
        v1::CatalogEntry entry;
        if (!record.has_entry() || !entry.ParseFromString(record.entry())) continue;
        uint64_t& last = versions[entry.code()];
        const uint64_t version = VersionOf(entry);
        if (version <= last)
          wrong(absl::StrCat("version ", version, " of ", entry.code(), " after ", last));
        last = version;
      }
    });
  });
}

void CheckSeen(World& world, size_t index, size_t at, const TableState& state) {
  const Dataset& dataset = world.ledger().datasets[at];
  Seen& seen = world.ledger().seen[{index, at}];
  const bool same = seen.opening == world.ledger().openings[{index, at}];
  if (same && !dataset.rewound && state.commit < seen.commit) {
    world.Wrong(absl::StrCat(world.node(index).name(), " ", dataset.resource, ": commit ",
                             state.commit, " is readable, commit ", seen.commit, " was before"));
  }
  seen = {.opening = world.ledger().openings[{index, at}], .commit = state.commit};
}

}  // namespace guantong::sim
