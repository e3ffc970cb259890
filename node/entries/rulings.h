// What levels rule on entries of their branch: said here, and held against what is shown here.
#ifndef GUANTONG_NODE_ENTRIES_RULINGS_H_
#define GUANTONG_NODE_ENTRIES_RULINGS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/rulings.h"
#include "guantong/v1/catalog.pb.h"
#include "guantong/v1/ruling.pb.h"
#include "guantong/v1/search.pb.h"
#include "node/directory.h"
#include "node/entries/desk.h"
#include "node/hidden.h"

namespace guantong {

// Any thread; Rule waits for a commit.
class Rulings {
 public:
  Rulings(EntryDesk* desk, const Directory* directory, Hidden* hidden)
      : desk_(*desk), directory_(*directory), hidden_(*hidden), rulers_(RulersAt(*directory)) {}

  // Errors: ruling.proto; INVALID_ARGUMENT reason_missing, ruling_invalid.
  absl::StatusOr<v1::Ruling> Rule(const CallerIdentity& caller, const v1::RuleRequest& request);
  absl::StatusOr<v1::RulingsResponse> List(const v1::RulingsRequest& request) const;

  // Own entries of a department that a level has returned and that are not mended yet.
  struct Returned {
    v1::CatalogEntry entry;
    v1::Ruling ruling;
  };
  absl::StatusOr<std::vector<Returned>> ReturnedTo(const Reader& snapshot,
                                                   const std::string& uscc) const;

  // On an entry as it stands here.
  std::vector<v1::Ruling> On(const Reader& snapshot, const v1::CatalogEntry& entry) const;

  // Adds what this node and those above it have ruled.
  void Describe(const Reader& snapshot, v1::ShowResponse* shown) const;

  // The same for hits.
  void Describe(v1::FindResponse* found) const;

  // What the authority of the hosted division the caller is of keeps from the caller.
  HiddenEntries HiddenInDivision(const CallerIdentity& caller) const;

  // What is hidden is shown to its own department and to whoever may rule here.
  bool ShowsAll(const Reader& snapshot, const CallerIdentity& caller,
                const v1::CatalogEntry& entry) const;
  // `shown` has been described: whether the authority of the hosted division the caller is of keeps
  // it from the caller.
  bool HiddenInDivision(const Reader& snapshot, const CallerIdentity& caller,
                        const v1::ShowResponse& shown) const;
  // PERMISSION_DENIED entry_hidden. `provider_path` is where the entry's node stands.
  absl::Status CheckShown(const Reader& snapshot, const CallerIdentity& caller,
                          const v1::CatalogEntry& entry, const std::string& provider_path) const;

 private:
  // The division the caller rules for: "" this node's own, else one hosted here. Nothing for those
  // who do not rule.
  std::optional<std::string> RulesFor(const Reader& snapshot, const CallerIdentity& caller) const;
  // Entries a level may rule on. PERMISSION_DENIED not_your_branch.
  absl::Status CheckBranch(const Reader& snapshot, const v1::CatalogEntry& entry,
                           const std::string& division) const;
  bool HiddenFrom(const Reader& snapshot, const CallerIdentity& caller,
                  const v1::Ruling& ruling) const;
  absl::Status Change(const Reader& snapshot, const v1::CatalogEntry& entry,
                      const v1::RuleRequest& request, v1::Ruling* ruling) const;
  // `entry`: the ruling is about it; null where that has to be looked up.
  v1::HeldRuling Held(const Reader& snapshot, v1::Ruling ruling,
                      const v1::CatalogEntry* entry = nullptr) const;

  EntryDesk& desk_;
  const Directory& directory_;
  Hidden& hidden_;
  const std::vector<Ruler> rulers_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_RULINGS_H_
