// Rows against a schema: canonical values, keys, and messages that name the field.
#ifndef GUANTONG_CATALOG_ROW_H_
#define GUANTONG_CATALOG_ROW_H_

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

// Order-preserving for text and composite keys: each key column's bytes with 0x00 -> 0x00 0xFF,
// ended by 0x00 0x01. Number columns sort as numbers (sign and length first).
std::string EncodeRowKey(const v1::DatasetSchema& schema, const v1::Row& row);

// Builds a Row in schema order from named values (indices into the schema by position of `fields`).
// An empty value is null in columns that are not text, and missing where a key or a required column
// has it. With `key_only` all but the key is null. Missing key or required value: INVALID_ARGUMENT
// value_missing, subject = field; value_invalid; row_malformed (number of values, size). Trailing
// nulls are left out, so equal rows are equal bytes. The memory of `row` is used again; it is
// undefined after an error.
class RowBuilder {
 public:
  // INVALID_ARGUMENT field_unknown names a field the schema lacks, field_repeated one named twice;
  // key_missing when a key column is not among `fields`.
  static absl::StatusOr<RowBuilder> Create(const v1::DatasetSchema& schema,
                                           const std::vector<std::string>& fields, bool key_only);
  absl::Status Build(const std::vector<absl::string_view>& values, const std::vector<bool>& nulls,
                     v1::Row* row) const;

 private:
  RowBuilder() = default;
  v1::DatasetSchema schema_;
  std::vector<int> column_of_field_;
  bool key_only_ = false;
};

bool IsNull(const v1::Row& row, int column);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROW_H_
