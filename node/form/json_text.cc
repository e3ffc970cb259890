// JSON with lines: the library's parser reports places for syntax errors only, so the input
// iterator counts line ends as the lexer takes them. The lexer never looks more than one character
// past the token it reports.
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/language.h"

namespace guantong {
namespace {

struct LineCount {
  int line = 1;
  bool pending = false;  // the last character taken was a line end
};

class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, LineCount* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (count_->pending) ++count_->line;
    count_->pending = *at_ == '\n';
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.at_ == b.at_;
  }
  friend bool operator!=(const CountingIterator& a, const CountingIterator& b) { return !(a == b); }

 private:
  const char* at_;
  LineCount* count_;
};

class JsonReader : public nlohmann::json_sax<nlohmann::ordered_json> {
 public:
  JsonReader(absl::string_view source, const LineCount* count) : source_(source), count_(count) {}

  bool null() override { return Add(FormValue::Kind::kNull, ""); }
  bool boolean(bool value) override {
    return Add(FormValue::Kind::kBool, value ? "true" : "false");
  }
  bool number_integer(number_integer_t value) override {
    return Add(FormValue::Kind::kNumber, absl::StrCat(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Add(FormValue::Kind::kNumber, absl::StrCat(value));
  }
  bool number_float(number_float_t, const string_t& token) override {
    return Add(FormValue::Kind::kNumber, token);
  }
  bool string(string_t& value) override { return Add(FormValue::Kind::kText, std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Add(FormValue::Kind::kMap, ""); }
  bool start_array(std::size_t) override { return Add(FormValue::Kind::kList, ""); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& key) override {
    FormValue* map = open_.back();
    if (map->Find(key) != nullptr) {
      status_ = FormError("key_repeated", source_, count_->line, key,
                          Text("同一个键写了两次", "this key stands here twice"),
                          Text("只留一个", "keep one"));
      return false;
    }
    map->map.push_back({std::move(key), {}});
    return true;
  }

  bool parse_error(std::size_t, const std::string& last,
                   const nlohmann::detail::exception& e) override {
    const std::string what = e.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..."
    const size_t detail = what.find(": ");
    status_ = FormError(
        "form_malformed", source_, count_->line, "",
        absl::StrCat(Text("不是合法的 JSON，在 ", "not JSON, at "), last.substr(0, 40),
                     Text(" 处（", " ("),
                     detail == std::string::npos ? what : what.substr(detail + 2), Text("）", ")")),
        Text("检查引号、逗号和括号", "check quotes, commas and brackets"));
    return false;
  }

  absl::StatusOr<FormValue> Take() {
    if (!status_.ok()) return status_;
    return std::move(root_);
  }

 private:
  bool Add(FormValue::Kind kind, std::string text) {
    if (open_.size() > kFormDepthMax || ++values_ > kFormValuesMax) {
      status_ = FormError("form_malformed", source_, count_->line, "",
                          Text("嵌套太深或内容太多", "nested too deeply, or too much"));
      return false;
    }
    FormValue* place = &root_;
    if (!open_.empty()) {
      FormValue* parent = open_.back();
      if (parent->kind == FormValue::Kind::kMap) {
        place = &parent->map.back().value;
      } else {
        place = &parent->list.emplace_back();
      }
    }
    place->kind = kind;
    place->text = std::move(text);
    place->line = count_->line;
    // A pointer into a vector stays good while the value is open: only the innermost open one
    // grows.
    if (kind == FormValue::Kind::kMap || kind == FormValue::Kind::kList) open_.push_back(place);
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  const absl::string_view source_;
  const LineCount* const count_;
  absl::Status status_;
  FormValue root_;
  std::vector<FormValue*> open_;
  size_t values_ = 0;
};

}  // namespace

absl::StatusOr<FormValue> ParseJson(absl::string_view text, absl::string_view source) {
  LineCount count;
  JsonReader reader(source, &count);
  nlohmann::ordered_json::sax_parse(CountingIterator(text.data(), &count),
                                    CountingIterator(text.data() + text.size(), &count), &reader);
  return reader.Take();
}

}  // namespace guantong
