#include "catalog/row.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

absl::Status Invalid(absl::string_view reason, absl::string_view text,
                     absl::string_view subject = "") {
  return Error(absl::StatusCode::kInvalidArgument, reason, text, subject);
}

std::string Label(const v1::Column& column) {
  return column.name().empty() ? column.field()
                               : absl::StrCat(column.name(), " (", column.field(), ")");
}

void AppendVarint(uint32_t number, std::string* out) {
  uint8_t bytes[8];
  const uint8_t* end = google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(number, bytes);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

void AppendLengthDelimited(int field, absl::string_view bytes, std::string* out) {
  using Wire = google::protobuf::internal::WireFormatLite;
  using google::protobuf::io::CodedOutputStream;
  uint8_t head[16];
  uint8_t* end = CodedOutputStream::WriteTagToArray(
      Wire::MakeTag(field, Wire::WIRETYPE_LENGTH_DELIMITED), head);
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(bytes.size()), end);
  out->append(reinterpret_cast<const char*>(head), static_cast<size_t>(end - head));
  out->append(bytes.data(), bytes.size());
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

absl::StatusOr<RowBuilder> RowBuilder::Create(const v1::DatasetSchema& schema,
                                              const std::vector<std::string>& fields,
                                              bool key_only) {
  RowBuilder builder;
  builder.schema_ = schema;
  builder.fields_ = fields.size();
  builder.given_.resize(static_cast<size_t>(schema.columns_size()));
  for (size_t field = 0; field < fields.size(); ++field) {
    const int column = ColumnOf(schema, fields[field]);
    if (column < 0) {
      return Invalid("field_unknown", absl::StrCat("没有名为 ", fields[field], " 的信息项"),
                     fields[field]);
    }
    Given& given = builder.given_[static_cast<size_t>(column)];
    if (given.field != kNotGiven) {
      return Invalid("field_repeated", absl::StrCat("字段 ", fields[field], " 出现两次"),
                     fields[field]);
    }
    given.field = static_cast<int>(field);
  }
  for (int i = 0; i < schema.columns_size(); ++i) {
    v1::Column& column = *builder.schema_.mutable_columns(i);
    Given& given = builder.given_[static_cast<size_t>(i)];
    if (column.key() && given.field == kNotGiven) {
      return Invalid("key_missing", absl::StrCat("缺少主键列 ", Label(column)), column.field());
    }
    given.can_be_empty = IsTextType(column.type()) && column.nullable() && !column.key();
    if (key_only && !column.key()) {
      given.field = kNotGiven;
      column.set_nullable(true);
    }
  }
  return builder;
}

bool RowBuilder::Has(int column, const std::vector<absl::string_view>& values) const {
  const Given& given = given_[static_cast<size_t>(column)];
  if (given.field == kNotGiven) return false;
  const size_t field = static_cast<size_t>(given.field);
  return !is_null_[field] && (given.can_be_empty || !values[field].empty());
}

absl::Status RowBuilder::Build(const std::vector<absl::string_view>& values,
                               const std::vector<uint32_t>& nulls, BuiltRow* row) {
  if (values.size() != fields_) {
    return Invalid("row_malformed",
                   absl::StrCat("这一行有 ", values.size(), " 个值，应有 ", fields_, " 个"));
  }
  is_null_.assign(values.size(), false);
  for (uint32_t null : nulls) {
    if (null < values.size()) is_null_[null] = true;
  }
  row->key.clear();
  row->bytes.clear();
  std::string absent;  // the nulls in front of a value, as Row packs them
  size_t bytes = 0;
  int columns = schema_.columns_size();
  while (columns > 0 && !Has(columns - 1, values)) --columns;
  for (int i = 0; i < schema_.columns_size(); ++i) {
    const v1::Column& column = schema_.columns(i);
    if (!Has(i, values)) {
      if (column.key() || !column.nullable()) {
        return Invalid("value_missing", absl::StrCat(Label(column), " 不能为空"), column.field());
      }
      if (i >= columns) continue;
      AppendLengthDelimited(v1::Row::kValuesFieldNumber, "", &row->bytes);
      AppendVarint(static_cast<uint32_t>(i), &absent);
      continue;
    }
    value_.clear();
    GT_RETURN_IF_ERROR(AppendCanonicalValue(
        column, values[static_cast<size_t>(given_[static_cast<size_t>(i)].field)], &value_));
    AppendLengthDelimited(v1::Row::kValuesFieldNumber, value_, &row->bytes);
    if (column.key()) AppendKeyValue(column.type(), value_, &row->key);
    bytes += value_.size() + 8;
  }
  if (!absent.empty()) AppendLengthDelimited(v1::Row::kNullsFieldNumber, absent, &row->bytes);
  if (bytes > kRowBytesMax) {
    return Invalid("row_malformed", absl::StrCat("这一行超过 ", kRowBytesMax, " 字节"));
  }
  if (row->key.size() > kRowKeyBytesMax) {
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
