// Merging: the orders of the inputs are merged pairwise, and every set of
// documents is mapped to the new numbers. Nothing is folded or cut into terms
// again. Besides the maps, only one term is in memory at a time.
#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "catalog/base/status.h"
#include "catalog/search/section_writer.h"
#include "catalog/search/segment_file.h"

namespace guantong::search {
namespace {

constexpr uint32_t kGone = std::numeric_limits<uint32_t>::max();

// A document of an input.
struct Place {
  uint32_t input;
  uint32_t document;
};

// Sorted lists into one: k lists cost log k passes.
template <typename T, typename Less>
std::vector<T> MergeLists(std::vector<std::vector<T>> lists, Less less) {
  if (lists.empty()) return {};
  while (lists.size() > 1) {
    std::vector<std::vector<T>> fewer;
    for (size_t i = 0; i < lists.size(); i += 2) {
      if (i + 1 == lists.size()) {
        fewer.push_back(std::move(lists[i]));
        continue;
      }
      std::vector<T> both(lists[i].size() + lists[i + 1].size());
      std::merge(lists[i].begin(), lists[i].end(), lists[i + 1].begin(), lists[i + 1].end(),
                 both.begin(), less);
      fewer.push_back(std::move(both));
    }
    lists = std::move(fewer);
  }
  return std::move(lists[0]);
}

class Merger {
 public:
  Merger(const std::vector<MergeInput>& inputs, Sink* sink, const std::function<bool()>& goes_on)
      : inputs_(inputs), goes_on_(goes_on), out_(sink) {}

  absl::StatusOr<WrittenSegment> Run() {
    Number();
    Texts<uint64_t>(kTextSection, [](const Segment& s, uint32_t d) { return s.text(d); });
    Texts<uint32_t>(kCodeSection, [](const Segment& s, uint32_t d) { return s.code(d); });
    out_.Section(kCodeOrderSection,
                 Order([](const Segment& s, uint32_t n) { return s.code_order(n); },
                       [this](uint32_t a, uint32_t b) {
                         return std::make_pair(SegmentOf(a).code(documents_[a].document), a) <
                                std::make_pair(SegmentOf(b).code(documents_[b].document), b);
                       }));
    Column<uint32_t>(kNameCharsSection,
                     [](const Segment& s, uint32_t d) { return s.name_chars(d); });
    Column<uint32_t>(kChangedSection, [](const Segment& s, uint32_t d) { return s.changed(d); });
    Column<uint8_t>(kAudienceSection, [](const Segment& s, uint32_t d) { return s.audience(d); });
    Column<uint64_t>(kFingerprintSection,
                     [](const Segment& s, uint32_t d) { return s.fingerprint(d); });
    Texts<uint32_t>(kNameKeySection, [](const Segment& s, uint32_t d) { return s.name_key(d); });
    NameRanks();
    Attributes();
    GT_RETURN_IF_ERROR(Continue());
    PostingWriter postings(&out_);
    GT_RETURN_IF_ERROR(Grams(&postings));
    GT_RETURN_IF_ERROR(Words(&postings));
    postings.Finish();
    return out_.Finish();
  }

 private:
  const Segment& SegmentOf(uint32_t document) const {
    return *inputs_[documents_[document].input].segment;
  }
  absl::Status Continue() const {
    return goes_on_() ? absl::OkStatus()
                      : Error(absl::StatusCode::kCancelled, "index_merge_ended", "merge ended");
  }

  void Number() {
    std::vector<std::vector<Place>> lists;
    for (uint32_t i = 0; i < inputs_.size(); ++i) {
      auto& list = lists.emplace_back();
      for (uint32_t d = 0; d < inputs_[i].segment->size(); ++d) {
        if (!HasBit(inputs_[i].deleted, d)) list.push_back({i, d});
      }
    }
    const auto key = [this](const Place& place) {
      const Segment& s = *inputs_[place.input].segment;
      return std::make_tuple(s.name_chars(place.document), ~s.changed(place.document),
                             s.code(place.document), s.audience(place.document));
    };
    documents_ = MergeLists(std::move(lists),
                            [&](const Place& a, const Place& b) { return key(a) < key(b); });
    for (const MergeInput& input : inputs_) new_numbers_.emplace_back(input.segment->size(), kGone);
    for (uint32_t n = 0; n < documents_.size(); ++n)
      new_numbers_[documents_[n].input][documents_[n].document] = n;
  }

  template <typename Begin, typename Get>
  void Texts(Section section, Get get) {
    std::vector<Begin> begins = {0};
    out_.Begin(section);
    for (const Place& place : documents_) {
      const absl::string_view text = get(*inputs_[place.input].segment, place.document);
      out_.Add(text);
      begins.push_back(static_cast<Begin>(begins.back() + text.size()));
    }
    out_.Section(static_cast<Section>(section + 1), begins);
  }

  template <typename T, typename Get>
  void Column(Section section, Get get) {
    std::vector<T> column;
    column.reserve(documents_.size());
    for (const Place& place : documents_)
      column.push_back(get(*inputs_[place.input].segment, place.document));
    out_.Section(section, column);
  }

  // New numbers in another order, that the inputs have each.
  template <typename Nth, typename Less>
  std::vector<uint32_t> Order(Nth nth, Less less) {
    std::vector<std::vector<uint32_t>> lists;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      auto& list = lists.emplace_back();
      for (uint32_t n = 0; n < inputs_[i].segment->size(); ++n) {
        const uint32_t number = new_numbers_[i][nth(*inputs_[i].segment, n)];
        if (number != kGone) list.push_back(number);
      }
    }
    return MergeLists(std::move(lists), less);
  }

  void NameRanks() {
    // What each input has at a rank.
    std::vector<std::vector<uint32_t>> at_rank;
    for (const MergeInput& input : inputs_) {
      std::vector<uint32_t>& documents = at_rank.emplace_back(input.segment->size());
      for (uint32_t d = 0; d < documents.size(); ++d) documents[input.segment->name_rank(d)] = d;
    }
    size_t input = 0;
    std::vector<std::vector<uint32_t>> lists;
    for (; input < inputs_.size(); ++input) {
      auto& list = lists.emplace_back();
      for (uint32_t document : at_rank[input]) {
        if (new_numbers_[input][document] != kGone) list.push_back(new_numbers_[input][document]);
      }
    }
    const auto key = [this](uint32_t n) {
      const Segment& s = SegmentOf(n);
      return std::make_tuple(s.name_key(documents_[n].document), s.code(documents_[n].document), n);
    };
    const std::vector<uint32_t> order =
        MergeLists(std::move(lists), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
    std::vector<uint32_t> rank(order.size());
    for (uint32_t n = 0; n < order.size(); ++n) rank[order[n]] = n;
    out_.Section(kNameRankSection, rank);
  }

  void Attributes() {
    std::vector<std::string> all;
    std::vector<uint32_t> counts;
    out_.Begin(kColumnSection);
    for (size_t a = 0; a < kAttributes; ++a) {
      std::vector<absl::string_view> values;
      for (const MergeInput& input : inputs_) {
        for (uint32_t v = 0; v < input.segment->values(a); ++v)
          values.push_back(input.segment->value(a, v));
      }
      std::sort(values.begin(), values.end());
      values.erase(std::unique(values.begin(), values.end()), values.end());
      std::vector<std::vector<uint32_t>> ordinals;
      for (const MergeInput& input : inputs_) {
        std::vector<uint32_t>& map = ordinals.emplace_back();
        for (uint32_t v = 0; v < input.segment->values(a); ++v) {
          const auto at =
              std::lower_bound(values.begin(), values.end(), input.segment->value(a, v));
          map.push_back(static_cast<uint32_t>(at - values.begin()));
        }
      }
      std::vector<uint32_t> column;
      column.reserve(documents_.size());
      for (const Place& place : documents_) {
        const uint32_t old = inputs_[place.input].segment->ordinals(a)[place.document];
        column.push_back(ordinals[place.input][old]);
      }
      out_.Add(column);
      counts.push_back(static_cast<uint32_t>(values.size()));
      for (absl::string_view value : values) all.emplace_back(value);
    }
    std::vector<uint32_t> begins = {0};
    out_.Begin(kValueSection);
    for (const std::string& value : all) {
      out_.Add(value);
      begins.push_back(static_cast<uint32_t>(begins.back() + value.size()));
    }
    out_.Section(kValueBeginSection, begins);
    out_.Section(kValueCountSection, counts);
  }

  // `read` appends the old numbers; the new ones go into documents.
  template <typename Read>
  void Map(size_t input, Read read, std::vector<uint32_t>* documents) {
    old_.clear();
    read(&old_);
    for (uint32_t d : old_) {
      const uint32_t number = new_numbers_[input][d];
      if (number != kGone) documents->push_back(number);
    }
  }
  // Each input's share is in order.
  static void SortShares(const std::vector<size_t>& ends, std::vector<uint32_t>* documents) {
    for (size_t i = 1; i < ends.size(); ++i) {
      std::inplace_merge(documents->begin(),
                         documents->begin() + static_cast<ptrdiff_t>(ends[i - 1]),
                         documents->begin() + static_cast<ptrdiff_t>(ends[i]));
    }
  }

  template <typename Key, typename Count, typename At, typename Read, typename Put>
  absl::Status Terms(Count count, At at, Read read, Put put) {
    std::vector<size_t> next(inputs_.size(), 0);
    std::vector<uint32_t> documents;
    std::vector<size_t> ends;
    for (uint64_t done = 0;; ++done) {
      if (done % 4096 == 0) GT_RETURN_IF_ERROR(Continue());
      bool any = false;
      Key least{};
      for (size_t i = 0; i < inputs_.size(); ++i) {
        const Segment& s = *inputs_[i].segment;
        if (next[i] == count(s)) continue;
        const Key key = at(s, next[i]);
        if (!any || key < least) least = key;
        any = true;
      }
      if (!any) return absl::OkStatus();
      documents.clear();
      ends.clear();
      for (size_t i = 0; i < inputs_.size(); ++i) {
        const Segment& s = *inputs_[i].segment;
        if (next[i] == count(s) || at(s, next[i]) != least) continue;
        Map(
            i, [&](std::vector<uint32_t>* out) { read(s, next[i], out); }, &documents);
        ends.push_back(documents.size());
        ++next[i];
      }
      SortShares(ends, &documents);
      if (!documents.empty()) put(least, documents);
    }
  }

  absl::Status Grams(PostingWriter* postings) {
    return Terms<uint64_t>(
        [](const Segment& s) { return s.grams(); },
        [](const Segment& s, size_t n) { return s.gram(n); },
        [](const Segment& s, size_t n, std::vector<uint32_t>* out) { s.GramDocuments(n, out); },
        [&](uint64_t key, const std::vector<uint32_t>& d) { postings->AddGram(key, d); });
  }
  absl::Status Words(PostingWriter* postings) {
    return Terms<absl::string_view>(
        [](const Segment& s) { return s.words(); },
        [](const Segment& s, size_t n) { return s.word(n); },
        [](const Segment& s, size_t n, std::vector<uint32_t>* out) { s.WordDocuments(n, out); },
        [&](absl::string_view key, const std::vector<uint32_t>& d) { postings->AddWord(key, d); });
  }

  const std::vector<MergeInput>& inputs_;
  const std::function<bool()>& goes_on_;
  SectionWriter out_;
  std::vector<Place> documents_;                    // by new number
  std::vector<std::vector<uint32_t>> new_numbers_;  // by input and old number
  std::vector<uint32_t> old_;
};

}  // namespace

absl::StatusOr<WrittenSegment> MergeSegments(const std::vector<MergeInput>& inputs, Sink* sink,
                                             const std::function<bool()>& goes_on) {
  return Merger(inputs, sink, goes_on).Run();
}

}  // namespace guantong::search
