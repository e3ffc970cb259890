// jsonl: one flat JSON object per line, through the SAX parser, so that numbers keep the digits
// they were written with.
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/form/row_file.h"
#include "node/language.h"

namespace guantong {
namespace {

class FlatObject : public nlohmann::json_sax<nlohmann::json> {
 public:
  struct Member {
    std::string key;
    std::string text;
    bool null = false;
  };

  bool null() override { return Add("", true); }
  bool boolean(bool value) override { return Add(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return Add(absl::StrCat(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Add(absl::StrCat(value)); }
  bool number_float(number_float_t, const string_t& token) override { return Add(token); }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    if (opened_) return Nested();
    opened_ = true;
    return true;
  }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return opened_ ? Nested() : NoObject(); }
  bool end_array() override { return true; }
  bool key(string_t& key) override {
    if (members.size() > kColumnsMax) return Fail(Text("键太多", "too many keys"));
    for (const Member& member : members) {
      if (member.key == key) {
        return Fail(absl::StrCat(Text("同一个键写了两次：", "key twice: "), key));
      }
    }
    members.push_back({std::move(key), "", true});
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail(absl::StrCat(Text("不是合法的 JSON，在第 ", "not JSON, at byte "), position,
                             Text(" 字节处", "")));
  }

  std::vector<Member> members;
  std::string fault;  // empty: none

 private:
  bool Add(std::string text, bool is_null = false) {
    if (!opened_) return NoObject();
    members.back().text = std::move(text);
    members.back().null = is_null;
    return true;
  }
  bool NoObject() { return Fail(Text("应为一个 JSON 对象", "should be a JSON object")); }
  bool Nested() {
    return Fail(
        absl::StrCat(Text("值应为单个值，不能嵌套：", "should be a single value, not nested: "),
                     members.back().key));
  }
  bool Fail(std::string what) {
    if (fault.empty()) fault = std::move(what);
    return false;
  }

  bool opened_ = false;
};

class JsonLinesFile : public RowFile {
 public:
  explicit JsonLinesFile(std::unique_ptr<TextLines> lines) : lines_(std::move(lines)) {}

  absl::Status ReadHeader() {
    FlatObject object;
    GT_ASSIGN_OR_RETURN(const bool any, Read(&object));
    if (any && !object.fault.empty()) return Fault("header_invalid", object.fault);
    for (const FlatObject::Member& member : object.members) {
      column_of_[member.key] = header_.size();
      header_.push_back(member.key);
    }
    first_ = std::make_unique<FlatObject>(std::move(object));
    first_line_ = lines_->line();
    return CheckHeader(header_, lines_->file(), any ? first_line_ : 1);
  }

  const std::vector<std::string>& header() const override { return header_; }
  Progress progress() const override { return {lines_->bytes_read(), lines_->bytes()}; }
  TextEncoding encoding() const override { return lines_->encoding(); }

  absl::StatusOr<bool> Next(SourceRow* row) override {
    *row = {};
    if (const auto first = std::exchange(first_, nullptr)) {
      row->line = first_line_;
      Arrange(*first, row);
      return true;
    }
    FlatObject object;
    GT_ASSIGN_OR_RETURN(const bool any, Read(&object));
    if (!any) return false;
    row->line = lines_->line();
    Arrange(object, row);
    return true;
  }

 private:
  absl::Status Fault(absl::string_view reason, absl::string_view what) const {
    return FormError(reason, lines_->file(), static_cast<int>(lines_->line()), "", what,
                     Text("每行一个对象，键都相同，没有值写 null",
                          "one object per line, the same keys in each, null for no value"));
  }

  // The next line that is not blank.
  absl::StatusOr<bool> Read(FlatObject* object) {
    std::string line;
    do {
      GT_ASSIGN_OR_RETURN(const bool any, lines_->Next(&line));
      if (!any) return false;
    } while (absl::StripAsciiWhitespace(line).empty());
    nlohmann::json::sax_parse(line, object);
    return true;
  }

  void Arrange(const FlatObject& object, SourceRow* row) const {
    row->values.resize(header_.size());
    row->nulls.assign(header_.size(), true);
    std::vector<bool> given(header_.size(), false);
    std::string what = object.fault;
    for (const FlatObject::Member& member : object.members) {
      const auto found = column_of_.find(member.key);
      if (found == column_of_.end()) {
        if (what.empty()) {
          what = absl::StrCat(Text("多出第一行没有的键：", "a key that the first line has not: "),
                              member.key);
        }
        continue;
      }
      row->values[found->second] = member.text;
      row->nulls[found->second] = member.null;
      given[found->second] = true;
    }
    for (size_t i = 0; i < given.size() && what.empty(); ++i) {
      if (!given[i]) what = absl::StrCat(Text("缺少键：", "a key is missing: "), header_[i]);
    }
    if (!what.empty()) row->fault = Fault("row_invalid", what);
  }

  std::unique_ptr<TextLines> lines_;
  std::vector<std::string> header_;
  std::map<std::string, size_t> column_of_;
  std::unique_ptr<FlatObject> first_;
  uint64_t first_line_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowFile>> OpenJsonLines(std::unique_ptr<TextLines> lines) {
  auto file = std::make_unique<JsonLinesFile>(std::move(lines));
  GT_RETURN_IF_ERROR(file->ReadHeader());
  return file;
}

}  // namespace guantong
