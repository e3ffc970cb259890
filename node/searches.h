// Searching the catalogue: here first, then of the ancestor that holds all of the scope; when it
// cannot be reached, of the next lower one, and the answer says what is missing.
//
// An ancestor is asked for what is not in the branch searched here, so that hits, counts and totals
// of both answers add up. Both follow one order (`rank`), so a page ends at the same place in both.
#ifndef GUANTONG_NODE_SEARCHES_H_
#define GUANTONG_NODE_SEARCHES_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/view.h"
#include "guantong/v1/search.pb.h"
#include "node/calls.h"
#include "node/classes.h"
#include "node/finder.h"
#include "node/hidden.h"
#include "node/indexer.h"
#include "node/site.h"

namespace guantong {

// Any thread; waits for other nodes.
class Searches {
 public:
  Searches(const Site* site, Calls* calls, const Finder* finder, Hidden* hidden, Indexer* indexer,
           Classes* classes);

  // Adds what other nodes may ask; before the driver starts.
  void Register();

  // INVALID_ARGUMENT words_too_many, filter_malformed, page_token_malformed.
  absl::StatusOr<v1::FindResponse> Find(const v1::FindRequest& request,
                                        const CallerIdentity& caller, absl::Time deadline);
  v1::BrowseResponse Browse(const v1::BrowseRequest& request) const;

 private:
  absl::StatusOr<v1::FindResponse> FindHere(const v1::FindRequest& request, const NodePath& within,
                                            UpwardItems items) const;
  // Labels of the facet, after answers were added up: nodes may know different names.
  void NameClasses(v1::FindResponse* list) const;
  NodePath HeldHere() const;
  NodePath Wanted(v1::SearchScope scope) const;

  const Site& site_;
  Calls& calls_;
  const Finder& finder_;
  Hidden& hidden_;
  Indexer& indexer_;
  Classes& classes_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_SEARCHES_H_
