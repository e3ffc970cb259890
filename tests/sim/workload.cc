#include "tests/sim/workload.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/status.h"
#include "catalog/sorted_rows.h"
#include "tests/sim/checkers.h"

namespace guantong::sim {

namespace {

// A field of Record that does not exist yet.
constexpr int kLaterKind = 1900;

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

std::string CodeOf(size_t node, int entry) {
  return absl::StrFormat("3070120337/%06d%06d", node, entry);
}

}  // namespace

Workload::Workload(World* world)
    : world_(*world),
      ledger_(world->ledger()),
      plan_(world->scenario().work()),
      pick_(world->RandomFor("pick")),
      rows_(world->RandomFor("rows")),
      calling_(world->RandomFor("calling")),
      odd_(world->RandomFor("odd")) {
  for (int i = 0; i < plan_.datasets(); ++i) {
    Dataset dataset;
    do {
      dataset.origin = pick_.Below(world_.size());
    } while (world_.hostile(dataset.origin));
    dataset.resource = absl::StrFormat("3070120337/%06d:1", i + 1);
    dataset.feed.set_origin(world_.node(dataset.origin).id());
    dataset.feed.set_kind(v1::FEED_KIND_ROWS);
    dataset.feed.set_resource(dataset.resource);
    dataset.key = FeedKey::Of(dataset.feed);
    dataset.schema = SchemaNumber(1);
    dataset.shared = !pick_.Chance(plan_.unshared_chance());
    dataset.content[0] = DigestOf({});
    ledger_.dataset_of[dataset.key] = static_cast<size_t>(i);
    ledger_.datasets.push_back(std::move(dataset));
  }
}

void Workload::Every(absl::Duration mean, Random* random, std::function<void()> what) {
  if (mean == absl::ZeroDuration()) return;
  world_.schedule().After(random->Around(mean),
                          [this, mean, random, what = std::move(what)]() mutable {
                            if (!working_) return;
                            what();
                            Every(mean, random, std::move(what));
                          });
}

void Workload::Start() {
  working_ = true;
  OpenDatasets();
  Begin();
  const auto any_node = [this] { return pick_.Below(world_.size()); };
  const auto any_dataset = [this] { return pick_.Below(ledger_.datasets.size()); };
  Every(Seconds(plan_.push_every_s()), &pick_, [=, this] { Push(any_dataset()); });
  Every(Seconds(plan_.entry_every_s()), &pick_, [=, this] { Publish(any_node()); });
  Every(Seconds(plan_.call_every_s()), &calling_,
        [this] { Call(calling_.Below(world_.size()), calling_.Below(world_.size())); });
  Every(Seconds(plan_.subscribe_every_s()), &pick_, [=, this] {
    const size_t node = any_node();
    const size_t dataset = any_dataset();
    if (node == ledger_.datasets[dataset].origin) return;
    if (ledger_.subscriptions[{node, dataset}] == Standing::kWanted && pick_.Chance(0.5)) {
      Unsubscribe(node, dataset, pick_.Chance(0.5));
    } else {
      Subscribe(node, dataset);
    }
  });
  Every(Seconds(plan_.schema_every_s()), &pick_, [=, this] { ChangeSchema(any_dataset()); });
  Every(Seconds(plan_.odd_record_every_s()), &odd_,
        [=, this] { PublishOdd(odd_.Below(world_.size())); });
  Every(Seconds(plan_.probe_every_s()), &pick_, [=, this] { Probe(world_, any_node()); });
}

// What stands before the daily work: entries, a first push of every dataset, subscriptions.
void Workload::Begin() {
  if (plan_.beginning_s() == 0) return;
  Random when = world_.RandomFor("beginning");
  const auto some_time = [&] {
    return when.Between(absl::ZeroDuration(), Seconds(plan_.beginning_s()));
  };
  const int nodes = static_cast<int>(world_.size());
  for (int node = 0; node < nodes; ++node) {
    const int entries = plan_.entries() / nodes + (node < plan_.entries() % nodes ? 1 : 0);
    for (int first = 0; first < entries; first += plan_.entries_per_append()) {
      const int count = std::min(plan_.entries_per_append(), entries - first);
      world_.schedule().After(some_time(),
                              [=, this] { Register(static_cast<size_t>(node), first, count); });
    }
  }
  for (size_t i = 0; i < ledger_.datasets.size(); ++i) {
    world_.schedule().After(some_time(), [=, this] { Push(i); });
  }
  for (int i = 0; i < plan_.subscriptions(); ++i) {
    const size_t node = when.Below(world_.size());
    const size_t dataset = when.Below(ledger_.datasets.size());
    if (node == ledger_.datasets[dataset].origin) continue;
    world_.schedule().After(some_time(), [=, this] { Subscribe(node, dataset); });
  }
}

// --- datasets ------------------------------------------------------------------------------------

void Workload::OpenDatasets() {
  for (size_t i = 0; i < ledger_.datasets.size(); ++i) Open(i);
}

void Workload::Open(size_t index) {
  Dataset& dataset = ledger_.datasets[index];
  Node& node = world_.node(dataset.origin);
  if (!world_.TakesWrites(dataset.origin)) return;
  // Nobody has a dataset that stands in no catalogue; by that its origin is found wherever it goes.
  if (world_.unsettled() || world_.scenario().faults().move_every_s() > 0) Publish(dataset.origin);
  const Token token = node.Expect([this, index](const WriteDone* done) {
    if (done != nullptr && done->status.ok()) ledger_.datasets[index].opened = true;
  });
  node.Step(OpenRows{.resource = dataset.resource,
                     .schema = dataset.schema,
                     .shared = dataset.shared,
                     .token = token});
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
  if (!known && dataset.restored && !dataset.rewound)
    return;  // its department waits until the node has caught up
  if (!known && !dataset.rewound) {
    return world_.Wrong(absl::StrCat(node.name(), ": push ", dataset.acknowledged, " of ",
                                     dataset.resource, " was acknowledged, the table stands at ",
                                     base.push));
  }

  const uint64_t push = ++dataset.last_push;
  Content after = base.content;
  const bool replace = rows_.Chance(plan_.replace_chance());
  if (replace) after.clear();
  for (uint64_t change = 1 + rows_.Below(static_cast<uint64_t>(plan_.rows_max())); change > 0;
       --change) {
    const std::string key =
        absl::StrFormat("%c%02d", 'a' + static_cast<int>(rows_.Below(26)), rows_.Below(8));
    if (!replace && rows_.Chance(0.25)) {
      after.erase(key);
      continue;
    }
    v1::Row row;
    row.add_values(key);
    row.add_values(absl::StrCat(
        push, " ", std::string(rows_.Below(static_cast<uint64_t>(plan_.row_bytes())), 'v')));
    after[key] = row.SerializeAsString();
  }
  for (const std::string& key : MarkKeys()) after[key] = MarkRow(push);
  dataset.content[push] = DigestOf(after);
  Submit(dataset, index, push, base.content, after, base.commit);
}

void Workload::Submit(Dataset& dataset, size_t index, uint64_t push, const Content& base,
                      const Content& after, uint64_t base_commit) {
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

  const size_t parts = rows_.Chance(plan_.staged_chance())
                           ? std::min<size_t>(2 + rows_.Below(4), changes.size())
                           : 1;
  std::vector<v1::RowBatch> batches(parts);
  for (size_t i = 0; i < changes.size(); ++i) {
    *batches[i * parts / changes.size()].add_changes() = std::move(changes[i]);
  }
  // As this version sends them, or one before blocks.
  const bool blocks = rows_.Chance(0.7);
  std::vector<std::string> payloads;
  for (const v1::RowBatch& batch : batches) {
    SortedRowsBuilder block;
    for (const v1::RowChange& change : batch.changes()) block.Add(change.key(), change.row());
    payloads.push_back(blocks ? block.Finish() : batch.SerializeAsString());
  }

  Node& node = world_.node(dataset.origin);
  PushRows event{.feed = dataset.key,
                 .base_commit = base_commit,
                 .push_id = PushId(push),
                 .author = "116300000150100095",
                 .rows_after = after.size()};
  event.token =
      node.Expect([this, index, push](const WriteDone* done) { Pushed(index, push, done); });
  if (parts == 1) {
    event.payload = std::move(payloads[0]);
    // Some of its rows are another push's.
    if (push % 3 == 0) event.joined.push_back({absl::StrCat("joined ", push), {}});
    return node.Step(std::move(event));
  }
  event.staged = static_cast<uint32_t>(parts);
  WriteSet staged;
  for (size_t i = 0; i < parts; ++i) {
    staged.Put(StagedKey(dataset.key, event.push_id, static_cast<uint32_t>(i)),
               std::move(payloads[i]));
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

// --- catalogue -----------------------------------------------------------------------------------

void Workload::Publish(size_t index) {
  if (!world_.TakesWrites(index)) return;
  const std::string code = CodeOf(index, static_cast<int>(rows_.Below(5)));
  const bool withdrawn = rows_.Chance(0.1);
  const bool upward = rows_.Chance(0.2);
  Append(index, upward ? v1::FEED_KIND_CATALOG_UPWARD : v1::FEED_KIND_CATALOG_OPEN, {code},
         withdrawn ? v1::ENTRY_STATE_WITHDRAWN : v1::ENTRY_STATE_PUBLISHED, [](bool) {});
}

// Beside a good entry one record that is none, and one of a kind that is yet to come.
void Workload::PublishOdd(size_t index) {
  if (!world_.TakesWrites(index)) return;
  v1::Record later;
  later.GetReflection()->MutableUnknownFields(&later)->AddLengthDelimited(kLaterKind,
                                                                          odd_.Bytes(20));
  v1::Record poison;
  poison.set_entry("\x07" + odd_.Bytes(20));  // a wire type there is none of
  Append(index, v1::FEED_KIND_CATALOG_OPEN, {CodeOf(index, static_cast<int>(odd_.Below(5)))},
         v1::ENTRY_STATE_PUBLISHED, [](bool) {}, {later, poison});
}

void Workload::Register(size_t index, int first, int count) {
  const auto again = [=, this](bool acknowledged) {
    if (acknowledged || !working_) return;
    world_.schedule().After(absl::Seconds(3), [=, this] { Register(index, first, count); });
  };
  if (!world_.TakesWrites(index)) return again(false);
  std::vector<std::string> codes;
  for (int i = first; i < first + count; ++i) codes.push_back(CodeOf(index, i));
  Append(index, v1::FEED_KIND_CATALOG_OPEN, codes, v1::ENTRY_STATE_PUBLISHED, again);
}

void Workload::Append(size_t index, v1::FeedKind kind, const std::vector<std::string>& codes,
                      v1::EntryState state, std::function<void(bool)> done,
                      std::vector<v1::Record> odd) {
  Node& node = world_.node(index);
  AppendRecords event{.kind = kind, .records = {}, .author = "116300000150100095"};
  std::vector<uint64_t> versions;
  for (const std::string& code : codes) {
    versions.push_back(++ledger_.entries[{index, code}].last_version);
    v1::CatalogEntry entry;
    entry.set_code(code);
    entry.set_node(node.id());
    entry.set_name(NameOfVersion(versions.back()));
    entry.set_state(state);
    event.records.emplace_back().set_entry(entry.SerializeAsString());
  }
  for (v1::Record& record : odd) {
    ledger_.odd_records.insert(record.SerializeAsString());
    event.records.push_back(std::move(record));
  }
  const bool upward = kind == v1::FEED_KIND_CATALOG_UPWARD;
  event.token = node.Expect([=, this](const WriteDone* answer) {
    const bool acknowledged = answer != nullptr && answer->status.ok();
    for (size_t i = 0; acknowledged && !upward && i < codes.size(); ++i) {
      PublishedEntry& published = ledger_.entries[{index, codes[i]}];
      published.acknowledged = std::max(published.acknowledged, versions[i]);
      ++ledger_.records;
    }
    done(acknowledged);
  });
  node.Step(std::move(event));
}

// --- subscriptions -------------------------------------------------------------------------------

void Workload::Subscribe(size_t index, size_t at) {
  Node& node = world_.node(index);
  if (!node.up()) return;
  const Dataset& dataset = ledger_.datasets[at];
  if (!world_.SameNetwork(index, dataset.origin)) return;
  storage::v1::StoredInterest interest;
  interest.set_code(dataset.resource);
  *interest.mutable_feed() = dataset.feed;
  interest.set_origin_path(world_.node(dataset.origin).path().text());
  ledger_.ever_subscribed[at].insert(index);
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
  if (drop_data) ++ledger_.openings[{index, at}];
  const Token token = node.Expect([&standing, drop_data](const WriteDone* done) {
    if (done != nullptr && done->status.ok())
      standing = drop_data ? Standing::kDropped : Standing::kEnded;
  });
  node.Step(guantong::Unsubscribe{
      .code = ledger_.datasets[at].resource, .drop_data = drop_data, .token = token});
}

void Workload::Settle() {
  OpenDatasets();
  for (auto& [who, standing] : ledger_.subscriptions) {
    if (standing == Standing::kDoubtful) Subscribe(who.first, who.second);
  }
}

// --- calls ---------------------------------------------------------------------------------------

void Workload::Call(size_t from, size_t to) {
  Node& node = world_.node(from);
  if (!node.up() || !world_.SameNetwork(from, to)) return;
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
  node.Step(CallStart{.target = world_.node(to).path().text(),
                      .method = "echo",
                      .body = body,
                      .uscc = "116300000150100095",
                      .purpose = "test",
                      .budget = budget,
                      .token = token});
}

}  // namespace guantong::sim
