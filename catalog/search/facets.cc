#include "catalog/search/facets.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/search/filter.h"
#include "catalog/search/query.h"

namespace guantong::search {
namespace {

constexpr const char* kNames[kAttributes] = {"class",    "division", "provider",     "sharing",
                                             "open",     "format",   "update_cycle", "theme",
                                             "key_area", "template", "level"};

// The name of an enum value as files have it: SHARING_TYPE_NOT_SHARED is
// not_shared.
std::string ShortName(const google::protobuf::EnumDescriptor& type, absl::string_view number) {
  int value = 0;
  if (!absl::SimpleAtoi(number, &value)) return std::string(number);
  const auto* named = type.FindValueByNumber(value);
  if (named == nullptr) return std::string(number);
  const std::string& unspecified = type.FindValueByNumber(0)->name();
  const size_t prefix = unspecified.size() - std::string("UNSPECIFIED").size();
  std::string name = named->name().substr(prefix);
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return name;
}

void KeepMostFrequent(google::protobuf::RepeatedPtrField<v1::FacetCount>* counts, uint32_t* more) {
  std::sort(counts->begin(), counts->end(), [](const v1::FacetCount& a, const v1::FacetCount& b) {
    return a.entries() != b.entries() ? a.entries() > b.entries() : a.value() < b.value();
  });
  const int kept = std::min<int>(counts->size(), static_cast<int>(kFacetCountsMax));
  *more += static_cast<uint32_t>(counts->size() - kept);
  counts->DeleteSubrange(kept, counts->size() - kept);
}

}  // namespace

FacetCounter::FacetCounter(const View& view) {
  for (size_t a = 0; a < kAttributes; ++a) {
    totals_[a].entries.resize(view.values[a]);
    totals_[a].seen.resize(view.values[a]);
  }
}

void FacetCounter::Begin(const Part& part) {
  part_ = &part;
  for (size_t a = 0; a < kAttributes; ++a) counts_[a].assign(part.segment->values(a), 0);
}

void FacetCounter::Count(absl::Span<const uint32_t> documents) {
  for (size_t a = 0; a < kAttributes; ++a) {
    const uint32_t* ordinals = part_->segment->ordinals(a);
    uint32_t* counts = counts_[a].data();
    for (uint32_t d : documents) ++counts[ordinals[d]];
  }
}

void FacetCounter::End() {
  for (size_t a = 0; a < kAttributes; ++a) {
    const ValueNumbers& values = (*part_->values)[a];
    for (uint32_t v = 0; v < counts_[a].size(); ++v) {
      const uint32_t entries = counts_[a][v];
      if (entries == 0) continue;
      if (a == kNode) {
        const Standing& standing = (*part_->places)[v];
        if (standing.node != nullptr && v1::Level_IsValid(standing.level))
          levels_[standing.level] += entries;
        continue;
      }
      for (uint32_t at = values.begins[v]; at < values.begins[v + 1]; ++at) {
        const uint32_t number = values.numbers[at];
        if (totals_[a].entries[number] == 0)
          totals_[a].seen[number] = {part_, v, at - values.begins[v]};
        totals_[a].entries[number] += entries;
      }
    }
  }
}

std::string FacetCounter::ValueOf(size_t attribute, const Seen& seen) const {
  std::string found;
  uint32_t n = 0;
  VisitValues(seen.part->segment->value(attribute, seen.ordinal), [&](absl::string_view value) {
    if (value.empty()) return;
    if (n++ == seen.nth) found = std::string(value);
  });
  return found;
}

std::vector<v1::Facet> FacetCounter::Take() const {
  std::vector<v1::Facet> facets;
  for (size_t a = 0; a < kAttributes; ++a) {
    v1::Facet facet;
    facet.set_name(kNames[a]);
    std::vector<std::pair<uint64_t, std::string>> counts;
    if (a == kNode) {
      for (int level = 1; level < v1::Level_ARRAYSIZE; ++level) {
        if (levels_[level] > 0) counts.emplace_back(levels_[level], absl::StrCat(level));
      }
    }
    // The least of those worth telling, found before any text is made.
    std::vector<uint32_t> all;
    for (uint32_t entries : totals_[a].entries) {
      if (entries > 0) all.push_back(entries);
    }
    uint32_t least = 1;
    if (all.size() > kFacetCountsMax) {
      const auto nth = all.begin() + kFacetCountsMax - 1;
      std::nth_element(all.begin(), nth, all.end(), std::greater<>());
      least = *nth;
      facet.set_more(static_cast<uint32_t>(all.size() - kFacetCountsMax));
    }
    for (uint32_t number = 0; number < totals_[a].entries.size(); ++number) {
      if (totals_[a].entries[number] >= least)
        counts.emplace_back(totals_[a].entries[number], ValueOf(a, totals_[a].seen[number]));
    }
    std::sort(counts.begin(), counts.end(), [](const auto& x, const auto& y) {
      return x.first != y.first ? x.first > y.first : x.second < y.second;
    });
    if (counts.size() > kFacetCountsMax) counts.resize(kFacetCountsMax);
    for (const auto& [entries, value] : counts) {
      v1::FacetCount* count = facet.add_counts();
      count->set_entries(entries);
      const size_t label = value.find(kLabelEnd);
      count->set_value(a == kSharing ? ShortName(*v1::SharingType_descriptor(), value)
                       : a == kCycle ? ShortName(*v1::UpdateCycle_descriptor(), value)
                       : a == kNode  ? ShortName(*v1::Level_descriptor(), value)
                       : a == kOpen  ? (value == "1" ? "true" : "false")
                                     : value.substr(0, label));
      if (label != std::string::npos) count->set_label(value.substr(label + 1));
    }
    facets.push_back(std::move(facet));
  }
  return facets;
}

void MergeFacets(const google::protobuf::RepeatedPtrField<v1::Facet>& other,
                 google::protobuf::RepeatedPtrField<v1::Facet>* facets) {
  for (const v1::Facet& from : other) {
    auto into = std::find_if(facets->begin(), facets->end(),
                             [&](const v1::Facet& f) { return f.name() == from.name(); });
    if (into == facets->end()) {
      *facets->Add() = from;
      continue;
    }
    std::map<std::pair<std::string, std::string>, uint64_t> sum;
    for (const v1::Facet* facet : {&from, static_cast<const v1::Facet*>(&*into)}) {
      for (const v1::FacetCount& count : facet->counts())
        sum[{count.value(), count.label()}] += count.entries();
    }
    into->clear_counts();
    for (const auto& [key, entries] : sum) {
      v1::FacetCount* count = into->add_counts();
      count->set_value(key.first);
      count->set_label(key.second);
      count->set_entries(entries);
    }
    uint32_t more = std::max(into->more(), from.more());
    KeepMostFrequent(into->mutable_counts(), &more);
    into->set_more(more);
  }
}

}  // namespace guantong::search
