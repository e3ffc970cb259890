// What the columns of entries and of items have in common.
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "node/language.h"
#include "node/sheets/choices.h"
#include "node/sheets/entry_columns.h"

namespace guantong {
namespace {

// Bytes of the mark that parts a list at `at`; 0 none.
size_t Mark(absl::string_view text, size_t at, bool lines_only) {
  if (text[at] == '\n' || text[at] == '\r') return 1;
  if (lines_only) return 0;
  if (text[at] == ',' || text[at] == ';') return 1;
  for (const absl::string_view wide : {"，", "；", "、"}) {
    if (absl::StartsWith(text.substr(at), wide)) return wide.size();
  }
  return 0;
}

}  // namespace

std::vector<std::string> PartsOf(const std::string& text) {
  const bool lines_only = absl::StrContains(text, '\n');
  std::vector<std::string> parts;
  std::string part;
  const auto end = [&] {
    const absl::string_view stripped = absl::StripAsciiWhitespace(part);
    if (!stripped.empty()) parts.emplace_back(stripped);
    part.clear();
  };
  for (size_t at = 0; at < text.size();) {
    const size_t mark = Mark(text, at, lines_only);
    if (mark > 0) {
      end();
      at += mark;
    } else {
      part.push_back(text[at++]);
    }
  }
  end();
  return parts;
}

std::string JoinedParts(const std::vector<std::string>& parts) {
  bool has_marks = false;
  for (const std::string& part : parts) {
    for (size_t at = 0; at < part.size(); ++at) has_marks |= Mark(part, at, false) > 0;
  }
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    absl::StrAppend(&text, parts[i], has_marks ? "\n" : i + 1 < parts.size() ? "、" : "");
  }
  return text;
}

CellProblem SetSharingType(const std::string& text, v1::Sharing* sharing) {
  const int type = SharingTypeChoices().ValueOf(text);
  if (type < 0) return {SharingTypeChoices().Wanted(text)};
  sharing->set_type(static_cast<v1::SharingType>(type));
  return {};
}

CellProblem SetModes(const std::string& text, v1::Sharing* sharing) {
  for (const std::string& part : PartsOf(text)) {
    const int mode = ModeChoices().ValueOf(part);
    if (mode < 0) return {ModeChoices().Wanted(part)};
    sharing->add_modes(static_cast<v1::SharingMode>(mode));
  }
  return {};
}

std::string ModesText(const v1::Sharing& sharing) {
  std::vector<std::string> words;
  for (const int mode : sharing.modes()) words.push_back(ModeChoices().WordOf(mode));
  return JoinedParts(words);
}

CellProblem ReadYesNo(const std::string& text, bool* value) {
  const int found = YesNoChoices().ValueOf(text);
  if (found < 0) return {YesNoChoices().Wanted(text)};
  *value = found == 1;
  return {};
}

std::string YesNoText(bool value) { return YesNoChoices().WordOf(value ? 1 : 0); }

CellProblem ReadNumber(const std::string& text, uint64_t max, uint64_t* number) {
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits])))
    ++digits;
  uint64_t read = 0;
  if (digits == 0 || !absl::SimpleAtoi(text.substr(0, digits), &read) || read > max)
    return {
        absl::StrCat(Text("“", "\""), text, Text("”不是可用的数字", "\" is no number to be used"))};
  *number = read;
  if (digits == text.size()) return {};
  return {absl::StrCat(Text("数字列含单位或文字：“", "a unit or text in a number column: \""), text,
                       Text("”，按 ", "\", taken as "), read,
                       Text(" 处理，请只填数字", "; write the number alone")),
          true};
}

}  // namespace guantong
