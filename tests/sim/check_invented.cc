// Every record in every log was asked for, by a client of the feed's origin; every push that ends
// there was, and was not refused.
#include "absl/strings/str_cat.h"
#include "tests/sim/checkers.h"
#include "tests/sim/log_walk.h"

namespace guantong::sim {

namespace {

std::string FaultOf(const Ledger& ledger, size_t origin, const v1::Record& record) {
  if (record.has_member() && ledger.node_ids.count(record.member().node_id()) > 0) return "";
  if (record.has_epoch_opened() || record.has_feed_closed()) return "";
  if (ledger.odd_records.count(record.SerializeAsString()) > 0) return "";
  v1::CatalogEntry entry;
  if (!record.has_entry() || !entry.ParseFromString(record.entry()))
    return "a record that nobody asked for";
  auto asked = ledger.entries.find({origin, entry.code()});
  if (asked != ledger.entries.end() && VersionOf(entry) <= asked->second.last_version) return "";
  return absl::StrCat("version ", VersionOf(entry), " of ", entry.code(),
                      ", which nobody asked for");
}

}  // namespace

void CheckInvented(World& world, size_t index) {
  const Node& node = world.node(index);
  const Ledger& ledger = world.ledger();
  ForEachFeed(node, [&](const storage::v1::FeedRecord& feed) {
    const FeedKey key = FeedKey::Of(feed.feed());
    const auto wrong = [&](const std::string& what) {
      world.Wrong(absl::StrCat(NameOf(node, feed), ": ", what));
    };
    const std::optional<size_t> origin = world.Find(feed.feed().origin());
    if (!origin.has_value()) return wrong("an origin there is none of");
    auto dataset = ledger.dataset_of.find(key);
    ForEachBatch(node, key, [&](const LoggedBatch& batch) {
      for (const v1::Record& record : batch.records.records()) {
        if (const std::string fault = FaultOf(ledger, *origin, record); !fault.empty())
          wrong(fault);
      }
      const uint64_t push = NumberOfPush(batch.header.push_id());
      if (push == 0) return;
      if (dataset == ledger.dataset_of.end()) return wrong("a push into no dataset");
      const Dataset& into = ledger.datasets[dataset->second];
      if (push > into.last_push) wrong(absl::StrCat("push ", push, ", which nobody made"));
      if (batch.header.push_end() && into.refused.count(push) > 0)
        wrong(absl::StrCat("push ", push, ", which was refused"));
    });
  });
}

}  // namespace guantong::sim
