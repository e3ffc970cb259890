// What only shows when the entries of one file are seen together.
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/entry.h"

namespace guantong {
namespace {

struct Numbered {
  std::string stem;
  uint64_t number = 0;
  bool has_number = false;
};

Numbered SplitNumber(const std::string& name) {
  size_t digits = 0;
  while (digits < name.size() &&
         absl::ascii_isdigit(static_cast<unsigned char>(name[name.size() - 1 - digits]))) {
    ++digits;
  }
  Numbered split{.stem = name.substr(0, name.size() - digits)};
  split.has_number = digits > 0 && !split.stem.empty() &&
                     absl::SimpleAtoi(name.substr(name.size() - digits), &split.number);
  return split;
}

void Warn(std::string element, std::string text, std::string remedy,
          std::vector<v1::Problem>* problems) {
  v1::Problem& problem = problems->emplace_back();
  problem.set_element(std::move(element));
  problem.set_warning(true);
  problem.set_text(std::move(text));
  problem.set_remedy(std::move(remedy));
}

// Where values of following rows count up by one, at least `run_min` of them.
template <typename Value, typename Report>
void FindDragged(size_t count, size_t run_min, const Value& value, const Report& report) {
  size_t begin = 0;
  for (size_t i = 1; i <= count; ++i) {
    bool goes_on = false;
    if (i < count) {
      const Numbered before = SplitNumber(value(i - 1)), now = SplitNumber(value(i));
      goes_on = before.has_number && now.has_number && before.stem == now.stem &&
                now.number == before.number + 1;
    }
    if (goes_on) continue;
    if (i - begin >= run_min) {
      for (size_t row = begin; row < i; ++row) report(row, begin, i - 1);
    }
    begin = i;
  }
}

constexpr char kDragRemedy[] = "逐行核对，改为真实内容 (write what each row really is)";

}  // namespace

std::string PlainName(absl::string_view name) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(error);
  std::string folded(name);
  if (U_SUCCESS(error)) {
    std::string text;
    icu::StringByteSink<std::string> sink(&text);
    fold->normalizeUTF8(0, icu::StringPiece(name.data(), static_cast<int32_t>(name.size())), sink,
                        nullptr, error);
    if (U_SUCCESS(error)) folded = std::move(text);
  }
  std::string plain;
  const auto length = static_cast<int32_t>(folded.size());
  for (int32_t at = 0; at < length;) {
    const int32_t begin = at;
    UChar32 character;
    U8_NEXT(folded.data(), at, length, character);
    if (character >= 0 && (u_ispunct(character) || u_isUWhiteSpace(character))) continue;
    plain.append(folded, static_cast<size_t>(begin), static_cast<size_t>(at - begin));
  }
  return plain;
}

std::vector<std::vector<v1::Problem>> CheckTogether(const std::vector<v1::CatalogEntry>& entries) {
  constexpr size_t kEntriesInRow = 2, kItemsInRow = 3;
  std::vector<std::vector<v1::Problem>> problems(entries.size());
  FindDragged(
      entries.size(), kEntriesInRow, [&](size_t row) { return entries[row].name(); },
      [&](size_t row, size_t first, size_t last) {
        Warn("name",
             absl::StrCat("“", entries[first].name(), "”到“", entries[last].name(),
                          "”逐行加一，像是下拉填充留下的"),
             kDragRemedy, &problems[row]);
      });
  std::map<std::string, size_t> seen;
  for (size_t row = 0; row < entries.size(); ++row) {
    const v1::CatalogEntry& entry = entries[row];
    FindDragged(
        static_cast<size_t>(entry.items_size()), kItemsInRow,
        [&](size_t i) { return entry.items(static_cast<int>(i)).name(); },
        [&](size_t i, size_t first, size_t last) {
          Warn(absl::StrCat("items[", i, "].name"),
               absl::StrCat("信息项“", entry.items(static_cast<int>(first)).name(), "”到“",
                            entry.items(static_cast<int>(last)).name(),
                            "”逐行加一，像是下拉填充留下的"),
               kDragRemedy, &problems[row]);
        });
    const std::string plain = PlainName(entry.name());
    if (plain.empty()) continue;
    const auto [it, fresh] = seen.emplace(absl::StrCat(entry.provider_code(), "\n", plain), row);
    if (fresh) continue;
    const std::string& first = entries[it->second].name();
    Warn("name",
         first == entry.name() ? absl::StrCat("同一提供方的“", first, "”在表中出现两次")
                               : absl::StrCat("“", entry.name(), "”与“", first, "”只差空格或标点"),
         "合并，或写出区别 (merge them, or say how they differ)", &problems[row]);
  }
  return problems;
}

}  // namespace guantong
