#include "catalog/snapshot.h"

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/facts.h"
#include "catalog/memory_store.h"
#include "catalog/sorted_rows.h"
#include "catalog/table.h"
#include "guantong/v1/entry.pb.h"
#include "tests/catch.h"

namespace guantong {
namespace {

using Rows = std::map<std::string, std::string>;
using Chunks = std::vector<std::pair<std::string, std::string>>;

v1::FeedId FeedOf(v1::FeedKind kind) {
  v1::FeedId feed;
  feed.set_origin(Sha256("origin"));
  feed.set_kind(kind);
  return feed;
}

v1::Position PositionAt(uint64_t sequence) {
  v1::Position position;
  position.mutable_epoch()->set_number(1);
  position.mutable_epoch()->set_id(std::string(16, 'E'));
  position.set_sequence(sequence);
  position.set_chain_hash(Sha256(absl::StrCat(sequence)));
  return position;
}

void PutFeed(MemoryStore& store, const v1::FeedId& feed) {
  storage::v1::FeedRecord record;
  *record.mutable_feed() = feed;
  *record.mutable_head() = PositionAt(20);
  record.set_commit(5);
  *record.mutable_visible() = PositionAt(10);
  record.set_visible_commit(4);
  WriteSet writes;
  writes.Put(FeedRecordKey(FeedKey::Of(feed)), record.SerializeAsString());
  REQUIRE(store.Commit({writes}).ok());
}

v1::Manifest Build(const MemoryStore& store, const v1::FeedId& feed, Chunks* chunks,
                   v1::Encoding encoding = v1::ENCODING_ROWS) {
  const auto snapshot = store.Snapshot();
  std::map<std::string, std::string> made;
  const auto built = BuildSnapshot(*snapshot, FeedKey::Of(feed), encoding,
                                   [&](const std::string& hash, const std::string& chunk) {
                                     CHECK(hash == Sha256(chunk));
                                     made[hash] = chunk;
                                     return absl::OkStatus();
                                   });
  INFO(built.status());
  REQUIRE(built.ok());
  for (const ChunkName& name : built->names) {
    CHECK(made.count(name.hash) == 0);
    REQUIRE(snapshot->Get(name.block, &made[name.hash]).ok());
    CHECK(name.hash == Sha256(made[name.hash]));
  }
  const v1::Manifest& manifest = built->manifest;
  for (const v1::ChunkRef& chunk : manifest.chunks()) {
    REQUIRE(made.count(chunk.hash()) == 1);
    chunks->emplace_back(chunk.hash(), made[chunk.hash()]);
    CHECK(chunk.bytes() == chunks->back().second.size());
    CHECK(chunk.bytes() <= kPayloadBytesMax);
  }
  return manifest;
}

void Push(MemoryStore& store, const Rows& rows) {
  const FeedKey feed = FeedKey::Of(FeedOf(v1::FEED_KIND_ROWS));
  auto table = TableWriter::Load(store, feed);
  REQUIRE(table.ok());
  v1::DatasetSchema schema;
  schema.set_version(3);
  v1::RowBatch batch;
  batch.set_schema(schema.SerializeAsString());
  for (const auto& [key, row] : rows) {
    v1::RowChange* change = batch.add_changes();
    change->set_key(key);
    change->set_row(row);
  }
  v1::BatchHeader header;
  header.set_encoding(v1::ENCODING_ROWS);
  header.set_push_end(true);
  header.set_commit(4);
  header.set_rows(rows.size());
  WriteSet writes;
  REQUIRE(table->Apply(header, batch, &writes).ok());
  REQUIRE(store.Commit({writes}).ok());
}

Rows RandomRows(int count, size_t bytes) {
  std::mt19937 random(1);
  Rows rows;
  for (int i = 0; i < count; ++i) {
    std::string row;
    while (row.size() < bytes) row.push_back(static_cast<char>(random()));
    rows[absl::StrCat("k", 1000000 + i * 10)] = row;
  }
  return rows;
}

TEST_CASE("snapshot: a table goes there and comes back") {
  const v1::FeedId feed = FeedOf(v1::FEED_KIND_ROWS);
  const int count = GENERATE(0, 1, 20000);
  const v1::Encoding encoding = GENERATE(v1::ENCODING_ROWS, v1::ENCODING_SORTED_ROWS);
  const Rows rows = RandomRows(count, 200);
  MemoryStore origin;
  PutFeed(origin, feed);
  Push(origin, rows);
  Chunks chunks;
  const v1::Manifest manifest = Build(origin, feed, &chunks, encoding);
  CHECK(manifest.feed().kind() == v1::FEED_KIND_ROWS);
  CHECK(manifest.at().sequence() == 10);
  CHECK(manifest.commit() == 4);
  CHECK(manifest.records() == rows.size());
  CHECK(manifest.schema_version() == 3);
  CHECK(manifest.encoding() == encoding);
  if (count == 0) CHECK(chunks.empty());
  if (count == 20000) CHECK(chunks.size() > 4);

  MemoryStore replica;
  auto table = TableWriter::Load(replica, FeedKey::Of(feed));
  REQUIRE(table.ok());
  WriteSet writes;
  table->BeginStaging(&writes);
  for (const auto& [hash, chunk] : chunks) {
    if (encoding == v1::ENCODING_SORTED_ROWS) {
      REQUIRE(table->StageBlock(hash, chunk, &writes).ok());
      continue;
    }
    v1::RowBatch batch;
    REQUIRE(batch.ParseFromString(chunk));
    REQUIRE(table->Stage(batch, &writes).ok());
  }
  table->Switch(manifest, &writes);
  REQUIRE(replica.Commit({writes}).ok());
  Rows copy;
  const auto reader = TableReader::Open(replica, FeedKey::Of(feed));
  REQUIRE(reader.ok());
  CHECK(reader->schema().version() == 3);
  CHECK(reader->record().rows() == rows.size());
  REQUIRE(reader
              ->Scan("", "",
                     [&](absl::string_view key, absl::string_view row) {
                       copy.emplace(std::string(key), std::string(row));
                       return true;
                     })
              .ok());
  CHECK(copy == rows);
}

TEST_CASE("snapshot: a change leaves nearly all chunks as they were") {
  const v1::FeedId feed = FeedOf(v1::FEED_KIND_ROWS);
  Rows rows = RandomRows(40000, 200);
  MemoryStore before;
  PutFeed(before, feed);
  Push(before, rows);
  Chunks old_chunks;
  Build(before, feed, &old_chunks);
  // Near the front, so that what follows shifts.
  for (int i = 0; i < 30; ++i) rows[absl::StrCat("k", 1000001 + i * 10)] = std::string(150, 'n');
  MemoryStore after;
  PutFeed(after, feed);
  Push(after, rows);
  Chunks new_chunks;
  Build(after, feed, &new_chunks);
  std::set<std::string> held;
  for (const auto& [hash, chunk] : old_chunks) held.insert(hash);
  size_t fetched = 0;
  for (const auto& [hash, chunk] : new_chunks) fetched += held.count(hash) == 0 ? 1 : 0;
  REQUIRE(new_chunks.size() > 8);
  CHECK(fetched >= 1);
  CHECK(fetched <= 4);
}

// Pushes of blocks, one each; an empty row is a delete.
struct BlockPushes {
  BlockPushes() { PutFeed(store, FeedOf(v1::FEED_KIND_ROWS)); }

  std::string Push(const Rows& rows) {
    SortedRowsBuilder builder;
    for (const auto& [key, row] : rows) {
      builder.Add(key, row);
      all[key] = row;
      if (row.empty()) all.erase(key);
    }
    std::string block = builder.Finish();
    const FeedKey feed = FeedKey::Of(FeedOf(v1::FEED_KIND_ROWS));
    auto table = TableWriter::Load(store, feed);
    REQUIRE(table.ok());
    v1::BatchHeader header;
    header.mutable_epoch()->set_number(1);
    header.set_prev(sequence);
    header.set_last(sequence += rows.size());
    header.set_encoding(v1::ENCODING_SORTED_ROWS);
    header.set_push_end(true);
    header.set_commit(4);
    header.set_rows(all.size());
    WriteSet writes;
    REQUIRE(table->ApplyBlock(header, block, &writes).ok());
    writes.Put(LogBlockKey(feed, 1, sequence), block);
    REQUIRE(store.Commit({writes}).ok());
    return block;
  }
  // The chunks of a snapshot, which hold all rows in order and nothing else.
  std::set<std::string> Snapshot() {
    Chunks chunks;
    const v1::Manifest manifest =
        Build(store, FeedOf(v1::FEED_KIND_ROWS), &chunks, v1::ENCODING_SORTED_ROWS);
    CHECK(manifest.records() == all.size());
    Rows rows;
    std::string last;
    std::set<std::string> made;
    for (const auto& [hash, chunk] : chunks) {
      v1::RowBatch batch;
      REQUIRE(UnpackBlock(chunk, &batch).ok());
      for (const v1::RowChange& change : batch.changes()) {
        CHECK(last < change.key());
        last = change.key();
        rows[change.key()] = change.row();
      }
      made.insert(chunk);
    }
    CHECK(rows == all);
    return made;
  }

  MemoryStore store;
  Rows all;
  uint64_t sequence = 10;
};

// `count` rows of 200 B that no packing makes smaller, from k`from`0 on.
Rows Noise(int from, int count) {
  Rows rows;
  for (int i = from; i < from + count; ++i) {
    std::string row;
    for (int j = 0; row.size() < 200; ++j) row += Sha256(absl::StrCat(i, "-", j));
    rows[absl::StrCat("k", 1000000 + i * 10)] = row;
  }
  return rows;
}

TEST_CASE("snapshot: blocks that stand alone are its chunks as they are") {
  BlockPushes table;
  std::vector<std::string> blocks;
  for (int i = 0; i < 6; ++i) blocks.push_back(table.Push(Noise(i * 1000, 1000)));
  CHECK(table.Snapshot() == std::set<std::string>(blocks.begin(), blocks.end()));

  // One row of the second changes, one behind the fourth is new; small blocks, each a run.
  table.Push({{"k1015000", std::string(300, 'c')}});
  table.Push({{"k1039999", std::string(300, 'n')}});
  std::set<std::string> chunks = table.Snapshot();
  CHECK(chunks.count(blocks[0]) == 1);
  CHECK(chunks.count(blocks[1]) == 0);
  CHECK(chunks.count(blocks[3]) == 1);
  CHECK(chunks.count(blocks[5]) == 1);
}

TEST_CASE("snapshot: of blocks whose ranges meet none is a chunk") {
  BlockPushes table;
  const std::string first = table.Push(Noise(0, 1000));
  const std::string second = table.Push(Noise(1000, 1000));
  const std::string third = table.Push(Noise(2000, 1000));
  const std::string fourth = table.Push(Noise(3000, 1000));
  Rows newer = Noise(500, 1000);
  for (auto& [key, row] : newer) row[0] = static_cast<char>(row[0] ^ 1);
  const std::string over = table.Push(newer);
  const std::set<std::string> chunks = table.Snapshot();
  CHECK(chunks.count(first) + chunks.count(second) + chunks.count(over) == 0);
  // What is left of them may take one block in.
  CHECK(chunks.count(third) + chunks.count(fourth) >= 1);
}

TEST_CASE("snapshot: blocks with deletes, covered ones and small ones are made anew") {
  BlockPushes table;
  const std::string covered = table.Push(Noise(0, 1000));
  Rows gone = Noise(1000, 1000);
  gone["k1010000"] = "";
  const std::string holed = table.Push(gone);
  std::vector<std::string> small;
  for (int i = 0; i < 40; ++i) small.push_back(table.Push(Noise(2000 + i * 100, 100)));
  table.Push({{"k1000000", ""}});
  const std::set<std::string> chunks = table.Snapshot();
  CHECK(chunks.count(covered) == 0);
  CHECK(chunks.count(holed) == 0);
  for (const std::string& block : small) CHECK(chunks.count(block) == 0);
  CHECK(chunks.size() < 10);
}

TEST_CASE("snapshot: rows of the largest size still make chunks that fit") {
  const v1::FeedId feed = FeedOf(v1::FEED_KIND_ROWS);
  MemoryStore origin;
  PutFeed(origin, feed);
  Push(origin, RandomRows(7, kRowBytesMax));
  Chunks chunks;
  CHECK(Build(origin, feed, &chunks).records() == 7);
}

TEST_CASE("snapshot: facts go there and come back, at the head") {
  const v1::FeedId feed = FeedOf(v1::FEED_KIND_CATALOG_OPEN);
  MemoryStore origin;
  PutFeed(origin, feed);
  v1::Records records;
  for (int i = 0; i < 2000; ++i) {
    v1::CatalogEntry entry;
    entry.set_code(absl::StrCat("1/", 10000 + i));
    entry.set_node(feed.origin());
    entry.set_abstract(std::string(1000, 'a'));
    records.add_records()->set_entry(entry.SerializeAsString());
  }
  WriteSet writes;
  CHECK(ApplyRecords(feed, NodePath(), records, &writes).refused == 0);
  REQUIRE(origin.Commit({writes}).ok());
  Chunks chunks;
  const v1::Manifest manifest = Build(origin, feed, &chunks);
  CHECK(manifest.at().sequence() == 20);
  CHECK(manifest.commit() == 5);
  CHECK(manifest.records() == 2000);
  CHECK(manifest.encoding() == v1::ENCODING_RECORDS);
  CHECK(chunks.size() > 1);
  v1::Records all;
  for (const auto& [hash, chunk] : chunks) {
    v1::Records part;
    REQUIRE(part.ParseFromString(chunk));
    all.MergeFrom(part);
  }
  MemoryStore replica;
  WriteSet copied;
  REQUIRE(ReplaceRecords(replica, feed, NodePath(), all, &copied).ok());
  REQUIRE(replica.Commit({copied}).ok());
  const auto a = origin.Scan("E", "K");
  const auto b = replica.Scan("E", "K");
  size_t same = 0;
  for (; a->Valid() && b->Valid(); a->Next(), b->Next()) {
    // The feed record is not a fact.
    if (a->key()[0] == 'F') a->Next();
    same += a->key() == b->key() && a->value() == b->value() ? 1 : 0;
  }
  CHECK(same == 2 * 2000);

  const v1::FeedId members = FeedOf(v1::FEED_KIND_MEMBERSHIP);
  PutFeed(origin, members);
  Chunks none;
  CHECK(Build(origin, members, &none).chunks_size() == 0);
}

TEST_CASE("snapshot: what has none is refused, and a chunk that cannot be kept ends it") {
  MemoryStore store;
  const auto keep = [](const std::string&, const std::string&) { return absl::OkStatus(); };
  const v1::FeedId rows = FeedOf(v1::FEED_KIND_ROWS);
  CHECK(
      DetailOf(BuildSnapshot(store, FeedKey::Of(rows), v1::ENCODING_ROWS, keep).status()).reason ==
      "feed_unknown");
  PutFeed(store, rows);
  CHECK(
      DetailOf(BuildSnapshot(store, FeedKey::Of(rows), v1::ENCODING_ROWS, keep).status()).reason ==
      "table_absent");
  const v1::FeedId acts = FeedOf(static_cast<v1::FeedKind>(19));
  PutFeed(store, acts);
  CHECK(
      DetailOf(BuildSnapshot(store, FeedKey::Of(acts), v1::ENCODING_ROWS, keep).status()).reason ==
      "feed_not_keyed");
  Push(store, RandomRows(20000, 200));
  int kept = 0;
  const auto refused = BuildSnapshot(
      store, FeedKey::Of(rows), v1::ENCODING_ROWS, [&](const std::string&, const std::string&) {
        return ++kept < 2 ? absl::OkStatus()
                          : Error(absl::StatusCode::kResourceExhausted, "disk_full", "full");
      });
  CHECK(DetailOf(refused.status()).reason == "disk_full");
  CHECK(kept == 2);
}

}  // namespace
}  // namespace guantong
