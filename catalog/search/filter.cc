#include "catalog/search/filter.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "catalog/base/status.h"
#include "catalog/division.h"

namespace guantong::search {
namespace {

// Local days of this country: dates of the catalogue are written in them.
constexpr int kSecondsEast = 8 * 3600;

bool ParseDay(const std::string& text, uint32_t* seconds) {
  absl::CivilDay day;
  if (text.size() != 10 || !absl::ParseCivilTime(text, &day)) return false;
  const int64_t unix_seconds =
      absl::ToUnixSeconds(absl::FromCivil(day, absl::FixedTimeZone(kSecondsEast)));
  *seconds = static_cast<uint32_t>(std::clamp<int64_t>(unix_seconds, 1, UINT32_MAX));
  return true;
}

}  // namespace

absl::Status CheckFilter(const v1::SearchFilter& filter) {
  uint32_t since = 0;
  if (filter.since().empty() || ParseDay(filter.since(), &since)) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "filter_malformed",
               absl::StrCat("日期 ", filter.since(), " 不是 CCYY-MM-DD (not a date)"), "since",
               "例如 (for example) 2025-01-31");
}

template <typename PassesValue>
void PartFilter::Add(const Part& part, size_t attribute, PassesValue passes) {
  Set set{.ordinals = segment_.ordinals(attribute),
          .passes = std::vector<char>(segment_.values(attribute))};
  // Most values are single: those are not looked through for more.
  const std::vector<uint32_t>& begins = (*part.values)[attribute].begins;
  bool any = false;
  for (uint32_t v = 0; v < set.passes.size(); ++v) {
    const absl::string_view value = segment_.value(attribute, v);
    if (begins[v + 1] - begins[v] < 2) {
      set.passes[v] = passes(value);
    } else {
      VisitValues(value, [&](absl::string_view one) { set.passes[v] |= passes(one) ? 1 : 0; });
    }
    any |= set.passes[v] != 0;
  }
  none_ |= !any;
  sets_.push_back(std::move(set));
}

PartFilter::PartFilter(const Part& part, const Query& query) : segment_(*part.segment) {
  const v1::SearchFilter& filter = query.filter;
  if (!filter.since().empty()) ParseDay(filter.since(), &since_);
  const auto begins = [](absl::string_view wanted) {
    return [wanted](absl::string_view value) { return absl::StartsWith(value, wanted); };
  };
  const auto equals = [](absl::string_view wanted) {
    return [wanted](absl::string_view value) { return value == wanted; };
  };
  if (!filter.class_().empty()) {
    Add(part, kClass, [&](absl::string_view value) {
      return absl::StartsWith(value, filter.class_()) && (!query.in_class || query.in_class(value));
    });
  }
  if (!filter.division().empty()) Add(part, kDivision, begins(DivisionDigits(filter.division())));
  if (!filter.provider().empty()) {
    Add(part, kProvider, [&](absl::string_view value) {
      const size_t end = value.find(kLabelEnd);
      return value.substr(0, end) == filter.provider() ||
             value.substr(end + 1) == filter.provider();
    });
  }
  const std::string sharing = absl::StrCat(filter.sharing());
  const std::string cycle = absl::StrCat(filter.update_cycle());
  if (filter.sharing() != 0) Add(part, kSharing, equals(sharing));
  if (filter.has_open()) Add(part, kOpen, equals(filter.open() ? "1" : "0"));
  if (!filter.format().empty()) Add(part, kFormat, begins(filter.format()));
  if (filter.update_cycle() != 0) Add(part, kCycle, equals(cycle));
  if (!filter.theme().empty()) Add(part, kTheme, equals(filter.theme()));
  if (!filter.key_area().empty()) Add(part, kKeyArea, equals(filter.key_area()));
  if (!filter.template_().empty()) Add(part, kTemplate, equals(filter.template_()));

  const bool everywhere = query.within.is_root() && !query.outside.has_value();
  if (everywhere && filter.level() == v1::LEVEL_UNSPECIFIED) return;
  const std::vector<Standing>& places = *part.places;
  Set set{.ordinals = segment_.ordinals(kNode), .passes = std::vector<char>(places.size())};
  for (size_t i = 0; i < places.size(); ++i) {
    const NodePlace* place = places[i].node;
    set.passes[i] = place != nullptr && query.within.Contains(place->path) &&
                    !(query.outside.has_value() && query.outside->Contains(place->path)) &&
                    (filter.level() == 0 || filter.level() == places[i].level);
    none_ = none_ && !set.passes[i];
  }
  sets_.push_back(std::move(set));
}

}  // namespace guantong::search
