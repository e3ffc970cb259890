// Every push writes its number to the mark rows and is known with the digest of all rows after it.
// So one look at a table says whether it is half a push, an invention, or the state after a certain
// push.
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/table.h"
#include "tests/sim/checkers.h"

namespace guantong::sim {

bool ReadTable(World& world, size_t index, const Dataset& dataset, TableState* state) {
  const Node& node = world.node(index);
  const auto wrong = [&](const std::string& what) {
    world.Wrong(
        absl::StrCat(node.name(), " ", dataset.resource, " at push ", state->push, ": ", what));
    return false;
  };
  const std::unique_ptr<Reader> snapshot = node.store().Snapshot();
  absl::StatusOr<TableReader> table = TableReader::Open(*snapshot, dataset.key);
  if (absl::IsNotFound(table.status())) return false;
  if (!table.ok()) return wrong(table.status().ToString());
  const absl::Status read = table->Scan("", "", [&](absl::string_view key, absl::string_view row) {
    state->content[std::string(key)] = std::string(row);
    return true;
  });
  if (!read.ok()) return wrong(read.ToString());
  state->commit = table->record().commit();
  state->schema = table->record().schema();

  size_t marks = 0;
  for (const std::string& key : MarkKeys()) {
    auto mark = state->content.find(key);
    if (mark == state->content.end()) continue;
    const uint64_t push = PushOfMark(mark->second);
    if (++marks > 1 && push != state->push)
      return wrong(absl::StrCat("half a push is readable, ", push, " too"));
    state->push = push;
  }
  if (marks != 0 && marks != MarkKeys().size())
    return wrong("half a push is readable, marks are missing");
  auto known = dataset.content.find(state->push);
  if (known == dataset.content.end() || known->second != DigestOf(state->content)) {
    return wrong(absl::StrCat(state->content.size(), " rows that are not those after this push"));
  }
  if (dataset.refused.count(state->push) > 0) return wrong("the push was refused and is readable");
  if (table->record().rows() != state->content.size()) {
    return wrong(
        absl::StrCat("says it has ", table->record().rows(), " rows, has ", state->content.size()));
  }
  return true;
}

void Probe(World& world, size_t index) {
  if (!world.node(index).up()) return;
  ++world.ledger().probes;
  for (size_t at = 0; at < world.ledger().datasets.size(); ++at) {
    TableState state;
    if (ReadTable(world, index, world.ledger().datasets[at], &state))
      CheckSeen(world, index, at, state);
  }
  CheckBlocks(world, index);
  CheckPlacement(world, index);
}

namespace {

bool Refused(World& world, size_t node, const Dataset& dataset) {
  storage::v1::StoredInterest interest;
  interest.set_code(dataset.resource);
  *interest.mutable_feed() = dataset.feed;
  std::string bytes;
  if (world.node(node).store().Get(SubscriptionKey(dataset.resource), &bytes).ok())
    interest.ParseFromString(bytes);
  return world.node(node).engine().SubscriptionInfo(interest).state() ==
         v1::SUBSCRIPTION_STATE_REFUSED;
}

std::string AwaitsCopy(World& world, size_t node, Standing standing, const Dataset& dataset,
                       const TableState& origin) {
  const std::string name = absl::StrCat(world.node(node).name(), " ", dataset.resource);
  TableState copy;
  const bool held = ReadTable(world, node, dataset, &copy);
  if (standing == Standing::kDropped && held) return absl::StrCat("dropping of the copy at ", name);
  if (standing != Standing::kWanted) return "";
  if (!dataset.shared)
    return Refused(world, node, dataset) ? "" : absl::StrCat("the refusal at ", name);
  if (!held) return absl::StrCat("the copy at ", name);
  if (copy.push != origin.push || copy.schema != origin.schema || copy.commit != origin.commit ||
      copy.content != origin.content) {
    return absl::StrCat("the copy at ", name, " (feed ", HexOf(dataset.key.bytes().substr(0, 3)),
                        "): it stands at push ", copy.push, " commit ", copy.commit,
                        ", the origin at push ", origin.push, " commit ", origin.commit);
  }
  return "";
}

std::string AwaitsDataset(World& world, size_t at, const std::map<size_t, Standing>& subscribers) {
  const Dataset& dataset = world.ledger().datasets[at];
  TableState origin;
  if (!ReadTable(world, dataset.origin, dataset, &origin)) {
    return dataset.opened ? absl::StrCat("the table of ", dataset.resource, " at its origin") : "";
  }
  if (origin.push < dataset.acknowledged && !dataset.rewound) {
    return absl::StrCat("push ", dataset.acknowledged, " of ", dataset.resource,
                        " at its origin, which stands at ", origin.push);
  }
  for (const auto& [node, standing] : subscribers) {
    if (std::string awaited = AwaitsCopy(world, node, standing, dataset, origin); !awaited.empty())
      return awaited;
  }
  return "";
}

}  // namespace

std::string AwaitsTables(World& world, size_t* from) {
  const Ledger& ledger = world.ledger();
  const size_t count = ledger.datasets.size();
  std::vector<std::map<size_t, Standing>> subscribers(count);
  for (const auto& [who, standing] : ledger.subscriptions) {
    if (!world.hostile(who.first)) subscribers[who.second][who.first] = standing;
  }
  for (size_t i = 0; i < count; ++i) {
    const size_t at = ((from == nullptr ? 0 : *from) + i) % count;
    std::string awaited = AwaitsDataset(world, at, subscribers[at]);
    if (awaited.empty()) continue;
    if (from != nullptr) *from = at;
    return awaited;
  }
  return "";
}

}  // namespace guantong::sim
