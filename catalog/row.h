// Rows against a schema: canonical values, keys, and messages that name the field.
#ifndef GUANTONG_CATALOG_ROW_H_
#define GUANTONG_CATALOG_ROW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/value.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/row.pb.h"

namespace guantong {

// The schema a table resource of this entry has. INVALID_ARGUMENT schema_invalid (no items, no key,
// field twice, ...).
absl::StatusOr<v1::DatasetSchema> SchemaOf(const v1::CatalogEntry& entry);

// A row as it is stored.
struct BuiltRow {
  // Order-preserving for text and composite keys: each key column's bytes with 0x00 -> 0x00 0xFF,
  // ended by 0x00 0x01. Number columns sort as numbers (sign and length first).
  std::string key;
  std::string bytes;  // serialised Row
};

// Builds rows in schema order from named values (indices into the schema by position of `fields`).
// An empty value is null in columns that are not text, and missing where a key or a required column
// has it. With `key_only` all but the key is null. The first column with something wrong decides:
// INVALID_ARGUMENT value_missing, subject = field; value_invalid; row_malformed (number of values,
// size of row or key). Trailing nulls are left out, so equal rows are equal bytes. The memory of
// `row` is used again; it is undefined after an error. One thread.
class RowBuilder {
 public:
  // INVALID_ARGUMENT field_unknown names a field the schema lacks, field_repeated one named twice;
  // key_missing when a key column is not among `fields`.
  static absl::StatusOr<RowBuilder> Create(const v1::DatasetSchema& schema,
                                           const std::vector<std::string>& fields, bool key_only);
  // `nulls`: which values are none, whatever they say; beyond the last it is not looked at.
  absl::Status Build(const std::vector<absl::string_view>& values,
                     const std::vector<uint32_t>& nulls, BuiltRow* row);

 private:
  static constexpr int kNotGiven = -1;

  struct Given {
    int field = kNotGiven;  // which value
    bool can_be_empty = false;
  };

  RowBuilder() = default;
  // A value that is not null.
  bool Has(int column, const std::vector<absl::string_view>& values) const;

  v1::DatasetSchema schema_;
  std::vector<Given> given_;  // by column
  size_t fields_ = 0;
  std::vector<bool> is_null_;  // of the row at hand, by value
  std::string value_;
};

bool IsNull(const v1::Row& row, int column);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROW_H_
