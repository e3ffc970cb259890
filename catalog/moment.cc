#include "catalog/moment.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

namespace guantong {
namespace {

// Takes `least` to `most` digits.
std::optional<int> TakeNumber(absl::string_view* text, size_t least, size_t most) {
  size_t digits = 0;
  int value = 0;
  while (digits < most && digits < text->size() &&
         absl::ascii_isdigit(static_cast<unsigned char>((*text)[digits]))) {
    value = value * 10 + ((*text)[digits++] - '0');
  }
  if (digits < least) return std::nullopt;
  text->remove_prefix(digits);
  return value;
}

std::optional<absl::CivilDay> TakeDay(absl::string_view* text, bool* compact) {
  const std::optional<int> year = TakeNumber(text, 4, 4);
  if (!year || *year == 0) return std::nullopt;
  absl::string_view after_month, after_day;
  if (absl::ConsumePrefix(text, "-")) {
    after_month = "-";
  } else if (absl::ConsumePrefix(text, "/")) {
    after_month = "/";
  } else if (absl::ConsumePrefix(text, "年")) {
    after_month = "月";
    after_day = "日";
  }
  *compact = after_month.empty();
  const size_t least = *compact ? 2 : 1;
  const std::optional<int> month = TakeNumber(text, least, 2);
  if (!month || !absl::ConsumePrefix(text, after_month)) return std::nullopt;
  const std::optional<int> day = TakeNumber(text, least, 2);
  if (!day || !absl::ConsumePrefix(text, after_day)) return std::nullopt;
  // A civil day carries what overflows into the next month: then it is not the one that was
  // written.
  const absl::CivilDay civil(*year, *month, *day);
  if (civil.month() != *month || civil.day() != *day) return std::nullopt;
  return civil;
}

std::string DayText(absl::CivilDay day) {
  return absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day());
}

// HH:MM[:SS[.fraction]], compact without colons, as text HH:MM:SS[.fraction].
std::optional<std::string> TakeClock(absl::string_view* text, bool compact) {
  const absl::string_view colon = compact ? "" : ":";
  const std::optional<int> hour = TakeNumber(text, 2, 2);
  if (!hour || *hour > 23 || !absl::ConsumePrefix(text, colon)) return std::nullopt;
  const std::optional<int> minute = TakeNumber(text, 2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int second = 0;
  std::string fraction;
  const bool more =
      compact ? !text->empty() && absl::ascii_isdigit(static_cast<unsigned char>((*text)[0]))
              : absl::ConsumePrefix(text, ":");
  if (more) {
    const std::optional<int> seconds = TakeNumber(text, 2, 2);
    if (!seconds || *seconds > 59) return std::nullopt;
    second = *seconds;
    if (absl::ConsumePrefix(text, ".")) {
      const absl::string_view rest = *text;
      if (!TakeNumber(text, 1, 9)) return std::nullopt;
      absl::string_view digits = rest.substr(0, rest.size() - text->size());
      while (absl::ConsumeSuffix(&digits, "0")) {
      }
      if (!digits.empty()) fraction = absl::StrCat(".", digits);
    }
  }
  return absl::StrFormat("%02d:%02d:%02d%s", *hour, *minute, second, fraction);
}

std::optional<std::string> TakeOffset(absl::string_view* text) {
  if (text->empty()) return "+08:00";
  if (absl::ConsumePrefix(text, "Z") || absl::ConsumePrefix(text, "z")) return "+00:00";
  const char sign = (*text)[0];
  if (sign != '+' && sign != '-') return std::nullopt;
  text->remove_prefix(1);
  const std::optional<int> hours = TakeNumber(text, 2, 2);
  absl::ConsumePrefix(text, ":");
  const std::optional<int> minutes = TakeNumber(text, 2, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  return absl::StrFormat("%c%02d:%02d", sign, *hours, *minutes);
}

}  // namespace

std::optional<std::string> CanonicalDate(absl::string_view text) {
  bool compact = false;
  const std::optional<absl::CivilDay> day = TakeDay(&text, &compact);
  if (!day || !text.empty()) return std::nullopt;
  return DayText(*day);
}

std::optional<std::string> CanonicalTime(absl::string_view text) {
  bool compact = false;
  const std::optional<absl::CivilDay> day = TakeDay(&text, &compact);
  if (!day) return std::nullopt;
  if (text.empty()) return absl::StrCat(DayText(*day), "T00:00:00+08:00");
  const bool separated =
      absl::ConsumePrefix(&text, "T") || absl::ConsumePrefix(&text, "t") || text[0] == ' ';
  if (!separated && !compact) return std::nullopt;
  text = absl::StripLeadingAsciiWhitespace(text);
  const bool colons = text.size() > 2 && text[2] == ':';
  const std::optional<std::string> clock = TakeClock(&text, compact && !colons);
  if (!clock) return std::nullopt;
  text = absl::StripLeadingAsciiWhitespace(text);
  const std::optional<std::string> offset = TakeOffset(&text);
  if (!offset || !text.empty()) return std::nullopt;
  return absl::StrCat(DayText(*day), "T", *clock, *offset);
}

absl::Time InstantOf(absl::string_view canonical) {
  absl::Time time;
  return absl::ParseTime(absl::RFC3339_full, canonical, &time, nullptr) ? time
                                                                        : absl::InfinitePast();
}

}  // namespace guantong
