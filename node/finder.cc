#include "node/finder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/view.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr char kLookup[] = "lookup";
constexpr char kSearch[] = "search";

absl::Status Malformed() {
  return Error(absl::StatusCode::kInvalidArgument, "call_malformed",
               "调用内容无法解析 (the call's body does not parse)");
}

// Two pages of the same question, by code; what is on both is taken from `nearer`.
v1::EntryList Merge(const v1::EntryList& nearer, const v1::EntryList& wider, size_t limit) {
  v1::EntryList merged;
  int a = 0, b = 0;
  while (a < nearer.entries_size() || b < wider.entries_size()) {
    if (static_cast<size_t>(merged.entries_size()) == limit) break;
    // Past the end of a page that goes on nothing is known of it.
    if (a == nearer.entries_size() && !nearer.next_page_token().empty()) break;
    if (b == wider.entries_size() && !wider.next_page_token().empty()) break;
    const bool only_a = b == wider.entries_size();
    const bool only_b = a == nearer.entries_size();
    const int order =
        only_a   ? -1
        : only_b ? 1
                 : nearer.entries(a).entry().code().compare(wider.entries(b).entry().code());
    *merged.add_entries() = order <= 0 ? nearer.entries(a) : wider.entries(b);
    if (order <= 0) ++a;
    if (order >= 0) ++b;
  }
  const bool more = a < nearer.entries_size() || b < wider.entries_size() ||
                    !nearer.next_page_token().empty() || !wider.next_page_token().empty();
  if (more && merged.entries_size() > 0) {
    merged.set_next_page_token(merged.entries(merged.entries_size() - 1).entry().code());
  }
  return merged;
}

}  // namespace

Finder::Finder(const Site* site, Calls* calls, const Directory* directory, Hidden* hidden)
    : site_(*site), calls_(*calls), directory_(*directory), hidden_(*hidden) {}

void Finder::Register() {
  calls_.Serve(kLookup,
               [this](const v1::SignedCall& call, absl::Time) -> absl::StatusOr<std::string> {
                 GT_ASSIGN_OR_RETURN(
                     const v1::ShowResponse found,
                     FindHere(*site_.store->Snapshot(), call.body(), UpwardItems::kKeptBack));
                 return found.SerializeAsString();
               });
  calls_.Serve(kSearch,
               [this](const v1::SignedCall& call, absl::Time) -> absl::StatusOr<std::string> {
                 v1::SearchRequest request;
                 if (!request.ParseFromString(call.body())) return Malformed();
                 // The scope is the asker's: it asked this node because this node's branch is what
                 // it wants.
                 GT_ASSIGN_OR_RETURN(const v1::EntryList list,
                                     SearchHere(request, site_.path(), UpwardItems::kKeptBack));
                 return list.SerializeAsString();
               });
}

void Finder::Describe(const Reader& snapshot, v1::ShowResponse* found) const {
  absl::StatusOr<v1::TreeNode> node = directory_.Find(snapshot, found->entry().node());
  if (!node.ok()) return;
  found->set_provider_path(node->path());
  found->set_provider_node_name(node->name());
}

absl::StatusOr<v1::ShowResponse> Finder::FindHere(const Reader& snapshot, absl::string_view code,
                                                  UpwardItems items) const {
  v1::ShowResponse found;
  GT_ASSIGN_OR_RETURN(*found.mutable_entry(), FindEntry(snapshot, code, items));
  if (!directory_.Find(snapshot, found.entry().node()).ok()) {
    return Error(
        absl::StatusCode::kNotFound, "entry_unknown",
        absl::StrCat("条目 ", code, " 的提供节点未知 (the entry's node is not known here)"), code);
  }
  Describe(snapshot, &found);
  return found;
}

absl::StatusOr<v1::ShowResponse> Finder::FindKnown(absl::string_view code) const {
  return FindHere(*site_.store->Snapshot(), code, UpwardItems::kShown);
}

absl::StatusOr<v1::ShowResponse> Finder::Find(absl::string_view code, const CallerIdentity& caller,
                                              absl::Time deadline) {
  absl::StatusOr<v1::ShowResponse> here = FindKnown(code);
  if (here.ok() || !absl::IsNotFound(here.status())) return here;
  absl::Status unasked;
  for (const v1::TreeNode& ancestor : directory_.ancestors()) {
    CallAnswer answer = calls_.Ask({.target = ancestor.path(),
                                    .method = kLookup,
                                    .body = std::string(code),
                                    .uscc = caller.uscc,
                                    .budget = deadline - absl::Now()});
    if (absl::IsNotFound(answer.status)) continue;
    if (!answer.status.ok()) {
      unasked = answer.status;
      break;  // whoever stands above is behind the same hop
    }
    v1::ShowResponse found;
    if (!found.ParseFromString(answer.body)) return Malformed();
    found.mutable_hops()->Assign(answer.hops.begin(), answer.hops.end());
    return found;
  }
  if (!unasked.ok()) {
    return Annotate(unasked,
                    absl::StrCat("本节点没有条目 ", code,
                                 "，向上级查询失败 (not known here, and asking above failed): "));
  }
  return Error(absl::StatusCode::kNotFound, "entry_unknown",
               absl::StrCat("没有这个条目：", code, " (no such entry)"), code,
               "核对代码，或用 guantong catalog search 查找 (check the code, or search)");
}

NodePath Finder::HeldHere() const {
  return Wanted(site_.options.catalog_scope == CatalogScope::kCountry    ? v1::SEARCH_SCOPE_COUNTRY
                : site_.options.catalog_scope == CatalogScope::kProvince ? v1::SEARCH_SCOPE_PROVINCE
                                                                         : v1::SEARCH_SCOPE_BRANCH);
}

NodePath Finder::Wanted(v1::SearchScope scope) const {
  if (scope == v1::SEARCH_SCOPE_COUNTRY) return NodePath();
  if (scope == v1::SEARCH_SCOPE_PROVINCE)
    return site_.path().Ancestor(std::min<size_t>(1, site_.path().depth()));
  return site_.path();
}

absl::StatusOr<v1::EntryList> Finder::SearchHere(const v1::SearchRequest& request,
                                                 const NodePath& within, UpwardItems items) const {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  const std::shared_ptr<const HiddenEntries> hidden = hidden_.At(*snapshot);
  EntryQuery query;
  for (absl::string_view word :
       absl::StrSplit(request.words(), absl::ByAnyChar(" \t\n"), absl::SkipEmpty())) {
    query.words.push_back(std::string(word));
  }
  if (query.words.size() > kWordsMax) {
    return Error(absl::StatusCode::kInvalidArgument, "words_too_many",
                 absl::StrCat("检索词超过 ", kWordsMax, " 个 (too many words)"));
  }
  const size_t limit =
      std::min(request.limit() == 0 ? kSearchLimitDefault : request.limit(), kSearchLimitMax);
  query.after_code = request.page_token();
  query.limit = limit;
  query.items = items;
  v1::EntryList list;
  list.set_complete(true);
  size_t bytes = 0;
  while (true) {
    EntryPage page = FindEntries(*snapshot, query);
    for (v1::CatalogEntry& entry : page.entries) {
      v1::ShowResponse found;
      *found.mutable_entry() = std::move(entry);
      Describe(*snapshot, &found);
      absl::StatusOr<NodePath> path = NodePath::Parse(found.provider_path());
      const bool known = found.entry().node() == site_.node_id() ||
                         !found.provider_path().empty() || !found.provider_node_name().empty();
      if (!known || !path.ok() || !within.Contains(*path)) continue;
      if (hidden->Hides(found.entry().code(), *path)) continue;
      bytes += found.ByteSizeLong();
      const bool full =
          static_cast<size_t>(list.entries_size()) == limit || bytes > kReplyBytesMax / 2;
      if (full && list.entries_size() > 0) {
        list.set_next_page_token(list.entries(list.entries_size() - 1).entry().code());
        return list;
      }
      *list.add_entries() = std::move(found);
    }
    if (page.next_after_code.empty()) return list;
    query.after_code = page.next_after_code;
  }
}

absl::StatusOr<v1::EntryList> Finder::Search(const v1::SearchRequest& request,
                                             const CallerIdentity& caller, absl::Time deadline) {
  const NodePath wanted = Wanted(request.scope());
  const NodePath held = HeldHere();
  GT_ASSIGN_OR_RETURN(v1::EntryList here, SearchHere(request, held.Contains(wanted) ? wanted : held,
                                                     UpwardItems::kShown));
  if (held.Contains(wanted)) return here;
  const size_t limit =
      std::min(request.limit() == 0 ? kSearchLimitDefault : request.limit(), kSearchLimitMax);
  Calls::Highest above = calls_.AskHighest(
      wanted, {.method = kSearch, .body = request.SerializeAsString(), .uscc = caller.uscc},
      deadline);
  v1::EntryList wider;
  if (above.answer.status.ok() && !wider.ParseFromString(above.answer.body))
    above.answer.status = above.missing = Malformed();
  const absl::Status& missing = above.missing;
  if (above.answer.status.ok()) {
    const std::shared_ptr<const HiddenEntries> hidden = hidden_.At(*site_.store->Snapshot());
    auto* found = wider.mutable_entries();
    found->erase(std::remove_if(found->begin(), found->end(),
                                [&](const v1::ShowResponse& one) {
                                  const auto path = NodePath::Parse(one.provider_path());
                                  return path.ok() && hidden->Hides(one.entry().code(), *path);
                                }),
                 found->end());
    v1::EntryList merged = Merge(here, wider, limit);
    merged.mutable_hops()->Assign(above.answer.hops.begin(), above.answer.hops.end());
    merged.set_complete(missing.ok());
    if (!missing.ok()) {
      merged.set_note(absl::StrCat("只查到 ", DisplayPath(above.by),
                                   " 的目录 (searched only below it): ", missing.message()));
    }
    return merged;
  }
  here.set_complete(false);
  here.set_note(absl::StrCat("上级不可达，只查了本节点的目录 (only this node was searched): ",
                             missing.message()));
  return here;
}

}  // namespace guantong
