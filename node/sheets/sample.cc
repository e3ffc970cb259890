#include "node/sheets/sample.h"

#include <unicode/translit.h>
#include <unicode/unistr.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/decimal.h"
#include "catalog/value.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

bool IsFilled(const std::string& cell) { return !absl::StripAsciiWhitespace(cell).empty(); }

size_t Filled(const std::vector<std::string>& row) {
  return static_cast<size_t>(std::count_if(row.begin(), row.end(), IsFilled));
}

// Titles above a header fill a cell or two of it.
size_t HeaderRow(const Sheet& sheet) {
  constexpr size_t kLookedAt = 50;
  size_t most = 0;
  for (size_t row = 0; row < sheet.rows.size() && row < kLookedAt; ++row)
    most = std::max(most, Filled(sheet.rows[row]));
  for (size_t row = 0; row < sheet.rows.size(); ++row) {
    if (Filled(sheet.rows[row]) * 5 >= most * 4) return row;
  }
  return 0;
}

// "统一社会信用代码" -> "tong_yi_she_hui_xin_yong_dai_ma", "Area Code" -> "area_code".
std::string FieldName(const std::string& title, std::set<std::string>* taken) {
  constexpr size_t kBytesMax = 48;
  UErrorCode error = U_ZERO_ERROR;
  static const std::unique_ptr<icu::Transliterator> latin(
      icu::Transliterator::createInstance("Han-Latin; Latin-ASCII; Lower", UTRANS_FORWARD, error));
  icu::UnicodeString text = icu::UnicodeString::fromUTF8(title);
  if (latin != nullptr) latin->transliterate(text);
  std::string letters;
  text.toUTF8String(letters);
  std::string field;
  for (const unsigned char c : letters) {
    if (absl::ascii_isalnum(c)) {
      field.push_back(absl::ascii_tolower(c));
    } else if (!field.empty() && field.back() != '_') {
      field.push_back('_');
    }
    if (field.size() == kBytesMax) break;
  }
  while (!field.empty() && field.back() == '_') field.pop_back();
  if (field.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(field[0])))
    field = absl::StrCat("c_", field);
  const std::string stem = field;
  for (int number = 2; !taken->insert(field).second; ++number)
    field = absl::StrCat(stem, "_", number);
  return field;
}

size_t Characters(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// What all values of a column have in common.
struct Values {
  size_t count = 0;
  bool missing = false, repeated = false;
  bool number = true, whole = true, date = true, time = true, logical = true, coded = false;
  size_t shortest = SIZE_MAX, longest = 0;  // characters
  size_t whole_digits = 0, fraction_digits = 0;
  std::set<std::string> seen;

  void Add(const std::string& cell) {
    const std::string text(absl::StripAsciiWhitespace(cell));
    if (text.empty()) {
      missing = true;
      return;
    }
    ++count;
    repeated |= !seen.insert(text).second;
    shortest = std::min(shortest, Characters(text));
    longest = std::max(longest, Characters(text));
    const std::optional<DecimalParts> parts = ParseDecimal(text);
    if (parts.has_value()) {
      const bool padded = text.size() > 1 && text[0] == '0' && text[1] != '.';
      constexpr size_t kDigitsOfNumber = 15;  // beyond it a number is an identifier
      coded |= padded || text[0] == '+' || parts->whole.size() > kDigitsOfNumber;
      whole_digits = std::max(whole_digits, parts->whole.size());
      fraction_digits = std::max(fraction_digits, parts->fraction.size());
      whole &= text.find('.') == std::string::npos;
    } else {
      number = false;
    }
    date &= !parts.has_value() && Is(v1::ITEM_TYPE_D, text);
    time &= !parts.has_value() && Is(v1::ITEM_TYPE_T, text);
    logical &= !parts.has_value() && Is(v1::ITEM_TYPE_L, text);
  }

  static bool Is(v1::ItemType type, const std::string& text) {
    v1::Column column;
    column.set_field("c");
    column.set_type(type);
    return CanonicalValue(column, text).ok();
  }
};

uint32_t TextLength(const Values& values) {
  if (values.shortest == values.longest) return static_cast<uint32_t>(values.longest);
  for (const uint32_t length : {8, 16, 32, 64, 128, 256, 512, 1024, 2000, 4000}) {
    if (values.longest <= length) return length;
  }
  return 0;
}

void Describe(const Values& values, v1::DataItem* item) {
  constexpr uint32_t kDigits = 10, kLongDigits = 18;
  constexpr size_t kCodeDigits = 6;
  item->set_required(!values.missing && values.count > 0);
  // Figures of one length, none of them short: a code.
  const bool coded = values.coded || (values.whole && values.shortest == values.longest &&
                                      values.longest >= kCodeDigits && values.count > 1);
  if (values.count == 0) {
    item->set_type(v1::ITEM_TYPE_C);
  } else if (values.number && !coded && values.whole) {
    item->set_type(v1::ITEM_TYPE_I);
    item->set_length(values.whole_digits <= kDigits ? kDigits : kLongDigits);
  } else if (values.number && !coded) {
    item->set_type(v1::ITEM_TYPE_N);
    item->set_scale(static_cast<uint32_t>(values.fraction_digits));
    item->set_length(
        std::max(kLongDigits, static_cast<uint32_t>(values.whole_digits + values.fraction_digits)));
  } else if (values.date) {
    item->set_type(v1::ITEM_TYPE_D);
  } else if (values.time) {
    item->set_type(v1::ITEM_TYPE_T);
  } else if (values.logical) {
    item->set_type(v1::ITEM_TYPE_L);
  } else {
    item->set_length(TextLength(values));
    item->set_type(item->length() == 0 ? v1::ITEM_TYPE_M : v1::ITEM_TYPE_C);
  }
}

}  // namespace

absl::StatusOr<v1::CatalogEntry> EntryOfSample(const std::vector<Sheet>& sheets,
                                               absl::string_view name) {
  v1::CatalogEntry entry;
  entry.set_name(std::string(name));
  for (const Sheet& sheet : sheets) {
    const size_t header = HeaderRow(sheet);
    if (header + 1 >= sheet.rows.size()) continue;
    std::set<std::string> fields;
    bool has_key = false;
    for (size_t column = 0; column < sheet.rows[header].size(); ++column) {
      const std::string title(absl::StripAsciiWhitespace(sheet.At(header, column)));
      if (title.empty()) continue;
      Values values;
      for (size_t row = header + 1; row < sheet.rows.size(); ++row) {
        if (Filled(sheet.rows[row]) > 0) values.Add(sheet.At(row, column));
      }
      v1::DataItem* item = entry.add_items();
      item->set_name(title);
      item->set_field(FieldName(title, &fields));
      Describe(values, item);
      if (!has_key && !values.missing && !values.repeated && values.count > 0 &&
          (item->type() == v1::ITEM_TYPE_C || item->type() == v1::ITEM_TYPE_I)) {
        item->set_key(true);
        has_key = true;
      }
    }
    if (!entry.items().empty()) return entry;
  }
  return Error(absl::StatusCode::kInvalidArgument, "sample_empty",
               Text("样例里没有表头和数据", "the sample has no header with rows below"), "",
               Text("第一行写列名，下面放几行数据", "column names first, rows below"));
}

std::string DraftYaml(const v1::CatalogEntry& entry) {
  YAML::Emitter out;
  const auto missing = [&](const char* key, const char* what) {
    out << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << "" << YAML::Comment(what);
  };
  out << YAML::BeginMap;
  out << YAML::Key << "name" << YAML::Value << YAML::DoubleQuoted << entry.name();
  missing("class", Text("填写：分类代码", "fill in: the class code"));
  missing("abstract", Text("填写：信息资源摘要", "fill in: what it is"));
  missing("format", Text("填写：信息资源格式，如 0310", "fill in: the format, like 0310"));
  out << YAML::Key << "sharing" << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "type" << YAML::Value << "conditional"
      << YAML::Comment(Text("核对：unconditional、conditional、not_shared",
                            "check: unconditional, conditional, not_shared"));
  missing("condition", Text("填写：共享条件", "fill in: the condition"));
  out << YAML::EndMap;
  out << YAML::Key << "open" << YAML::Value << YAML::BeginMap << YAML::Key << "public"
      << YAML::Value << false << YAML::EndMap;
  out << YAML::Key << "update_cycle" << YAML::Value << "other"
      << YAML::Comment(
             Text("核对：realtime daily weekly monthly quarterly yearly irregular other",
                  "check: realtime daily weekly monthly quarterly yearly irregular other"));
  out << YAML::Key << "items" << YAML::Value << YAML::BeginSeq;
  for (const v1::DataItem& item : entry.items()) {
    out << YAML::Flow << YAML::BeginMap;
    out << YAML::Key << "name" << YAML::Value << YAML::DoubleQuoted << item.name();
    out << YAML::Key << "field" << YAML::Value << item.field();
    out << YAML::Key << "type" << YAML::Value
        << EnumName(*v1::ItemType_descriptor()->FindValueByNumber(item.type()));
    if (item.length() > 0) out << YAML::Key << "length" << YAML::Value << item.length();
    if (item.scale() > 0) out << YAML::Key << "scale" << YAML::Value << item.scale();
    if (item.key()) out << YAML::Key << "key" << YAML::Value << true;
    if (item.required()) out << YAML::Key << "required" << YAML::Value << true;
    out << YAML::EndMap;
  }
  out << YAML::EndSeq << YAML::EndMap;
  return absl::StrCat(Text("# 由样例数据生成的草稿：补齐后用 guantong catalog register "
                           "登记；provider 留空即本部门\n",
                           "# made from a sample: fill in, then guantong catalog register\n"),
                      out.c_str(), "\n");
}

}  // namespace guantong
