#include "node/superseded.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/batch.h"
#include "catalog/keys.h"
#include "catalog/sorted_rows.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/limits.h"

namespace guantong {

namespace {

// The feed's own bytes name it; the operator names the resource, with or without the id.
bool Asked(const v1::FeedId& feed, absl::string_view resource) {
  return resource.empty() || feed.resource() == resource ||
         absl::StartsWith(feed.resource(), absl::StrCat(resource, ":"));
}

v1::DatasetSchema SchemaAt(const Reader& store, const FeedKey& feed) {
  std::string bytes;
  storage::v1::TableRecord table;
  v1::DatasetSchema schema;
  if (store.Get(TableKey(feed), &bytes).ok() && table.ParseFromString(bytes))
    schema.ParseFromString(table.schema());
  return schema;
}

std::string KeyText(const v1::DatasetSchema& schema, const v1::RowChange& change) {
  v1::Row row;
  std::vector<std::string> values;
  if (change.has_row() && row.ParseFromString(change.row())) {
    for (int i = 0; i < schema.columns_size() && i < row.values_size(); ++i) {
      if (schema.columns(i).key()) values.push_back(row.values(i));
    }
  }
  // A delete has only the encoded key; a node without the table knows no columns.
  return values.empty() ? absl::Utf8SafeCHexEscape(change.key()) : absl::StrJoin(values, "\t");
}

void AddRows(const v1::DatasetSchema& schema, const std::string& payload,
             const v1::SupersededRecord& like, v1::SupersededResponse* response) {
  v1::RowBatch rows;
  if (!rows.ParseFromString(payload)) return;
  for (const v1::RowChange& change : rows.changes()) {
    v1::SupersededRecord* record = response->add_records();
    *record = like;
    record->set_operation(change.has_row() ? "upsert" : "delete");
    record->set_key(KeyText(schema, change));
  }
}

void AddFacts(const std::string& payload, const v1::SupersededRecord& like,
              v1::SupersededResponse* response) {
  v1::Records records;
  if (!records.ParseFromString(payload)) return;
  for (const v1::Record& fact : records.records()) {
    v1::SupersededRecord* record = response->add_records();
    *record = like;
    v1::CatalogEntry entry;
    if (fact.has_entry() && entry.ParseFromString(fact.entry())) {
      record->set_operation("entry");
      record->set_key(entry.code());
    } else if (fact.has_member()) {
      record->set_operation("member");
      record->set_key(fact.member().path());
    } else if (fact.has_epoch_opened()) {
      record->set_operation("epoch_opened");
    } else if (fact.has_feed_closed()) {
      record->set_operation("feed_closed");
    } else {
      record->set_operation("other");
    }
  }
}

}  // namespace

absl::StatusOr<v1::SupersededResponse> ListSuperseded(const Reader& store,
                                                      absl::string_view resource) {
  v1::SupersededResponse response;
  const std::string prefix = KindPrefix('W');
  auto cursor = store.Scan(prefix, PrefixEnd(prefix));
  FeedKey schema_of;
  v1::DatasetSchema schema;
  for (; cursor->Valid(); cursor->Next()) {
    v1::SignedBatch batch;
    if (!batch.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()))) {
      return Error(absl::StatusCode::kDataLoss, "store_corrupt",
                   "a superseded batch does not parse", HexOf(cursor->key()),
                   "run `guantong verify`");
    }
    GT_ASSIGN_OR_RETURN(const ParsedBatch parsed, ParseBatch(batch));
    const v1::BatchHeader& header = parsed.header;
    if (!Asked(header.feed(), resource)) continue;
    if (response.records_size() >= kSupersededListedMax) {
      response.set_more(true);
      break;
    }
    GT_ASSIGN_OR_RETURN(std::string payload, DecodePayload(header.compression(), batch.payload()));
    if (header.encoding() == v1::ENCODING_SORTED_ROWS) {
      v1::RowBatch rows;
      GT_RETURN_IF_ERROR(UnpackBlock(payload, &rows));
      payload = rows.SerializeAsString();
    }
    v1::SupersededRecord like;
    *like.mutable_feed() = header.feed();
    like.set_epoch(header.epoch().number());
    like.set_sequence(header.last());
    *like.mutable_signed_at() = header.signed_at();
    like.set_author(header.author());
    if (header.encoding() != v1::ENCODING_RECORDS) {
      if (!(schema_of == parsed.key)) {
        schema_of = parsed.key;
        schema = SchemaAt(store, parsed.key);
      }
      AddRows(schema, payload, like, &response);
    } else {
      AddFacts(payload, like, &response);
    }
  }
  GT_RETURN_IF_ERROR(cursor->status());
  return response;
}

}  // namespace guantong
