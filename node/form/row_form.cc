#include "node/form/row_form.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "node/form/csv_field.h"
#include "node/form/json_form.h"

namespace guantong {
namespace {

nlohmann::ordered_json ValueJson(v1::ItemType type, const std::string& value) {
  double number;
  switch (type) {
    case v1::ITEM_TYPE_B:
    case v1::ITEM_TYPE_F:
      if (absl::SimpleAtod(value, &number) && std::isfinite(number)) return number;
      return value;
    case v1::ITEM_TYPE_L:
      if (value == "true") return true;
      if (value == "false") return false;
      return value;
    default:
      return value;
  }
}

}  // namespace

bool IsNullValue(const v1::Row& row, int column) {
  return column >= row.values_size() ||
         std::find(row.nulls().begin(), row.nulls().end(), static_cast<uint32_t>(column)) !=
             row.nulls().end();
}

nlohmann::ordered_json RowJson(const v1::DatasetSchema& schema, const v1::Row& row) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (int i = 0; i < schema.columns_size(); ++i) {
    const v1::Column& column = schema.columns(i);
    json[column.field()] = IsNullValue(row, i) ? nullptr : ValueJson(column.type(), row.values(i));
  }
  return json;
}

nlohmann::ordered_json QueryJson(const v1::QueryResponse& response) {
  v1::QueryResponse around = response;
  around.clear_rows();
  nlohmann::ordered_json fields = ToJson(around);
  nlohmann::ordered_json json = {{"rows", nlohmann::ordered_json::array()}};
  for (const v1::Row& row : response.rows()) {
    json["rows"].push_back(RowJson(response.schema(), row));
  }
  for (const char* first : {"next_page_token", "hops"}) json[first] = std::move(fields[first]);
  for (auto& [key, value] : fields.items()) {
    if (!json.contains(key)) json[key] = std::move(value);
  }
  return json;
}

std::vector<std::string> RowValues(const v1::DatasetSchema& schema, const v1::Row& row) {
  std::vector<std::string> values;
  for (int i = 0; i < schema.columns_size(); ++i) {
    values.push_back(IsNullValue(row, i) ? "" : row.values(i));
  }
  return values;
}

std::string RowCsv(const v1::DatasetSchema& schema, const v1::Row& row) {
  std::string record;
  for (int i = 0; i < schema.columns_size(); ++i) {
    absl::StrAppend(&record, i == 0 ? "" : ",");
    if (IsNullValue(row, i)) continue;
    absl::StrAppend(&record, row.values(i).empty() ? "\"\"" : CsvField(row.values(i)));
  }
  return record + "\n";
}

}  // namespace guantong
