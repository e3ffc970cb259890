#include "tests/sim/workload.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/status.h"
#include "tests/sim/checkers.h"

namespace guantong::sim {

namespace {

v1::DatasetSchema SchemaNumber(uint32_t version) {
  v1::DatasetSchema schema;
  schema.set_version(version);
  for (const char* field : {"code", "value"}) {
    v1::Column* column = schema.add_columns();
    column->set_field(field);
    column->set_type(v1::ITEM_TYPE_C);
    column->set_key(schema.columns_size() == 1);
  }
  return schema;
}

}  // namespace

Workload::Workload(World* world)
    : world_(*world),
      ledger_(world->ledger()),
      plan_(world->scenario().work),
      pick_(world->RandomFor("pick")),
      rows_(world->RandomFor("rows")),
      calling_(world->RandomFor("calling")) {
  for (int i = 0; i < plan_.datasets; ++i) {
    Dataset dataset;
    dataset.origin = pick_.Below(world_.size());
    dataset.resource = absl::StrFormat("3070120337/%06d:1", i + 1);
    dataset.feed.set_origin(world_.node(dataset.origin).id());
    dataset.feed.set_kind(v1::FEED_KIND_ROWS);
    dataset.feed.set_resource(dataset.resource);
    dataset.key = FeedKey::Of(dataset.feed);
    dataset.schema = SchemaNumber(1);
    dataset.shared = !pick_.Chance(plan_.unshared);
    dataset.content[0] = DigestOf({});
    ledger_.datasets.push_back(std::move(dataset));
  }
}

void Workload::Every(absl::Duration mean, Random* random, std::function<void()> what) {
  world_.schedule().After(random->Around(mean), [this, mean, random, what = std::move(what)]() mutable {
    if (!working_) return;
    what();
    Every(mean, random, std::move(what));
  });
}

void Workload::Start() {
  working_ = true;
  OpenDatasets();
  const auto any_node = [this] { return pick_.Below(world_.size()); };
  const auto any_dataset = [this] { return pick_.Below(ledger_.datasets.size()); };
  Every(plan_.push_every, &pick_, [=, this] { Push(any_dataset()); });
  Every(plan_.entry_every, &pick_, [=, this] { Publish(any_node()); });
  Every(plan_.call_every, &calling_, [this] {
    Call(calling_.Below(world_.size()), calling_.Below(world_.size()));
  });
  Every(plan_.subscribe_every, &pick_, [=, this] {
    const size_t node = any_node();
    const size_t dataset = any_dataset();
    if (node == ledger_.datasets[dataset].origin) return;
    if (ledger_.subscriptions[{node, dataset}] == Standing::kWanted && pick_.Chance(0.5)) {
      Unsubscribe(node, dataset, pick_.Chance(0.5));
    } else {
      Subscribe(node, dataset);
    }
  });
  Every(plan_.schema_every, &pick_, [=, this] { ChangeSchema(any_dataset()); });
  Every(plan_.probe_every, &pick_, [=, this] { Probe(world_, any_node()); });
}

// --- datasets -------------------------------------------------------------------------------------------------

void Workload::OpenDatasets() {
  for (size_t i = 0; i < ledger_.datasets.size(); ++i) Open(i);
}

void Workload::Open(size_t index) {
  Dataset& dataset = ledger_.datasets[index];
  Node& node = world_.node(dataset.origin);
  if (!world_.TakesWrites(dataset.origin)) return;
  const Token token = node.Expect([this, index](const WriteDone* done) {
    if (done != nullptr && done->status.ok()) ledger_.datasets[index].opened = true;
  });
  node.Step(OpenRows{.resource = dataset.resource, .schema = dataset.schema, .shared = dataset.shared, .token = token});
}

void Workload::ChangeSchema(size_t index) {
  Dataset& dataset = ledger_.datasets[index];
  dataset.schema = SchemaNumber(dataset.schema.version() + 1);
  Open(index);
}

void Workload::Push(size_t index) {
  Dataset& dataset = ledger_.datasets[index];
  Node& node = world_.node(dataset.origin);
  if (!world_.TakesWrites(dataset.origin)) return;
  if (!dataset.opened) return Open(index);
  TableState base;
  if (!ReadTable(world_, dataset.origin, dataset, &base)) return;
  const bool known = base.push == dataset.acknowledged ||
                     (base.push > dataset.acknowledged && dataset.in_doubt.count(base.push) > 0);
  if (!known && dataset.restored && !dataset.rewound) return;   // its department waits until the node has caught up
  if (!known && !dataset.rewound) {
    return world_.Wrong(absl::StrCat(node.name(), ": push ", dataset.acknowledged, " of ", dataset.resource,
                                     " was acknowledged, the table stands at ", base.push));
  }

  const uint64_t push = ++dataset.last_push;
  Content after = base.content;
  const bool replace = rows_.Chance(plan_.replace);
  if (replace) after.clear();
  for (uint64_t change = 1 + rows_.Below(plan_.rows_max); change > 0; --change) {
    const std::string key = absl::StrFormat("%c%02d", 'a' + static_cast<int>(rows_.Below(26)), rows_.Below(8));
    if (!replace && rows_.Chance(0.25)) {
      after.erase(key);
      continue;
    }
    v1::Row row;
    row.add_values(key);
    row.add_values(absl::StrCat(push, " ", std::string(rows_.Below(plan_.row_bytes), 'v')));
    after[key] = row.SerializeAsString();
  }
  for (const std::string& key : MarkKeys()) after[key] = MarkRow(push);
  dataset.content[push] = DigestOf(after);
  Submit(dataset, index, push, base.content, after, base.commit);
}

void Workload::Submit(Dataset& dataset, size_t index, uint64_t push, const Content& base, const Content& after,
                      uint64_t base_commit) {
  std::vector<v1::RowChange> changes;
  for (const auto& [key, row] : base) {
    if (after.count(key) > 0) continue;
    changes.emplace_back().set_key(key);
  }
  for (const auto& [key, row] : after) {
    auto old = base.find(key);
    if (old != base.end() && old->second == row) continue;
    changes.emplace_back().set_key(key);
    changes.back().set_row(row);
  }
  std::sort(changes.begin(), changes.end(),
            [](const v1::RowChange& a, const v1::RowChange& b) { return a.key() < b.key(); });

  const size_t parts = rows_.Chance(plan_.staged) ? std::min<size_t>(2 + rows_.Below(4), changes.size()) : 1;
  std::vector<v1::RowBatch> batches(parts);
  for (size_t i = 0; i < changes.size(); ++i) {
    *batches[i * parts / changes.size()].add_changes() = std::move(changes[i]);
  }

  Node& node = world_.node(dataset.origin);
  PushRows event{.feed = dataset.key, .base_commit = base_commit, .push_id = absl::StrFormat("push %011d", push),
                 .author = "116300000150100095", .rows_after = after.size()};
  event.token = node.Expect([this, index, push](const WriteDone* done) { Pushed(index, push, done); });
  if (parts == 1) {
    event.payload = batches[0].SerializeAsString();
    return node.Step(std::move(event));
  }
  event.staged = static_cast<uint32_t>(parts);
  WriteSet staged;
  for (size_t i = 0; i < parts; ++i) {
    staged.Put(StagedKey(dataset.key, event.push_id, static_cast<uint32_t>(i)), batches[i].SerializeAsString());
  }
  node.Commit(std::move(staged), [&node, event] { node.Step(event); });
}

void Workload::Pushed(size_t index, uint64_t push, const WriteDone* done) {
  Dataset& dataset = ledger_.datasets[index];
  if (done == nullptr) {
    dataset.in_doubt.insert(push);
  } else if (!done->status.ok()) {
    dataset.refused.insert(push);
    ++ledger_.refusals;
  } else {
    dataset.acknowledged = std::max(dataset.acknowledged, push);
    ++ledger_.pushes;
    ++ledger_.records;
  }
}

// --- catalogue ------------------------------------------------------------------------------------------------

void Workload::Publish(size_t index) {
  Node& node = world_.node(index);
  if (!world_.TakesWrites(index)) return;
  const std::string code = absl::StrFormat("3070120337/%06d%06d", index, rows_.Below(5));
  const uint64_t version = ++ledger_.entries[{index, code}].last_version;
  v1::CatalogEntry entry;
  entry.set_code(code);
  entry.set_node(node.id());
  entry.set_name(absl::StrCat("目录 ", version));
  entry.set_state(rows_.Chance(0.1) ? v1::ENTRY_STATE_WITHDRAWN : v1::ENTRY_STATE_PUBLISHED);
  v1::Record record;
  record.set_entry(entry.SerializeAsString());
  const bool upward = rows_.Chance(0.2);
  const Token token = node.Expect([this, index, code, version, upward](const WriteDone* done) {
    if (done == nullptr || !done->status.ok() || upward) return;
    PublishedEntry& published = ledger_.entries[{index, code}];
    published.acknowledged = std::max(published.acknowledged, version);
    ++ledger_.records;
  });
  node.Step(AppendRecords{.kind = upward ? v1::FEED_KIND_CATALOG_UPWARD : v1::FEED_KIND_CATALOG_OPEN,
                          .records = {record}, .author = "116300000150100095", .token = token});
}

// --- subscriptions --------------------------------------------------------------------------------------------

void Workload::Subscribe(size_t index, size_t at) {
  Node& node = world_.node(index);
  if (!node.up()) return;
  const Dataset& dataset = ledger_.datasets[at];
  storage::v1::StoredInterest interest;
  interest.set_code(dataset.resource);
  *interest.mutable_feed() = dataset.feed;
  interest.set_origin_path(world_.node(dataset.origin).path().text());
  ledger_.ever_subscribed.insert({index, at});
  Standing& standing = ledger_.subscriptions[{index, at}];
  standing = Standing::kDoubtful;
  const Token token = node.Expect([&standing](const WriteDone* done) {
    if (done != nullptr && done->status.ok()) standing = Standing::kWanted;
  });
  node.Step(guantong::Subscribe{.interest = interest, .token = token});
}

void Workload::Unsubscribe(size_t index, size_t at, bool drop_data) {
  Node& node = world_.node(index);
  if (!node.up()) return;
  Standing& standing = ledger_.subscriptions[{index, at}];
  standing = Standing::kDoubtful;
  const Token token = node.Expect([&standing, drop_data](const WriteDone* done) {
    if (done != nullptr && done->status.ok()) standing = drop_data ? Standing::kDropped : Standing::kEnded;
  });
  node.Step(guantong::Unsubscribe{.code = ledger_.datasets[at].resource, .drop_data = drop_data, .token = token});
}

void Workload::Settle() {
  OpenDatasets();
  for (auto& [who, standing] : ledger_.subscriptions) {
    if (standing == Standing::kDoubtful) Subscribe(who.first, who.second);
  }
}

// --- calls ----------------------------------------------------------------------------------------------------

void Workload::Call(size_t from, size_t to) {
  Node& node = world_.node(from);
  if (!node.up()) return;
  const std::string body = absl::StrCat("question ", ++calls_made_);
  const absl::Duration budget = calling_.Between(absl::Milliseconds(300), absl::Seconds(30));
  const Token token = node.Expect([this, body](const CallDone* done) {
    CallOutcome& outcome = ledger_.calls[body];
    outcome.done = true;
    if (done != nullptr) CheckAnswer(world_, body, *done);
  });
  world_.schedule().After(budget + absl::Seconds(1), [this, body] {
    if (!ledger_.calls[body].done) world_.Wrong(absl::StrCat("no answer in time to ", body));
  });
  node.Step(CallStart{.target = world_.node(to).path().text(), .method = "echo", .body = body,
                      .uscc = "116300000150100095", .purpose = "test", .budget = budget, .token = token});
}

}  // namespace guantong::sim
