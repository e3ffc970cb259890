// The rules this node works by: packs shipped with the program, packs in its own folder `rules`,
// and what the levels above have said, of which the policy of the network is the root's alone.
#ifndef GUANTONG_NODE_RULES_H_
#define GUANTONG_NODE_RULES_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/rule_book.h"
#include "node/directory.h"
#include "node/site.h"

namespace guantong {

// All *.yaml of a folder, by name; an absent folder holds none. Errors: those of forms,
// rule_pack_invalid.
absl::StatusOr<std::vector<v1::RulePack>> LoadRulePacks(const std::string& folder);

// Where the program's own packs are: $GUANTONG_RULES, else share/guantong/rules beside its folder.
std::string ShippedRules();

// Any thread.
class Rules {
 public:
  Rules(const Site* site, const Directory* directory) : site_(*site), directory_(*directory) {}

  // Reads the folders, and says what this node says to those below it. Before requests are served.
  absl::Status Begin();

  // Of this node's folders and of the levels above, the nearest first.
  std::shared_ptr<const RuleBook> Book(const Reader& snapshot);
  RulesOfDay Today(const Reader& snapshot);

  // 0, 1 or 2: as the root says, before its word is here as was said at the enrolment.
  uint32_t Approvals(const Reader& snapshot) const;

 private:
  const Site& site_;
  const Directory& directory_;
  std::vector<v1::RulePack> shipped_, own_;
  std::mutex mutex_;
  std::string heads_;
  std::shared_ptr<const RuleBook> book_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_RULES_H_
