// Batches of a made-up dataset, and what a reader sees of its table.
#ifndef GUANTONG_TESTS_UNIT_ROW_BATCHES_H_
#define GUANTONG_TESTS_UNIT_ROW_BATCHES_H_

#include <map>
#include <optional>
#include <string>

#include "catalog/sorted_rows.h"
#include "catalog/table.h"
#include "tests/catch.h"

namespace guantong {

using Rows = std::map<std::string, std::string>;
// Without a value: a delete.
using Changes = std::map<std::string, std::optional<std::string>>;

inline const FeedKey kFeed = FeedKey::FromBytes("feedfeedfeedfeed");

inline std::string SchemaBytes(uint32_t version) {
  v1::DatasetSchema schema;
  schema.set_version(version);
  v1::Column* column = schema.add_columns();
  column->set_field("id");
  column->set_key(true);
  column->set_type(v1::ITEM_TYPE_C);
  return schema.SerializeAsString();
}

inline v1::RowBatch BatchOf(const Changes& changes) {
  v1::RowBatch batch;
  for (const auto& [key, row] : changes) {
    v1::RowChange* change = batch.add_changes();
    change->set_key(key);
    if (row) change->set_row(*row);
  }
  return batch;
}

inline std::string BlockOf(const Changes& changes) {
  SortedRowsBuilder block;
  for (const auto& [key, row] : changes) block.Add(key, row.value_or(""));
  return block.Finish();
}

inline v1::BatchHeader HeaderOf(uint64_t commit, uint64_t rows, bool push_end) {
  v1::BatchHeader header;
  header.set_encoding(v1::ENCODING_ROWS);
  header.set_sealing(v1::SEALING_NONE);
  header.set_commit(commit);
  header.set_push_end(push_end);
  header.mutable_signed_at()->set_seconds(1000 + static_cast<int64_t>(commit));
  if (push_end) header.set_rows(rows);
  return header;
}

inline v1::Manifest ManifestOf(uint64_t commit, uint64_t records) {
  v1::Manifest manifest;
  manifest.set_commit(commit);
  manifest.set_records(records);
  manifest.set_schema(SchemaBytes(9));
  manifest.mutable_signed_at()->set_seconds(5000);
  return manifest;
}

inline void Enact(const Changes& changes, Rows* rows) {
  for (const auto& [key, row] : changes) {
    if (row) {
      (*rows)[key] = *row;
    } else {
      rows->erase(key);
    }
  }
}

inline Rows RowsOf(const Reader& store, const std::string& begin = "",
                   const std::string& end = "") {
  const auto table = TableReader::Open(store, kFeed);
  REQUIRE(table.ok());
  Rows rows;
  REQUIRE(table
              ->Scan(begin, end,
                     [&](absl::string_view key, absl::string_view row) {
                       CHECK((rows.empty() || rows.rbegin()->first < std::string(key)));
                       rows.emplace(std::string(key), std::string(row));
                       return true;
                     })
              .ok());
  return rows;
}

}  // namespace guantong

#endif  // GUANTONG_TESTS_UNIT_ROW_BATCHES_H_
