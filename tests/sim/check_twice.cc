// Nothing stands twice in a log: no version of an entry, no record of any other kind, no end of one
// push. A push that an epoch has cut in two is written once more from its beginning, and ends once.
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/sim/checkers.h"
#include "tests/sim/log_walk.h"

namespace guantong::sim {

void CheckTwice(World& world, size_t index) {
  const Node& node = world.node(index);
  ForEachFeed(node, [&](const storage::v1::FeedRecord& feed) {
    std::set<std::string> records, pushes;
    ForEachBatch(node, FeedKey::Of(feed.feed()), [&](const LoggedBatch& batch) {
      for (const v1::Record& record : batch.records.records()) {
        if (records.insert(record.SerializeAsString()).second) continue;
        world.Wrong(absl::StrCat(NameOf(node, feed), ": a record of batch ", batch.header.last(),
                                 " stands in the log twice"));
      }
      if (batch.header.push_id().empty() || !batch.header.push_end()) return;
      const auto ended = [&](const std::string& push) {
        if (pushes.insert(push).second) return;
        world.Wrong(absl::StrCat(NameOf(node, feed), ": ", push, " ends twice"));
      };
      ended(batch.header.push_id());
      for (const std::string& push : batch.header.joined_push_ids()) ended(push);
    });
  });
}

}  // namespace guantong::sim
