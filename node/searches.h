// Searching the catalogue: here first, then of the ancestor that holds all of the scope; when it
// cannot be reached, of the next lower one, and the answer says what is missing.
//
// An ancestor is asked for what is not in the branch searched here, so that hits, counts and totals
// of both answers add up. Both follow one order (`rank`), so a page ends at the same place in both.
#ifndef GUANTONG_NODE_SEARCHES_H_
#define GUANTONG_NODE_SEARCHES_H_

#include <memory>
#include <mutex>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "catalog/search/synonyms.h"
#include "catalog/view.h"
#include "guantong/v1/search.pb.h"
#include "node/calls.h"
#include "node/classes.h"
#include "node/finder.h"
#include "node/hidden.h"
#include "node/indexer.h"
#include "node/rules.h"
#include "node/site.h"

namespace guantong {

struct SearchParts {
  Calls* calls;
  const Finder* finder;
  Hidden* hidden;
  Indexer* indexer;
  Classes* classes;
  Rules* rules;
};

// Any thread; waits for other nodes.
class Searches {
 public:
  Searches(const Site* site, const SearchParts& parts) : site_(*site), parts_(parts) {}

  // Adds what other nodes may ask; before the driver starts.
  void Register();

  // `hidden` is no hit and in no count, besides what levels hide. INVALID_ARGUMENT words_too_many,
  // filter_malformed, page_token_malformed.
  absl::StatusOr<v1::FindResponse> Find(const v1::FindRequest& request,
                                        const CallerIdentity& caller, absl::Time deadline,
                                        HiddenEntries hidden = {});
  v1::BrowseResponse Browse(const v1::BrowseRequest& request,
                            const HiddenEntries& hidden = {}) const;

 private:
  absl::StatusOr<v1::FindResponse> FindHere(const v1::FindRequest& request, const NodePath& within,
                                            UpwardItems items, HiddenEntries hidden);
  std::shared_ptr<const search::Synonyms> SynonymsOn(const Reader& snapshot);
  // By the levels between this node and one below it, that one counted.
  HiddenEntries HiddenBetween(const Reader& snapshot, absl::string_view below) const;
  // Labels of the facet, after answers were added up: nodes may know different names.
  void NameClasses(v1::FindResponse* list) const;
  NodePath HeldHere() const;
  NodePath Wanted(v1::SearchScope scope) const;

  const Site& site_;
  const SearchParts parts_;

  std::mutex mutex_;
  std::shared_ptr<const RuleBook> book_;  // what the synonyms were taken from, and of which day
  absl::CivilDay day_;
  std::shared_ptr<const search::Synonyms> synonyms_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_SEARCHES_H_
