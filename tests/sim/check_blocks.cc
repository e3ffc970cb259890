// Every block of rows that stands has a holder: the log, the table, or a snapshot. Every chunk that
// is a name of one has its bytes. At any moment, whatever crash came before.
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/keys.h"
#include "guantong/storage/v1/store.pb.h"
#include "tests/sim/checkers.h"

namespace guantong::sim {

namespace {

std::set<std::string> TailsUnder(const Reader& store, const std::string& prefix) {
  std::set<std::string> tails;
  for (auto cursor = store.Scan(prefix, PrefixEnd(prefix)); cursor->Valid(); cursor->Next())
    tails.emplace(cursor->key().substr(prefix.size()));
  return tails;
}

std::string FaultOf(const Reader& store, const FeedKey& feed) {
  const std::set<std::string> left = TailsUnder(store, LeftPrefix(feed));
  const std::set<std::string> logged = TailsUnder(store, LogPrefix(feed));
  std::set<std::string> held;  // as keys of blocks end
  const std::string entries = BlockEntriesPrefix(feed);
  for (auto cursor = store.Scan(entries, PrefixEnd(entries)); cursor->Valid(); cursor->Next()) {
    storage::v1::BlockEntry entry;
    if (!entry.ParseFromString(std::string(cursor->value()))) return "an index cannot be read";
    held.insert(entry.epoch() == 0
                    ? absl::StrCat(OwnBlocksPrefix(feed), cursor->key().substr(entries.size()))
                    : LogBlockKey(feed, entry.epoch(), entry.last()));
  }
  for (const std::string& tail : TailsUnder(store, LogBlocksPrefix(feed))) {
    const std::string key = absl::StrCat(LogBlocksPrefix(feed), tail);
    if (logged.count(tail) + held.count(key) + left.count(key) == 0)
      return "a block of a batch is nobody's";
  }
  const size_t run_bytes = OwnBlockPrefix(feed, 0).size();
  for (const std::string& tail : TailsUnder(store, OwnBlocksPrefix(feed))) {
    const std::string key = absl::StrCat(OwnBlocksPrefix(feed), tail);
    if (held.count(key) + left.count(key.substr(0, run_bytes)) == 0)
      return "a block of a run is nobody's";
  }
  const std::string names = ChunkNamesPrefix(feed);
  for (auto cursor = store.Scan(names, PrefixEnd(names)); cursor->Valid(); cursor->Next()) {
    std::string block;
    if (!store.Get(cursor->value(), &block).ok()) return "a chunk names a block that is gone";
    if (Sha256(block) != cursor->key().substr(names.size())) return "a chunk names another block";
  }
  return "";
}

}  // namespace

void CheckBlocks(World& world, size_t index) {
  const Node& node = world.node(index);
  const std::unique_ptr<Reader> store = node.store().Snapshot();
  for (const Dataset& dataset : world.ledger().datasets) {
    if (const std::string fault = FaultOf(*store, dataset.key); !fault.empty())
      world.Wrong(absl::StrCat(node.name(), " ", dataset.resource, ": ", fault));
  }
}

}  // namespace guantong::sim
