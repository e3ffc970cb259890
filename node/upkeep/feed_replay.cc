#include "node/upkeep/feed_replay.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/node_path.h"
#include "catalog/base/status.h"
#include "catalog/facts.h"
#include "catalog/logged.h"
#include "catalog/table.h"
#include "node/limits.h"

namespace guantong {
namespace {

absl::Status Failed(absl::string_view text) {
  return Error(absl::StatusCode::kDataLoss, "replay_failed", text);
}

bool Continues(const v1::Position& at, const v1::BatchHeader& header) {
  if (header.prev_hash() != at.chain_hash()) return false;
  const bool same =
      header.epoch().number() == at.epoch().number() && header.epoch().id() == at.epoch().id();
  return same ? header.prev() == at.sequence()
              : header.epoch().number() > at.epoch().number() && header.prev() == 0;
}

absl::Status CommitPart(Store* store, WriteSet* writes, size_t bytes_min) {
  if (writes->empty() || writes->bytes() < bytes_min) return absl::OkStatus();
  const WriteSet part = std::exchange(*writes, WriteSet());
  return store->Commit({&part, 1});
}

absl::Status ReplayRows(Store* store, const FeedKey& feed) {
  WriteSet writes;
  RemoveTable(feed, {}, &writes);
  GT_RETURN_IF_ERROR(CommitPart(store, &writes, 0));
  TableWriter table(feed, storage::v1::TableRecord());
  uint64_t epoch = 0;
  const absl::Status walked =
      WalkLog(*store, feed, [&](const ParsedBatch& parsed, const v1::SignedBatch& batch) {
        const v1::BatchHeader& header = parsed.header;
        if (header.epoch().number() != epoch) table.AbandonOpenPush({}, &writes);
        epoch = header.epoch().number();
        if (header.encoding() == v1::ENCODING_SORTED_ROWS) {
          GT_RETURN_IF_ERROR(table.ApplyBlock(header, batch.payload(), &writes));
          writes.Put(LogBlockKey(feed, header.epoch().number(), header.last()), batch.payload());
          return CommitPart(store, &writes, kStageGroupBytes);
        }
        if (header.encoding() != v1::ENCODING_ROWS) return absl::OkStatus();
        GT_ASSIGN_OR_RETURN(const std::string payload,
                            DecodePayload(header.compression(), batch.payload()));
        v1::RowBatch rows;
        if (!rows.ParseFromString(payload)) return Failed("rows do not parse");
        GT_RETURN_IF_ERROR(table.Apply(header, rows, &writes));
        return CommitPart(store, &writes, kStageGroupBytes);
      });
  GT_RETURN_IF_ERROR(walked);
  return CommitPart(store, &writes, 0);
}

absl::Status ReplayFacts(Store* store, const storage::v1::FeedRecord& record, const FeedKey& feed) {
  v1::Records all;
  const absl::Status walked =
      WalkLog(*store, feed, [&](const ParsedBatch& parsed, const v1::SignedBatch& batch) {
        GT_ASSIGN_OR_RETURN(const std::string payload,
                            DecodePayload(parsed.header.compression(), batch.payload()));
        v1::Records records;
        if (!records.ParseFromString(payload)) return Failed("records do not parse");
        all.MergeFrom(records);
        return absl::OkStatus();
      });
  GT_RETURN_IF_ERROR(walked);
  GT_ASSIGN_OR_RETURN(const NodePath origin, NodePath::Parse(record.origin_path()));
  WriteSet writes;
  GT_RETURN_IF_ERROR(ReplaceRecords(*store, record.feed(), origin, all, &writes).status());
  return CommitPart(store, &writes, 0);
}

}  // namespace

absl::Status WalkLog(const Reader& store, const FeedKey& feed, const OnBatch& on_batch) {
  auto cursor = store.Scan(LogPrefix(feed), PrefixEnd(LogPrefix(feed)));
  for (; cursor->Valid(); cursor->Next()) {
    const absl::StatusOr<v1::SignedBatch> batch = ReadLogged(store, feed, cursor->value());
    if (!batch.ok()) continue;
    const absl::StatusOr<ParsedBatch> parsed = ParseBatch(*batch);
    if (!parsed.ok() || !(parsed->key == feed)) continue;
    GT_RETURN_IF_ERROR(on_batch(*parsed, *batch));
  }
  return cursor->status();
}

absl::StatusOr<LogExtent> MeasureLog(const Reader& store, const FeedKey& feed,
                                     const storage::v1::FeedRecord& record) {
  LogExtent extent;
  extent.from = record.log_from();
  v1::Position at = record.log_from();
  if (at.chain_hash().empty()) at.set_chain_hash(ZeroDigest());
  const auto cut_at = [&](const v1::Position& position) {
    if (!extent.cut) extent.gone_from = at.sequence() + 1;
    extent.cut = true;
    extent.gone_to = position.sequence();
    extent.from = position;
    extent.bytes = extent.batches = 0;
  };
  const absl::Status walked =
      WalkLog(store, feed, [&](const ParsedBatch& parsed, const v1::SignedBatch& batch) {
        const v1::BatchHeader& header = parsed.header;
        const v1::Position position = PositionOf(header, parsed.chain_hash);
        std::string chain;
        const bool signer_known = store.Get(ChainKey(header.signer_chain()), &chain).ok();
        if (!Continues(at, header) || !signer_known) {
          // Before the first batch of an epoch stands a position this batch does not tell; without
          // its signer it is of no use.
          const bool usable = signer_known && header.prev() > 0;
          v1::Position before;
          *before.mutable_epoch() = header.epoch();
          before.set_sequence(header.prev());
          before.set_chain_hash(header.prev_hash());
          cut_at(usable ? before : position);
          at = position;
          if (!usable) return absl::OkStatus();
        }
        at = position;
        extent.bytes += batch.payload().size() + batch.header().size();
        ++extent.batches;
        return absl::OkStatus();
      });
  GT_RETURN_IF_ERROR(walked);
  if (record.head().epoch().number() > 0 && !SamePosition(at, record.head())) cut_at(record.head());
  return extent;
}

absl::Status ReplayLog(Store* store, const FeedKey& feed, const storage::v1::FeedRecord& record) {
  if (record.feed().kind() != v1::FEED_KIND_ROWS) return ReplayFacts(store, record, feed);
  return ReplayRows(store, feed);
}

absl::Status RecordFromLog(const Reader& store, const FeedKey& feed,
                           storage::v1::FeedRecord* record) {
  v1::Position at;
  at.set_chain_hash(ZeroDigest());
  return WalkLog(store, feed, [&](const ParsedBatch& parsed, const v1::SignedBatch& batch) {
    const v1::BatchHeader& header = parsed.header;
    if (!record->has_feed() || !Continues(at, header)) {
      *record->mutable_feed() = header.feed();
      record->set_log_bytes(0);
      record->set_log_batches(0);
      v1::Position* from = record->mutable_log_from();
      from->Clear();
      from->set_chain_hash(header.prev_hash());
      if (header.prev() > 0) {
        *from->mutable_epoch() = header.epoch();
        from->set_sequence(header.prev());
      }
    }
    at = PositionOf(header, parsed.chain_hash);
    *record->mutable_head() = at;
    record->set_commit(header.commit());
    if (header.push_end()) {
      record->set_visible_commit(header.commit());
      *record->mutable_visible() = at;
    }
    record->set_log_bytes(record->log_bytes() + batch.payload().size() + batch.header().size());
    record->set_log_batches(record->log_batches() + 1);
    *record->mutable_last_signed_at() = header.signed_at();
    *record->mutable_received_at() = header.signed_at();
    record->set_signer_chain(header.signer_chain());
    if (header.schema_version() > 0) record->set_schema_version(header.schema_version());
    return absl::OkStatus();
  });
}

}  // namespace guantong
