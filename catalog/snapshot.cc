#include "catalog/snapshot.h"

#include <limits>
#include <utility>
#include <vector>

#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/facts.h"
#include "catalog/feed_kind.h"
#include "catalog/sorted_rows.h"
#include "catalog/table.h"
#include "catalog/whole_blocks.h"
#include "guantong/v1/row.pb.h"

namespace guantong {
namespace {

using KeepChunk = std::function<absl::Status(const std::string& hash, const std::string& chunk)>;

// FNV-1a with a final mix: equal on every machine and in every release, which the chunk boundaries
// rely on.
uint64_t StableHash(absl::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}

// Cuts a sequence of keyed items into chunks of kChunkBytesTarget in the mean: at least half of
// that, then an item ends its chunk by the hash of its key with a chance that grows with its size,
// at most twice the target.
class Chunker {
 public:
  Chunker(v1::Manifest* manifest, const KeepChunk& keep) : manifest_(manifest), keep_(keep) {}

  // True when the chunk is complete after this item.
  bool Ends(absl::string_view key, size_t bytes) {
    bytes_ += bytes;
    if (bytes_ < kChunkBytesTarget / 2) return false;
    if (bytes_ >= kChunkBytesTarget * 2) return true;
    return StableHash(key) / (std::numeric_limits<uint64_t>::max() / (kChunkBytesTarget / 2)) <
           bytes;
  }

  size_t bytes() const { return bytes_; }

  absl::Status Keep(const std::string& chunk) {
    bytes_ = 0;
    return keep_(Add(chunk), chunk);
  }
  void Name(const std::string& chunk, const std::string& block, std::vector<ChunkName>* names) {
    bytes_ = 0;
    names->push_back({.hash = Add(chunk), .block = block});
  }

 private:
  std::string Add(const std::string& chunk) {
    v1::ChunkRef* ref = manifest_->add_chunks();
    ref->set_hash(Sha256(chunk));
    ref->set_bytes(static_cast<uint32_t>(chunk.size()));
    return ref->hash();
  }

  v1::Manifest* manifest_;
  const KeepChunk& keep_;
  size_t bytes_ = 0;
};

// A chunk of rows in the making.
class RowsChunk {
 public:
  explicit RowsChunk(v1::Encoding encoding) : blocks_(encoding == v1::ENCODING_SORTED_ROWS) {}

  void Add(absl::string_view key, absl::string_view row) {
    ++rows_;
    if (blocks_) return block_.Add(key, row);
    v1::RowChange* change = batch_.add_changes();
    change->set_key(key.data(), key.size());
    change->set_row(row.data(), row.size());
  }
  bool empty() const { return rows_ == 0; }
  std::string Finish() {
    rows_ = 0;
    if (blocks_) return block_.Finish();
    std::string chunk = batch_.SerializeAsString();
    batch_.Clear();
    return chunk;
  }

 private:
  const bool blocks_;
  size_t rows_ = 0;
  SortedRowsBuilder block_;
  v1::RowBatch batch_;
};

// Blocks of a table that are taken for chunks; larger ones only, where there are very many.
constexpr size_t kWholeBlockBytesMin = 64 << 10;
constexpr int kSmallChunksMax = 60'000;

size_t WholeBlockMin(const v1::Manifest& manifest) {
  return manifest.chunks_size() < kSmallChunksMax ? kWholeBlockBytesMin : kChunkBytesTarget / 2;
}

absl::Status AddRows(const Reader& snapshot, const FeedKey& feed, v1::Encoding encoding,
                     BuiltSnapshot* built, const KeepChunk& keep) {
  v1::Manifest* manifest = &built->manifest;
  GT_ASSIGN_OR_RETURN(const TableReader table, TableReader::Open(snapshot, feed));
  manifest->set_schema(table.record().schema());
  manifest->set_schema_version(table.schema().version());
  manifest->set_encoding(encoding);
  Chunker chunker(manifest, keep);
  RowsChunk chunk(encoding);
  uint64_t rows = 0;
  const auto flush = [&] {
    return chunk.empty() ? absl::OkStatus() : chunker.Keep(chunk.Finish());
  };
  absl::Status kept;
  const auto add_rows = [&](absl::string_view begin, absl::string_view end) {
    const absl::Status read =
        table.Scan(begin, end, [&](absl::string_view key, absl::string_view row) {
          chunk.Add(key, row);
          ++rows;
          if (chunker.Ends(key, key.size() + row.size())) kept = flush();
          return kept.ok();
        });
    return read.ok() ? kept : read;
  };
  std::vector<WholeBlock> blocks;
  if (encoding == v1::ENCODING_SORTED_ROWS) {
    GT_ASSIGN_OR_RETURN(blocks, FindWholeBlocks(snapshot, feed, VisibleRuns(table.record())));
  }
  std::string from;
  for (const WholeBlock& block : blocks) {
    GT_ASSIGN_OR_RETURN(const std::string bytes,
                        ReadWholeBlock(snapshot, block, WholeBlockMin(*manifest)));
    if (bytes.empty()) continue;
    GT_RETURN_IF_ERROR(add_rows(from, block.first));
    // A small remainder takes the rows of the block in.
    if (!chunk.empty() && chunker.bytes() < kWholeBlockBytesMin) {
      from = block.first;
      continue;
    }
    GT_RETURN_IF_ERROR(flush());
    chunker.Name(bytes, block.key, &built->names);
    rows += block.rows;
    // The first key behind it.
    from = block.last + std::string(1, 0);
  }
  GT_RETURN_IF_ERROR(add_rows(from, ""));
  GT_RETURN_IF_ERROR(flush());
  manifest->set_records(rows);
  return absl::OkStatus();
}

absl::Status AddRecords(const Reader& snapshot, const std::string& prefix, v1::FeedKind kind,
                        v1::Manifest* manifest, const KeepChunk& keep) {
  manifest->set_encoding(v1::ENCODING_RECORDS);
  Chunker chunker(manifest, keep);
  v1::Records chunk;
  uint64_t records = 0;
  const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    const absl::string_view value = cursor->value();
    v1::Record* record = chunk.add_records();
    if (!FactFromStore(kind, value, record)) {
      return Error(absl::StatusCode::kDataLoss, "store_corrupt", "a fact cannot be read");
    }
    ++records;
    if (chunker.Ends(cursor->key().substr(prefix.size()), value.size())) {
      GT_RETURN_IF_ERROR(chunker.Keep(chunk.SerializeAsString()));
      chunk.Clear();
    }
  }
  GT_RETURN_IF_ERROR(cursor->status());
  manifest->set_records(records);
  return chunk.records_size() > 0 ? chunker.Keep(chunk.SerializeAsString()) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<BuiltSnapshot> BuildSnapshot(const Reader& snapshot, const FeedKey& feed,
                                            v1::Encoding rows_encoding, const KeepChunk& keep) {
  std::string value;
  const absl::Status got = snapshot.Get(FeedRecordKey(feed), &value);
  if (absl::IsNotFound(got)) {
    return Error(absl::StatusCode::kNotFound, "feed_unknown", "no such feed is held here");
  }
  GT_RETURN_IF_ERROR(got);
  storage::v1::FeedRecord record;
  if (!record.ParseFromString(value)) {
    return Error(absl::StatusCode::kDataLoss, "store_corrupt", "a feed record cannot be read");
  }
  BuiltSnapshot built;
  v1::Manifest& manifest = built.manifest;
  *manifest.mutable_feed() = record.feed();
  manifest.set_schema_version(record.schema_version());
  switch (record.feed().kind()) {
    case v1::FEED_KIND_ROWS:
      *manifest.mutable_at() = record.visible();
      manifest.set_commit(record.visible_commit());
      GT_RETURN_IF_ERROR(AddRows(snapshot, feed, rows_encoding, &built, keep));
      break;
    default:
      if (FindRecordKind(record.feed().kind()) == nullptr) {
        return Error(absl::StatusCode::kFailedPrecondition, "feed_not_keyed",
                     "records of this kind of feed are kept one by one and have no snapshot");
      }
      // Facts hold from the batch that brings them: the head is what the store shows.
      *manifest.mutable_at() = record.head();
      manifest.set_commit(record.commit());
      GT_RETURN_IF_ERROR(AddRecords(
          snapshot,
          record.feed().kind() == v1::FEED_KIND_MEMBERSHIP ? MemberPrefix(feed) : EntryPrefix(feed),
          record.feed().kind(), &manifest, keep));
      break;
  }
  return built;
}

}  // namespace guantong
