#include "node/searches.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/search/query.h"
#include "node/highlight.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr char kFind[] = "find";

absl::Status Malformed() {
  return Error(absl::StatusCode::kInvalidArgument, "call_malformed",
               "调用内容无法解析 (the call's body does not parse)");
}

size_t LimitOf(const v1::FindRequest& request) {
  return std::min(request.limit() == 0 ? kSearchLimitDefault : request.limit(), kSearchLimitMax);
}

absl::StatusOr<search::Query> QueryOf(const v1::FindRequest& request,
                                      const search::Synonyms& synonyms) {
  search::Query query;
  const std::vector<search::Piece> pieces = search::PiecesOf(request.words());
  if (pieces.size() > kWordsMax) {
    return Error(absl::StatusCode::kInvalidArgument, "words_too_many",
                 absl::StrCat("检索词超过 ", kWordsMax, " 个 (too many words)"));
  }
  for (const search::Piece& piece : pieces) query.words.push_back(synonyms.Expand(piece));
  query.filter = request.filter();
  query.sort = request.sort();
  query.facets = request.facets();
  query.limit = LimitOf(request);
  if (!absl::WebSafeBase64Unescape(request.page_token(), &query.after)) {
    return Error(absl::StatusCode::kInvalidArgument, "page_token_malformed",
                 "翻页标记无法识别 (the page token is none of ours)", "page_token",
                 "从第一页重新查 (begin with the first page)");
  }
  if (request.has_outside()) {
    GT_ASSIGN_OR_RETURN(query.outside, NodePath::Parse(request.outside()));
  }
  return query;
}

// The entry has changed since the index took it in: does it still belong here?
bool StillHolds(const v1::CatalogEntry& entry, const search::Query& query) {
  const std::string text = search::TextOf(entry);
  return std::all_of(query.words.begin(), query.words.end(), [&](const search::Alternatives& word) {
    return std::any_of(word.begin(), word.end(), [&](const search::Piece& piece) {
      return search::FindPiece(text, piece.text) != absl::string_view::npos;
    });
  });
}

v1::IndexState Later(const v1::IndexState& a, const v1::IndexState& b) {
  v1::IndexState both;
  both.set_entries(a.entries() + b.entries());
  both.set_behind_ms(std::max(a.behind_ms(), b.behind_ms()));
  both.set_building(a.building() || b.building());
  return both;
}

// Two pages of the same question, by rank; what is on both is taken from `nearer`.
v1::FindResponse Merge(const v1::FindResponse& nearer, const v1::FindResponse& wider,
                       size_t limit) {
  v1::FindResponse merged;
  std::set<std::string> codes;
  for (const v1::Hit& hit : nearer.hits()) codes.insert(hit.shown().entry().code());
  int a = 0, b = 0;
  while (a < nearer.hits_size() || b < wider.hits_size()) {
    if (static_cast<size_t>(merged.hits_size()) == limit) break;
    // Past the end of a page that goes on nothing is known of it.
    if (a == nearer.hits_size() && !nearer.next_page_token().empty()) break;
    if (b == wider.hits_size() && !wider.next_page_token().empty()) break;
    const bool from_nearer =
        b == wider.hits_size() ||
        (a < nearer.hits_size() && nearer.hits(a).rank() <= wider.hits(b).rank());
    const v1::Hit& next = from_nearer ? nearer.hits(a++) : wider.hits(b++);
    if (from_nearer || codes.count(next.shown().entry().code()) == 0) *merged.add_hits() = next;
  }
  const bool more = a < nearer.hits_size() || b < wider.hits_size() ||
                    !nearer.next_page_token().empty() || !wider.next_page_token().empty();
  if (more && merged.hits_size() > 0) {
    merged.set_next_page_token(
        absl::WebSafeBase64Escape(merged.hits(merged.hits_size() - 1).rank()));
  }
  merged.set_total(nearer.total() + wider.total());
  merged.set_total_is_least(nearer.total_is_least() || wider.total_is_least());
  *merged.mutable_facets() = nearer.facets();
  search::MergeFacets(wider.facets(), merged.mutable_facets());
  *merged.mutable_index() = Later(nearer.index(), wider.index());
  return merged;
}

// Who answers leaves out what is not shown in the asker's branch; a ruling it has not heard of yet
// is held against its answer here.
void DropHidden(const HiddenEntries& hidden, v1::FindResponse* list) {
  if (hidden.empty()) return;
  auto* hits = list->mutable_hits();
  const auto end = std::remove_if(hits->begin(), hits->end(), [&](const v1::Hit& hit) {
    const absl::StatusOr<NodePath> place = NodePath::Parse(hit.shown().provider_path());
    return place.ok() && hidden.Hides(hit.shown().entry().code(), *place);
  });
  const auto dropped = static_cast<uint64_t>(hits->end() - end);
  hits->erase(end, hits->end());
  list->set_total(list->total() - std::min<uint64_t>(list->total(), dropped));
}

// The class right below `above` that `code` is in or below: as the tree says, or, of a code it does
// not know, by the widths of 类, 项 and 目; further below the codes that occur are the classes.
std::string ClassBelow(const ClassTree& tree, absl::string_view above, const std::string& code) {
  for (const v1::ClassNode* node = tree.Find(code); node != nullptr;
       node = tree.Find(node->parent())) {
    if (absl::string_view(node->parent()) == above) return node->code();
  }
  constexpr size_t kWidths[] = {1, 3, 6};
  for (const size_t width : kWidths) {
    if (width > above.size()) return code.substr(0, width);
  }
  return code;
}

}  // namespace

void Searches::Register() {
  parts_.calls->Serve(
      kFind, [this](const v1::SignedCall& call, absl::Time) -> absl::StatusOr<std::string> {
        v1::FindRequest request;
        if (!request.ParseFromString(call.body())) return Malformed();
        // The scope is the asker's: it asked this node because this node's branch is what
        // it wants.
        GT_ASSIGN_OR_RETURN(
            const v1::FindResponse list,
            FindHere(request, site_.path(), UpwardItems::kKeptBack,
                     HiddenBetween(*site_.store->Snapshot(), call.caller().path())));
        return list.SerializeAsString();
      });
}

NodePath Searches::HeldHere() const {
  return Wanted(site_.options.catalog_scope == CatalogScope::kCountry    ? v1::SEARCH_SCOPE_COUNTRY
                : site_.options.catalog_scope == CatalogScope::kProvince ? v1::SEARCH_SCOPE_PROVINCE
                                                                         : v1::SEARCH_SCOPE_BRANCH);
}

NodePath Searches::Wanted(v1::SearchScope scope) const {
  if (scope == v1::SEARCH_SCOPE_COUNTRY) return NodePath();
  if (scope == v1::SEARCH_SCOPE_PROVINCE)
    return site_.path().Ancestor(std::min<size_t>(1, site_.path().depth()));
  return site_.path();
}

std::shared_ptr<const search::Synonyms> Searches::SynonymsOn(const Reader& snapshot) {
  const absl::CivilDay today = DayOf(absl::Now());
  const std::shared_ptr<const RuleBook> book = parts_.rules->Book(snapshot);
  std::lock_guard<std::mutex> lock(mutex_);
  if (synonyms_ == nullptr || book != book_ || today != day_) {
    synonyms_ = std::make_shared<const search::Synonyms>(book->On(today).Synonyms());
    book_ = book;
    day_ = today;
  }
  return synonyms_;
}

HiddenEntries Searches::HiddenBetween(const Reader& snapshot, absl::string_view below) const {
  const absl::StatusOr<NodePath> asker = NodePath::Parse(below);
  std::vector<Ruler> rulers;
  if (!asker.ok()) return {};
  const std::shared_ptr<const search::View> view = parts_.indexer->view();
  for (const auto& [node_id, place] : *view->nodes) {
    if (place.path.depth() > site_.path().depth() && place.path.Contains(*asker))
      rulers.push_back({.node_id = node_id, .path = place.path});
  }
  return HiddenEntries(snapshot, rulers);
}

absl::StatusOr<v1::FindResponse> Searches::FindHere(const v1::FindRequest& request,
                                                    const NodePath& within, UpwardItems items,
                                                    HiddenEntries hidden) {
  GT_ASSIGN_OR_RETURN(search::Query query, QueryOf(request, *SynonymsOn(*site_.store->Snapshot())));
  query.hidden = std::move(hidden);
  if (!request.filter().class_().empty()) {
    query.in_class = [tree = parts_.classes->Tree(*site_.store->Snapshot()),
                      above = request.filter().class_()](absl::string_view code) {
      return tree->Within(code, above);
    };
  }
  query.within = within;
  query.audience = items == UpwardItems::kShown ? search::kForOwn : search::kForOthers;
  v1::FindResponse list;
  *list.mutable_index() = parts_.indexer->state();
  const std::shared_ptr<const search::View> view = parts_.indexer->view();
  GT_ASSIGN_OR_RETURN(search::Found found, search::Search(*view, query));
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  std::vector<std::string> marked;
  for (const search::Alternatives& word : query.words) {
    for (const search::Piece& piece : word) marked.push_back(piece.text);
  }
  size_t bytes = 0;
  std::string last;
  bool more = found.more;
  for (const search::Hit& hit : found.hits) {
    // What is answered comes from the store: the index only says where to look.
    absl::StatusOr<v1::CatalogEntry> entry = FindEntry(*snapshot, hit.code, items);
    const bool good = entry.ok() && entry->state() == v1::ENTRY_STATE_PUBLISHED &&
                      (search::Fingerprint(*entry) == hit.fingerprint || StillHolds(*entry, query));
    if (good) {
      v1::Hit told;
      *told.mutable_shown()->mutable_entry() = *std::move(entry);
      parts_.finder->Describe(*snapshot, told.mutable_shown());
      told.set_rank(hit.rank);
      AddHighlights(marked, &told);
      bytes += told.ByteSizeLong();
      if (bytes > kReplyBytesMax / 2 && list.hits_size() > 0) {
        more = true;
        break;
      }
      *list.add_hits() = std::move(told);
    }
    last = hit.rank;
  }
  if (more) list.set_next_page_token(absl::WebSafeBase64Escape(last));
  list.set_total(found.total);
  list.set_total_is_least(found.total_is_least);
  for (v1::Facet& facet : found.facets) *list.add_facets() = std::move(facet);
  list.set_complete(!list.index().building());
  if (list.index().building())
    list.set_note("检索索引正在建立，结果不全 (the search index is being made)");
  return list;
}

absl::StatusOr<v1::FindResponse> Searches::Find(const v1::FindRequest& request,
                                                const CallerIdentity& caller, absl::Time deadline,
                                                HiddenEntries hidden) {
  const NodePath wanted = Wanted(request.scope());
  const NodePath held = HeldHere();
  GT_ASSIGN_OR_RETURN(v1::FindResponse here,
                      FindHere(request, held.Contains(wanted) ? wanted : held, UpwardItems::kShown,
                               std::move(hidden)));
  if (held.Contains(wanted)) {
    NameClasses(&here);
    return here;
  }
  v1::FindRequest asked = request;
  asked.set_outside(held.text());
  Calls::Highest above = parts_.calls->AskHighest(
      wanted, {.method = kFind, .body = asked.SerializeAsString(), .uscc = caller.uscc}, deadline);
  v1::FindResponse wider;
  if (above.answer.status.ok() && !wider.ParseFromString(above.answer.body))
    above.answer.status = above.missing = Malformed();
  const absl::Status& missing = above.missing;
  if (above.answer.status.ok()) {
    DropHidden(*parts_.hidden->At(*site_.store->Snapshot()), &wider);
    v1::FindResponse merged = Merge(here, wider, LimitOf(request));
    merged.mutable_hops()->Assign(above.answer.hops.begin(), above.answer.hops.end());
    merged.set_complete(missing.ok() && here.complete() && wider.complete());
    merged.set_note(wider.complete() ? here.note() : wider.note());
    if (!missing.ok()) {
      merged.set_note(absl::StrCat("只查到 ", DisplayPath(above.by),
                                   " 的目录 (searched only below it): ", missing.message()));
    }
    NameClasses(&merged);
    return merged;
  }
  here.set_complete(false);
  here.set_note(absl::StrCat("上级不可达，只查了本节点的目录 (only this node was searched): ",
                             missing.message()));
  NameClasses(&here);
  return here;
}

void Searches::NameClasses(v1::FindResponse* list) const {
  const std::shared_ptr<const ClassTree> tree = parts_.classes->Tree(*site_.store->Snapshot());
  for (v1::Facet& facet : *list->mutable_facets()) {
    if (facet.name() != "class") continue;
    for (v1::FacetCount& count : *facet.mutable_counts()) {
      const v1::ClassNode* node = tree->Find(count.value());
      if (node != nullptr) count.set_label(node->name());
    }
  }
}

v1::BrowseResponse Searches::Browse(const v1::BrowseRequest& request,
                                    const HiddenEntries& hidden) const {
  v1::BrowseResponse response;
  *response.mutable_index() = parts_.indexer->state();
  const std::shared_ptr<const ClassTree> tree = parts_.classes->Tree(*site_.store->Snapshot());
  const std::string& above = request.class_();
  struct Below {
    uint64_t entries = 0;
    bool leaf = true;
  };
  std::map<std::string, Below> counts;
  for (const search::ClassTotal& total :
       search::CountClasses(*parts_.indexer->view(), search::kForOwn, hidden)) {
    // An entry of several classes counts once in each class around them.
    std::set<std::string> met;
    bool here = false;
    for (const std::string& code : total.codes) {
      here |= code == above;
      if (code == above || !tree->Within(code, above)) continue;
      const std::string below = ClassBelow(*tree, above, code);
      counts[below].leaf &= code == below;
      met.insert(below);
    }
    for (const std::string& below : met) counts[below].entries += total.entries;
    if (here) response.set_here(response.here() + total.entries);
    if (here || !met.empty()) response.set_entries(response.entries() + total.entries);
  }
  for (const auto& [code, below] : counts) {
    v1::ClassCount& count = *response.add_classes();
    count.set_class_(code);
    count.set_entries(below.entries);
    count.set_leaf(below.leaf);
    const v1::ClassNode* node = tree->Find(code);
    if (node != nullptr) count.set_name(node->name());
  }
  return response;
}

}  // namespace guantong
