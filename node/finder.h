// Finding an entry by its code: here first, then of the ancestors, the nearest first, who hold the
// catalogue of everything below them. Finding by words is node/searches.
#ifndef GUANTONG_NODE_FINDER_H_
#define GUANTONG_NODE_FINDER_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "catalog/view.h"
#include "guantong/v1/catalog.pb.h"
#include "node/calls.h"
#include "node/directory.h"
#include "node/sights.h"
#include "node/site.h"

namespace guantong {

// Any thread; Find waits for other nodes.
class Finder {
 public:
  Finder(const Site* site, Calls* calls, const Directory* directory, Sights* sights);

  // Adds what other nodes may ask; before the driver starts.
  void Register();

  // NOT_FOUND entry_unknown; UNAVAILABLE when an ancestor that may know it could not be asked.
  // Tombstones are found.
  absl::StatusOr<v1::ShowResponse> Find(absl::string_view code, const CallerIdentity& caller,
                                        absl::Time deadline);

  // Those of `codes` that an entry has had anywhere the highest ancestor that answers knows of.
  // Bounded in time (kCodesAskSeconds): what could not be asked is in `missing`.
  struct Taken {
    std::set<std::string> codes;
    absl::Status missing;
  };
  Taken TakenAbove(const std::vector<std::string>& codes, const CallerIdentity& caller);

  // From what is held here, without asking on. NOT_FOUND entry_unknown.
  using Found = absl::StatusOr<v1::ShowResponse>;
  std::shared_ptr<const Found> FindKnown(const std::string& code) const;

  // Adds where the entry's node stands, where known.
  void Describe(const Reader& snapshot, v1::ShowResponse* found) const;

 private:
  absl::StatusOr<v1::ShowResponse> FindHere(const Reader& snapshot, absl::string_view code,
                                            UpwardItems items) const;

  const Site& site_;
  Calls& calls_;
  const Directory& directory_;
  Sights& sights_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_FINDER_H_
