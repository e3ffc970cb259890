// The where-expression of a query: field OP literal [and ...]; OP: = != < <= > >= ^= (prefix); literal: number, 'text', "text".
// Compared by the column's type: numbers as numbers, dates and text as text, `null` with = and !=.
#ifndef GUANTONG_CATALOG_FILTER_H_
#define GUANTONG_CATALOG_FILTER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/row.pb.h"

namespace guantong {

class Filter {
 public:
  // INVALID_ARGUMENT where_invalid: names the place in `text` and what was expected; field_unknown.
  static absl::StatusOr<Filter> Parse(absl::string_view text, const v1::DatasetSchema& schema);

  bool Matches(const v1::Row& row) const;

  // The key range that holds all matches (begin inclusive, end exclusive, empty end: to the end), so that equality
  // or prefix on leading key columns costs what it returns.
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
    std::string literal;   // canonical
    bool null = false;
  };
  v1::DatasetSchema schema_;
  std::vector<Term> terms_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_FILTER_H_
