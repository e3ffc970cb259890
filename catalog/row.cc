#include "catalog/row.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

// Of rows with more columns the marks are allocated.
constexpr size_t kColumnsInPlace = 64;

absl::Status Invalid(absl::string_view reason, absl::string_view text,
                     absl::string_view subject = "") {
  return Error(absl::StatusCode::kInvalidArgument, reason, text, subject);
}

std::string Label(const v1::Column& column) {
  return column.name().empty() ? column.field()
                               : absl::StrCat(column.name(), " (", column.field(), ")");
}

int ColumnOf(const v1::DatasetSchema& schema, absl::string_view field) {
  for (int column = 0; column < schema.columns_size(); ++column) {
    if (schema.columns(column).field() == field) return column;
  }
  return -1;
}

}  // namespace

absl::StatusOr<v1::DatasetSchema> SchemaOf(const v1::CatalogEntry& entry) {
  const auto invalid = [&](absl::string_view text) {
    return Invalid("schema_invalid", absl::StrCat(entry.code(), " 不能作为库表：", text),
                   entry.code());
  };
  if (entry.items().empty()) return invalid("没有信息项");
  if (entry.items_size() > static_cast<int>(kColumnsMax)) {
    return invalid(absl::StrCat("信息项超过 ", kColumnsMax, " 个"));
  }
  v1::DatasetSchema schema;
  schema.set_version(entry.schema_version());
  bool key = false;
  for (const v1::DataItem& item : entry.items()) {
    if (item.field().empty()) return invalid(absl::StrCat("信息项“", item.name(), "”没有字段名"));
    if (ColumnOf(schema, item.field()) >= 0) {
      return invalid(absl::StrCat("字段 ", item.field(), " 出现两次"));
    }
    if (item.type() == v1::ITEM_TYPE_UNSPECIFIED || !v1::ItemType_IsValid(item.type())) {
      return invalid(absl::StrCat("字段 ", item.field(), " 没有数据类型"));
    }
    v1::Column* column = schema.add_columns();
    column->set_field(item.field());
    column->set_name(item.name());
    column->set_type(item.type());
    column->set_length(item.length());
    column->set_scale(item.scale());
    column->set_key(item.key());
    column->set_nullable(!item.required() && !item.key());
    key |= item.key();
  }
  if (!key) return invalid("没有主键");
  return schema;
}

std::string EncodeRowKey(const v1::DatasetSchema& schema, const v1::Row& row) {
  std::string key;
  for (int column = 0; column < schema.columns_size(); ++column) {
    if (!schema.columns(column).key()) continue;
    AppendKeyValue(schema.columns(column).type(),
                   column < row.values_size() ? row.values(column) : "", &key);
  }
  return key;
}

absl::StatusOr<RowBuilder> RowBuilder::Create(const v1::DatasetSchema& schema,
                                              const std::vector<std::string>& fields,
                                              bool key_only) {
  RowBuilder builder;
  builder.schema_ = schema;
  builder.key_only_ = key_only;
  std::vector<bool> given(schema.columns_size(), false);
  for (const std::string& field : fields) {
    const int column = ColumnOf(schema, field);
    if (column < 0) {
      return Invalid("field_unknown", absl::StrCat("没有名为 ", field, " 的信息项"), field);
    }
    if (given[column]) {
      return Invalid("field_repeated", absl::StrCat("字段 ", field, " 出现两次"), field);
    }
    given[column] = true;
    builder.column_of_field_.push_back(column);
  }
  for (int column = 0; column < schema.columns_size(); ++column) {
    if (schema.columns(column).key() && !given[column]) {
      return Invalid("key_missing", absl::StrCat("缺少主键列 ", Label(schema.columns(column))),
                     schema.columns(column).field());
    }
  }
  return builder;
}

absl::Status RowBuilder::Build(const std::vector<absl::string_view>& values,
                               const std::vector<bool>& nulls, v1::Row* row) const {
  if (values.size() != column_of_field_.size() || nulls.size() != values.size()) {
    return Invalid("row_malformed", absl::StrCat("这一行有 ", values.size(), " 个值，应有 ",
                                                 column_of_field_.size(), " 个"));
  }
  absl::InlinedVector<bool, kColumnsInPlace> present(schema_.columns_size(), false);
  int columns = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const v1::Column& column = schema_.columns(column_of_field_[i]);
    if (key_only_ && !column.key()) continue;
    const bool can_be_empty = IsTextType(column.type()) && column.nullable() && !column.key();
    if (nulls[i] || (values[i].empty() && !can_be_empty)) continue;
    present[column_of_field_[i]] = true;
    columns = std::max(columns, column_of_field_[i] + 1);
  }
  row->Clear();
  while (row->values_size() < columns) row->add_values();
  size_t bytes = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const int column = column_of_field_[i];
    if (!present[column]) continue;
    GT_ASSIGN_OR_RETURN(*row->mutable_values(column),
                        CanonicalValue(schema_.columns(column), values[i]));
    bytes += row->values(column).size() + 8;
  }
  for (int i = 0; i < schema_.columns_size(); ++i) {
    const v1::Column& column = schema_.columns(i);
    if (present[i]) continue;
    if (column.key() || (!column.nullable() && !key_only_)) {
      return Invalid("value_missing", absl::StrCat(Label(column), " 不能为空"), column.field());
    }
    if (i < columns) row->add_nulls(i);
  }
  if (bytes > kRowBytesMax) {
    return Invalid("row_malformed", absl::StrCat("这一行超过 ", kRowBytesMax, " 字节"));
  }
  if (bytes > kRowKeyBytesMax / 4 && EncodeRowKey(schema_, *row).size() > kRowKeyBytesMax) {
    return Invalid("row_malformed", absl::StrCat("主键超过 ", kRowKeyBytesMax, " 字节"));
  }
  return absl::OkStatus();
}

bool IsNull(const v1::Row& row, int column) {
  if (column >= row.values_size()) return true;
  return std::find(row.nulls().begin(), row.nulls().end(), static_cast<uint32_t>(column)) !=
         row.nulls().end();
}

}  // namespace guantong
