#include "catalog/identifier.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"

namespace guantong {
namespace {

bool AllDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); });
}

bool IsDay(absl::string_view text) {
  int year, month, day;
  if (!absl::SimpleAtoi(text.substr(0, 4), &year) || !absl::SimpleAtoi(text.substr(4, 2), &month) ||
      !absl::SimpleAtoi(text.substr(6, 2), &day)) {
    return false;
  }
  const absl::CivilDay date(year, month, day);
  return date.year() == year && date.month() == month && date.day() == day;
}

}  // namespace

bool IsCitizenId(absl::string_view id) {
  constexpr size_t kLength = 18;
  constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  constexpr absl::string_view kChecks = "10X98765432";
  if (id.size() != kLength || !AllDigits(id.substr(0, kLength - 1)) || !IsDay(id.substr(6, 8)))
    return false;
  int sum = 0;
  for (size_t i = 0; i + 1 < kLength; ++i) sum += (id[i] - '0') * kWeights[i];
  return id.back() == kChecks[static_cast<size_t>(sum) % kChecks.size()];
}

std::optional<char> CheckMod37_36(absl::string_view text) {
  constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr size_t kM = kAlphabet.size();
  size_t product = kM;
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == absl::string_view::npos) return std::nullopt;
    size_t sum = (product + value) % kM;
    if (sum == 0) sum = kM;
    product = sum * 2 % (kM + 1);
  }
  return kAlphabet[(kM + 1 - product) % kM];
}

bool IsLicenceId(absl::string_view id) {
  if (!absl::ConsumePrefix(&id, "1.2.156.3005.2.")) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(id, '.');
  if (parts.size() != 5) return false;
  const absl::string_view type = parts[0], issuer = parts[1], serial = parts[2], version = parts[3];
  if (type.size() != kUsccBytes + 3 || !IsUscc(type.substr(0, kUsccBytes)) ||
      !AllDigits(type.substr(kUsccBytes)) || !IsUscc(issuer) || serial.empty() ||
      version.size() != 3 || parts[4].size() != 1) {
    return false;
  }
  const std::optional<char> check = CheckMod37_36(absl::StrCat(type, issuer, serial, version));
  return check.has_value() && parts[4][0] == *check;
}

absl::StatusOr<DivisionHistory> DivisionHistory::Parse(absl::string_view text) {
  DivisionHistory history;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripSuffix(line, "\r");
    if (line.empty()) continue;
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    const bool numbered = fields.size() >= 4 && fields[1].size() == 6 && AllDigits(fields[1]);
    if (!numbered && number == 1) continue;
    if (!numbered || !IsDivisionCode(fields[2]) || fields[3].empty()) {
      return Error(absl::StatusCode::kInvalidArgument, "history_malformed",
                   absl::StrCat("第 ", number,
                                " 行不是“来源 修订 代码 名称” (line is no revision of a code)"),
                   absl::StrCat(number));
    }
    const std::string& revision = fields[1];
    const auto [it, fresh] = history.divisions_.try_emplace(fields[2]);
    Division& division = it->second;
    if (fresh || revision < division.since) division.since = revision;
    if (fresh || revision >= division.until) {
      division.until = revision;
      division.name = fields[3];
    }
    history.newest_ = std::max(history.newest_, revision);
  }
  for (auto& [code, division] : history.divisions_)
    division.current = division.until == history.newest_;
  return history;
}

const DivisionHistory::Division* DivisionHistory::Find(absl::string_view code) const {
  const auto it = divisions_.find(std::string(code));
  return it == divisions_.end() ? nullptr : &it->second;
}

}  // namespace guantong
