// Rows for scripts and spreadsheets, by their schema.
#ifndef GUANTONG_NODE_FORM_ROW_FORM_H_
#define GUANTONG_NODE_FORM_ROW_FORM_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "guantong/v1/data.pb.h"
#include "guantong/v1/row.pb.h"

namespace guantong {

// {field: value}: B and F are JSON numbers, L booleans, everything else text (an 18-digit id
// survives), null is null.
nlohmann::ordered_json RowJson(const v1::DatasetSchema& schema, const v1::Row& row);

// {"rows": [{field: value}], and the response's other fields}.
nlohmann::ordered_json QueryJson(const v1::QueryResponse& response);

// In column order; null has no value of its own here, see `IsNullValue`.
std::vector<std::string> RowValues(const v1::DatasetSchema& schema, const v1::Row& row);
bool IsNullValue(const v1::Row& row, int column);

// One csv record that row_file.h reads back equal: null is an empty field, empty text is "".
std::string RowCsv(const v1::DatasetSchema& schema, const v1::Row& row);

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_ROW_FORM_H_
