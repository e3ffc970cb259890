// The key a row has by the rules of catalog/row.h, made column by column.
#ifndef GUANTONG_TESTS_UNIT_ROW_KEYS_H_
#define GUANTONG_TESTS_UNIT_ROW_KEYS_H_

#include <string>

#include "catalog/value.h"
#include "guantong/v1/row.pb.h"

namespace guantong {

inline std::string RowKeyOf(const v1::DatasetSchema& schema, const v1::Row& row) {
  std::string key;
  for (int column = 0; column < schema.columns_size(); ++column) {
    if (!schema.columns(column).key()) continue;
    AppendKeyValue(schema.columns(column).type(),
                   column < row.values_size() ? row.values(column) : "", &key);
  }
  return key;
}

}  // namespace guantong

#endif  // GUANTONG_TESTS_UNIT_ROW_KEYS_H_
