#include "catalog/filter.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/decimal.h"
#include "catalog/keys.h"
#include "catalog/row.h"

namespace guantong {

// Reads terms from left to right; `rest_` is what has not been read.
class Filter::Parser {
 public:
  Parser(absl::string_view text, const v1::DatasetSchema& schema)
      : text_(text), rest_(text), schema_(schema) {}

  absl::StatusOr<std::vector<Term>> Terms() {
    std::vector<Term> terms;
    SkipSpace();
    if (rest_.empty()) return terms;
    while (true) {
      GT_ASSIGN_OR_RETURN(Term term, OneTerm());
      terms.push_back(std::move(term));
      SkipSpace();
      if (rest_.empty()) return terms;
      const absl::string_view at = rest_;
      if (!absl::EqualsIgnoreCase(Word(), "and")) return Expected(at, "and");
    }
  }

 private:
  absl::StatusOr<Term> OneTerm() {
    Term term;
    SkipSpace();
    GT_ASSIGN_OR_RETURN(term.column, Field());
    const v1::Column& column = schema_.columns(term.column);
    SkipSpace();
    const absl::string_view op_at = rest_;
    if (!TakeOp(&term.op)) return Expected(op_at, "= != < <= > >= ^=");
    const bool text = IsTextType(column.type());
    if (term.op == Op::kPrefix && !text && column.type() != v1::ITEM_TYPE_D &&
        column.type() != v1::ITEM_TYPE_T) {
      return Expected(op_at, absl::StrCat("^= 以外的比较：", column.field(), " 不是文本"));
    }
    SkipSpace();
    const absl::string_view literal_at = rest_;
    bool quoted = false;
    std::string literal;
    GT_RETURN_IF_ERROR(Literal(&literal, &quoted));
    if (!quoted && absl::EqualsIgnoreCase(literal, "null")) {
      if (term.op != Op::kEqual && term.op != Op::kNotEqual) return Expected(op_at, "= 或 !=");
      term.null = true;
      return term;
    }
    if (text && !quoted && !ParseDecimal(literal)) {
      return Expected(literal_at, "数字或引号中的文本");
    }
    if (term.op == Op::kPrefix) {
      term.literal = std::move(literal);
      return term;
    }
    // A literal may be longer than what the column holds: it just matches nothing, or everything.
    v1::Column unlimited = column;
    unlimited.clear_length();
    unlimited.clear_scale();
    absl::StatusOr<std::string> canonical = CanonicalValue(unlimited, literal);
    if (!canonical.ok()) return Expected(literal_at, canonical.status().message());
    term.literal = *std::move(canonical);
    return term;
  }

  absl::StatusOr<int> Field() {
    const absl::string_view at = rest_;
    const absl::string_view word = Word();
    if (word.empty()) return Expected(at, "信息项的字段名");
    for (int column = 0; column < schema_.columns_size(); ++column) {
      if (schema_.columns(column).field() == word || schema_.columns(column).name() == word) {
        return column;
      }
    }
    return Error(absl::StatusCode::kInvalidArgument, "field_unknown",
                 absl::StrCat("没有名为 ", word, " 的信息项"), word);
  }

  bool TakeOp(Op* op) {
    // The longer ones first.
    static constexpr std::pair<absl::string_view, Op> kOps[] = {
        {"!=", Op::kNotEqual}, {"<=", Op::kLessEqual}, {">=", Op::kGreaterEqual},
        {"^=", Op::kPrefix},   {"=", Op::kEqual},      {"<", Op::kLess},
        {">", Op::kGreater}};
    for (const auto& [text, value] : kOps) {
      if (absl::ConsumePrefix(&rest_, text)) {
        *op = value;
        return true;
      }
    }
    return false;
  }

  absl::Status Literal(std::string* literal, bool* quoted) {
    const absl::string_view at = rest_;
    *quoted = !rest_.empty() && (rest_[0] == '\'' || rest_[0] == '"');
    if (!*quoted) {
      const absl::string_view word = Word();
      if (word.empty()) return Expected(at, "数字、'文本' 或 null");
      literal->assign(word.data(), word.size());
      return absl::OkStatus();
    }
    const char quote = rest_[0];
    rest_.remove_prefix(1);
    while (true) {
      const size_t end = rest_.find(quote);
      if (end == absl::string_view::npos) {
        return Expected(at, absl::StrCat("结尾的引号 ", absl::string_view(&quote, 1)));
      }
      absl::StrAppend(literal, rest_.substr(0, end));
      rest_.remove_prefix(end + 1);
      if (rest_.empty() || rest_[0] != quote) return absl::OkStatus();
      literal->push_back(quote);
      rest_.remove_prefix(1);
    }
  }

  // Up to a space, a quote or an operator.
  absl::string_view Word() {
    const size_t end = std::min(rest_.find_first_of(" \t\r\n'\"=!<>^"), rest_.size());
    const absl::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }

  void SkipSpace() { rest_ = absl::StripLeadingAsciiWhitespace(rest_); }

  absl::Status Expected(absl::string_view at, absl::string_view what) const {
    const size_t offset = at.data() - text_.data();
    size_t place = 1;
    for (size_t i = 0; i < offset; ++i) place += U8_IS_TRAIL(text_[i]) ? 0 : 1;
    return Error(absl::StatusCode::kInvalidArgument, "where_invalid",
                 absl::StrCat("查询条件第 ", place, " 个字符处应为 ", what), text_);
  }

  const absl::string_view text_;
  absl::string_view rest_;
  const v1::DatasetSchema& schema_;
};

absl::StatusOr<Filter> Filter::Parse(absl::string_view text, const v1::DatasetSchema& schema) {
  if (text.size() > kWhereBytesMax) {
    return Error(absl::StatusCode::kInvalidArgument, "where_invalid",
                 absl::StrCat("查询条件超过 ", kWhereBytesMax, " 字节"));
  }
  Filter filter;
  filter.schema_ = schema;
  GT_ASSIGN_OR_RETURN(filter.terms_, Parser(text, schema).Terms());
  return filter;
}

bool Filter::Matches(const v1::Row& row) const {
  for (const Term& term : terms_) {
    const bool null = IsNull(row, term.column);
    if (term.null) {
      if (null != (term.op == Op::kEqual)) return false;
      continue;
    }
    if (null) return false;
    const std::string& value = row.values(term.column);
    if (term.op == Op::kPrefix) {
      if (!absl::StartsWith(value, term.literal)) return false;
      continue;
    }
    const int order = CompareValues(schema_.columns(term.column).type(), value, term.literal);
    const bool holds = term.op == Op::kEqual       ? order == 0
                       : term.op == Op::kNotEqual  ? order != 0
                       : term.op == Op::kLess      ? order < 0
                       : term.op == Op::kLessEqual ? order <= 0
                       : term.op == Op::kGreater   ? order > 0
                                                   : order >= 0;
    if (!holds) return false;
  }
  return true;
}

Filter::Range Filter::KeyRange() const {
  // The keys of all rows that agree with the equalities so far: [begin, end) shares a prefix, which
  // the next column narrows.
  Range range;
  for (int column = 0; column < schema_.columns_size(); ++column) {
    if (!schema_.columns(column).key()) continue;
    if (!Narrow(column, &range)) break;
  }
  return range;
}

// `range` holds the keys with prefix range->begin. True when they still share one, so that the next
// column may go on.
bool Filter::Narrow(int column, Range* range) const {
  const v1::ItemType type = schema_.columns(column).type();
  const std::string prefix = range->begin;
  const auto is_equal = [&](const Term& term) {
    return term.column == column && term.op == Op::kEqual && !term.null;
  };
  const auto equal = std::find_if(terms_.begin(), terms_.end(), is_equal);
  if (equal != terms_.end()) {
    AppendKeyValue(type, equal->literal, &range->begin);
    range->end = PrefixEnd(range->begin);
    return true;
  }
  const auto from = [&](std::string key) { range->begin = std::max(range->begin, key); };
  const auto to = [&](std::string key) {
    if (range->end.empty() || key < range->end) range->end = std::move(key);
  };
  for (const Term& term : terms_) {
    if (term.column != column || term.null || term.op == Op::kNotEqual) continue;
    std::string key = prefix;
    if (term.op == Op::kPrefix) {
      // Keys hold times as instants: a prefix of their text says nothing.
      if (type == v1::ITEM_TYPE_T) continue;
      AppendKeyPrefix(term.literal, &key);
      if (key.empty()) continue;
      from(key);
      to(PrefixEnd(key));
      continue;
    }
    AppendKeyValue(type, term.literal, &key);
    if (term.op == Op::kGreaterEqual) from(key);
    if (term.op == Op::kGreater) from(PrefixEnd(key));
    if (term.op == Op::kLess) to(key);
    if (term.op == Op::kLessEqual) to(PrefixEnd(key));
  }
  return false;
}

}  // namespace guantong
