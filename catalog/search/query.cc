#include "catalog/search/query.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/search/facets.h"
#include "catalog/search/filter.h"

namespace guantong::search {
namespace {

// What a rank begins with, so that one of another order is noticed.
char RankMark(v1::SearchSort sort) {
  return sort == v1::SEARCH_SORT_DATE ? 'd' : sort == v1::SEARCH_SORT_NAME ? 'n' : 'r';
}

constexpr size_t kRankBytesMin = 6;  // a mark and a time; a mark, a key's end and a code

// In the name, or not.
enum class Tier : char { kName = 0, kElsewhere = 1 };

std::string RankOf(const Segment& segment, uint32_t d, v1::SearchSort sort, Tier tier) {
  std::string rank(1, RankMark(sort));
  if (sort == v1::SEARCH_SORT_NAME) {
    absl::StrAppend(&rank, segment.name_key(d));
    rank.push_back('\0');
  } else {
    if (sort != v1::SEARCH_SORT_DATE) {
      rank.push_back(static_cast<char>(tier));
      AppendBigEndian32(segment.name_chars(d), &rank);
    }
    AppendBigEndian32(~segment.changed(d), &rank);
  }
  absl::StrAppend(&rank, segment.code(d));
  return rank;
}

Bitmap WithPiece(const Segment& segment, const Piece& piece, Where where) {
  Bitmap all;
  const auto meet = [&](Bitmap with) {
    if (all == nullptr) {
      all = std::move(with);
    } else {
      roaring_bitmap_and_inplace(all.get(), with.get());
    }
  };
  for (uint64_t gram : piece.grams) {
    meet(segment.WithGram(gram, where));
    if (roaring_bitmap_is_empty(all.get())) return all;
  }
  for (const std::string& word : piece.words) meet(segment.WithWord(word, where));
  if (!piece.prefix.empty()) meet(segment.WithPrefix(piece.prefix, where));
  return all != nullptr ? std::move(all) : NewBitmap();
}

// The documents that may hold all words.
Bitmap Candidates(const Segment& segment, const std::vector<Alternatives>& words, Where where) {
  Bitmap all;
  for (const Alternatives& word : words) {
    Bitmap any;
    for (const Piece& piece : word) {
      Bitmap with = WithPiece(segment, piece, where);
      if (any == nullptr) {
        any = std::move(with);
      } else {
        roaring_bitmap_or_inplace(any.get(), with.get());
      }
    }
    if (any == nullptr) any = NewBitmap();
    if (all == nullptr) {
      all = std::move(any);
    } else {
      roaring_bitmap_and_inplace(all.get(), any.get());
    }
  }
  return all;
}

bool HoldsAll(absl::string_view text, const std::vector<const Alternatives*>& words) {
  return std::all_of(words.begin(), words.end(), [&](const Alternatives* word) {
    return std::any_of(word->begin(), word->end(), [&](const Piece& piece) {
      return FindPiece(text, piece.text) != absl::string_view::npos;
    });
  });
}

void DropHidden(const Part& part, const HiddenEntries& hidden, roaring_bitmap_t* documents) {
  for (const std::string& code : hidden.Codes()) {
    for (uint32_t d : part.segment->WithCode(code)) {
      const NodePlace* node = (*part.places)[part.segment->ordinals(kNode)[d]].node;
      if (node != nullptr && hidden.Hides(code, node->path)) roaring_bitmap_remove(documents, d);
    }
  }
}

// One question on one part.
class PartSearch {
 public:
  PartSearch(const Part& part, const Query& query, Found* found)
      : part_(part), segment_(*part.segment), query_(query), filter_(part, query), found_(*found) {
    for (const Alternatives& word : query.words) {
      const bool exact =
          std::all_of(word.begin(), word.end(), [](const Piece& piece) { return piece.exact; });
      if (!exact) to_compare_.push_back(&word);
    }
  }

  // The first `limit` + 1 hits in order, and all counts.
  void Run(size_t* compare_left, FacetCounter* facets) {
    if (filter_.none()) return;
    const auto* visible = query_.audience == kForOwn ? part_.for_own.get() : part_.for_others.get();
    if (query_.words.empty()) {
      anywhere_.reset(roaring_bitmap_copy(visible));
    } else {
      anywhere_ = Candidates(segment_, query_.words, Where::kAnywhere);
      roaring_bitmap_and_inplace(anywhere_.get(), visible);
    }
    if (!query_.hidden.empty()) DropHidden(part_, query_.hidden, anywhere_.get());
    if (!filter_.trivial()) KeepPassing();
    if (roaring_bitmap_is_empty(anywhere_.get())) return;
    if (!query_.words.empty() && ByRelevance()) {
      in_name_ = Candidates(segment_, query_.words, Where::kName);
      roaring_bitmap_and_inplace(in_name_.get(), anywhere_.get());
    }
    if (ByRelevance()) {
      TakeByRelevance();
    } else {
      TakeByKey();
    }
    CountAll(compare_left, facets);
  }
  std::vector<Hit>& hits() { return hits_; }

 private:
  bool ByRelevance() const {
    return query_.sort != v1::SEARCH_SORT_DATE && query_.sort != v1::SEARCH_SORT_NAME;
  }
  bool Holds(uint32_t d) const {
    return to_compare_.empty() || HoldsAll(segment_.text(d), to_compare_);
  }
  bool InName(uint32_t d) const {
    return in_name_ != nullptr && roaring_bitmap_contains(in_name_.get(), d) &&
           (to_compare_.empty() || HoldsAll(segment_.name(d), to_compare_));
  }
  void Take(uint32_t d, std::string rank) {
    hits_.push_back({std::string(segment_.code(d)), std::move(rank), segment_.fingerprint(d)});
  }
  // Once, before hits are taken and counted.
  void KeepPassing() {
    std::vector<uint32_t> passing;
    roaring_uint32_iterator_t at;
    roaring_init_iterator(anywhere_.get(), &at);
    std::array<uint32_t, 512> block;
    while (const uint32_t read = roaring_read_uint32_iterator(&at, block.data(), block.size())) {
      for (uint32_t i = 0; i < read; ++i) {
        if (filter_.Passes(block[i])) passing.push_back(block[i]);
      }
    }
    anywhere_.reset(roaring_bitmap_of_ptr(passing.size(), passing.data()));
  }
  bool Enough() const { return hits_.size() > query_.limit; }

  void TakeByRelevance() {
    const v1::SearchSort sort = query_.sort;
    const auto from = [&](const roaring_bitmap_t* set, Tier tier, auto wanted) {
      uint32_t first = 0;
      if (!query_.after.empty()) {
        first = segment_.FirstNot(
            [&](uint32_t d) { return RankOf(segment_, d, sort, tier) <= query_.after; });
      }
      roaring_uint32_iterator_t at;
      roaring_init_iterator(set, &at);
      if (first >= segment_.size() || !roaring_move_uint32_iterator_equalorlarger(&at, first))
        return;
      for (; at.has_value && !Enough(); roaring_advance_uint32_iterator(&at)) {
        const uint32_t d = at.current_value;
        if (wanted(d)) Take(d, RankOf(segment_, d, sort, tier));
      }
    };
    if (in_name_ != nullptr) {
      from(in_name_.get(), Tier::kName, [&](uint32_t d) { return InName(d); });
      if (Enough()) return;
    }
    const Tier rest = query_.words.empty() ? Tier::kName : Tier::kElsewhere;
    from(anywhere_.get(), rest, [&](uint32_t d) { return !InName(d) && Holds(d); });
  }

  // Orders that the numbers do not follow: a heap of the first ones after the
  // page token.
  void TakeByKey() {
    const v1::SearchSort sort = query_.sort;
    const bool by_name = sort == v1::SEARCH_SORT_NAME;
    const auto before = [&](uint32_t a, uint32_t b) {
      if (by_name) return segment_.name_rank(a) < segment_.name_rank(b);
      return std::make_pair(~segment_.changed(a), segment_.code(a)) <
             std::make_pair(~segment_.changed(b), segment_.code(b));
    };
    const absl::string_view after = query_.after;
    const auto on_this_page = [&](uint32_t d) {
      if (after.empty()) return true;
      if (by_name) {
        const size_t end = after.find('\0');
        return std::make_pair(after.substr(1, end - 1),
                              after.substr(std::min(end, after.size() - 1) + 1)) <
               std::make_pair(segment_.name_key(d), segment_.code(d));
      }
      const uint32_t last = ReadBigEndian32(after.substr(1, 4));
      const uint32_t mine = ~segment_.changed(d);
      return mine > last || (mine == last && segment_.code(d) > after.substr(5));
    };
    std::vector<uint32_t> heap;  // the last one on top
    roaring_uint32_iterator_t at;
    roaring_init_iterator(anywhere_.get(), &at);
    for (; at.has_value; roaring_advance_uint32_iterator(&at)) {
      const uint32_t d = at.current_value;
      if (heap.size() > query_.limit && before(heap.front(), d)) continue;
      if (!on_this_page(d) || !Holds(d)) continue;
      heap.push_back(d);
      std::push_heap(heap.begin(), heap.end(), before);
      if (heap.size() <= query_.limit + 1) continue;
      std::pop_heap(heap.begin(), heap.end(), before);
      heap.pop_back();
    }
    std::sort_heap(heap.begin(), heap.end(), before);
    for (uint32_t d : heap) Take(d, RankOf(segment_, d, sort, Tier::kName));
  }

  void CountAll(size_t* compare_left, FacetCounter* facets) {
    if (facets == nullptr && to_compare_.empty()) {
      found_.total += roaring_bitmap_get_cardinality(anywhere_.get());
      return;
    }
    if (facets != nullptr) facets->Begin(part_);
    roaring_uint32_iterator_t at;
    roaring_init_iterator(anywhere_.get(), &at);
    std::array<uint32_t, 512> block;
    while (const uint32_t read = roaring_read_uint32_iterator(&at, block.data(), block.size())) {
      const auto compared =
          to_compare_.empty() ? read : static_cast<uint32_t>(std::min<size_t>(read, *compare_left));
      uint32_t held = compared;
      if (!to_compare_.empty()) {
        *compare_left -= compared;
        held = static_cast<uint32_t>(std::remove_if(block.begin(), block.begin() + compared,
                                                    [&](uint32_t d) { return !Holds(d); }) -
                                     block.begin());
      }
      found_.total += held;
      if (facets != nullptr) facets->Count({block.data(), held});
      if (compared == read) continue;
      found_.total_is_least = true;
      break;
    }
    if (facets != nullptr) facets->End();
  }

  const Part& part_;
  const Segment& segment_;
  const Query& query_;
  const PartFilter filter_;
  Found& found_;
  std::vector<const Alternatives*> to_compare_;
  Bitmap anywhere_;
  Bitmap in_name_;
  std::vector<Hit> hits_;
};

}  // namespace

absl::StatusOr<Found> Search(const View& view, const Query& query) {
  GT_RETURN_IF_ERROR(CheckFilter(query.filter));
  if (!query.after.empty() &&
      (query.after[0] != RankMark(query.sort) || query.after.size() < kRankBytesMin)) {
    return Error(absl::StatusCode::kInvalidArgument, "page_token_malformed",
                 "翻页标记与排序不符 (the page token is of another order)", "page_token",
                 "从第一页重新查 (begin with the first page)");
  }
  Found found;
  std::optional<FacetCounter> counter;
  if (query.facets) counter.emplace(view);
  FacetCounter* facets = counter.has_value() ? &*counter : nullptr;
  size_t compare_left = facets != nullptr ? kComparedForFacetsMax : kComparedMax;
  for (const Part& part : view.parts) {
    PartSearch search(part, query, &found);
    search.Run(&compare_left, facets);
    std::move(search.hits().begin(), search.hits().end(), std::back_inserter(found.hits));
  }
  std::sort(found.hits.begin(), found.hits.end(),
            [](const Hit& a, const Hit& b) { return a.rank < b.rank; });
  found.more = found.hits.size() > query.limit;
  if (found.more) found.hits.resize(query.limit);
  if (facets != nullptr) found.facets = counter->Take();
  return found;
}

std::vector<ClassTotal> CountClasses(const View& view, uint8_t audience,
                                     const HiddenEntries& hidden) {
  std::map<std::string, uint64_t, std::less<>> totals;  // by the classes as they are joined
  for (const Part& part : view.parts) {
    const Segment& segment = *part.segment;
    std::vector<uint32_t> counts(segment.values(kClass));
    const auto* visible = audience == kForOwn ? part.for_own.get() : part.for_others.get();
    Bitmap shown;
    if (!hidden.empty()) {
      shown.reset(roaring_bitmap_copy(visible));
      DropHidden(part, hidden, shown.get());
      visible = shown.get();
    }
    roaring_uint32_iterator_t at;
    roaring_init_iterator(visible, &at);
    for (; at.has_value; roaring_advance_uint32_iterator(&at))
      ++counts[segment.ordinals(kClass)[at.current_value]];
    for (uint32_t v = 0; v < counts.size(); ++v) {
      if (counts[v] > 0) totals[std::string(segment.value(kClass, v))] += counts[v];
    }
  }
  std::vector<ClassTotal> all;
  for (const auto& [joined, entries] : totals) {
    ClassTotal& total = all.emplace_back();
    total.entries = entries;
    VisitValues(joined, [&](absl::string_view code) { total.codes.emplace_back(code); });
  }
  return all;
}

}  // namespace guantong::search
