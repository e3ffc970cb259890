// The index as a function of the entries in a store: made whole, or brought up
// to date.
#ifndef GUANTONG_CATALOG_SEARCH_FOLLOW_H_
#define GUANTONG_CATALOG_SEARCH_FOLLOW_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "catalog/rulings.h"
#include "catalog/search/index.h"
#include "catalog/store.h"

namespace guantong::search {

using Codes = std::set<std::string>;

// Adds the codes whose entries these writes may change. True: the directory of
// nodes may change.
bool NoteChanges(absl::Span<const WriteSet> groups, Codes* codes);

// Positions of all feeds the index follows from: catalogues, and rulings on
// their entries.
absl::StatusOr<Heads> HeadsOf(const Reader& snapshot);

// Begins `work` beside the caller and returns what waits for its end; the
// caller's own thread by default. At most `at_once` are begun.
struct Helpers {
  std::function<std::function<void()>(std::function<void()> work)> beside =
      [](const std::function<void()>& work) {
        work();
        return [] {};
      };
  size_t at_once = 1;
};

// Brings these codes to where the snapshot has them; what has not changed costs
// a look. What is hidden is not in the index. Very many are shared out.
absl::Status TakeIn(const Reader& snapshot, const Codes& codes, Index* index,
                    const HiddenEntries& hidden = {}, const Helpers& helpers = {});

// Codes of all feeds that stand elsewhere than `from` says.
absl::StatusOr<Codes> ChangedSince(const Reader& snapshot, const Heads& from, const View& view);

// Codes that stand in the feeds of several nodes: a change of the directory may
// change which holds.
absl::StatusOr<Codes> Contested(const Reader& snapshot);

struct LoadOptions {
  // After each segment: may bring the index up to date with later changes; adds
  // the codes it has taken in, and ends the loading by false: CANCELLED.
  std::function<bool(Codes* taken)> between = [](Codes*) { return true; };
  Helpers helpers;
  size_t entries_max = kLoadDocumentsMax;  // of one segment
};

// Fills an empty index.
absl::Status LoadAll(const Reader& snapshot, const LoadOptions& options, Index* index,
                     const HiddenEntries& hidden = {});

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_FOLLOW_H_
