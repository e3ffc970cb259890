// The where-expression of a query: field OP literal [and ...]; OP: = != < <= > >= ^= (prefix);
// literal: number, 'text', "text". Compared by the column's type: numbers as numbers, times as
// instants, dates and text as text, `null` with = and !=. A null value matches `= null` and nothing
// else. Text takes numbers without quotes, too; a quote inside quotes is doubled. `and` and `null`
// in either case; a field by its column name or its Chinese item name. ^= for text, dates and
// times.
#ifndef GUANTONG_CATALOG_FILTER_H_
#define GUANTONG_CATALOG_FILTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/row.pb.h"

namespace guantong {

class Filter {
 public:
  // INVALID_ARGUMENT where_invalid: names the place in `text` (characters, from 1) and what was
  // expected; field_unknown. Empty text matches everything.
  static absl::StatusOr<Filter> Parse(absl::string_view text, const v1::DatasetSchema& schema);

  bool Matches(const v1::Row& row) const;

  // The key range that holds all matches (begin inclusive, end exclusive, empty end: to the end),
  // so that equality or prefix on leading key columns costs what it returns.
  struct Range {
    std::string begin;
    std::string end;
  };
  Range KeyRange() const;

 private:
  enum class Op { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kPrefix };
  struct Term {
    int column;
    Op op;
    std::string literal;  // canonical, but for kPrefix
    bool null = false;
  };
  class Parser;

  bool Narrow(int column, Range* range) const;
  v1::DatasetSchema schema_;
  std::vector<Term> terms_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_FILTER_H_
