// The code and the aliases of an entry.
#ifndef GUANTONG_NODE_ENTRIES_CODES_H_
#define GUANTONG_NODE_ENTRIES_CODES_H_

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/class_tree.h"
#include "catalog/store.h"
#include "guantong/v1/entry.pb.h"
#include "node/finder.h"
#include "node/site.h"

namespace guantong {

// Gives codes within one change, so that several entries of it do not get the same. In a class
// delegated to this node, or to the entry's division hosted here, the sequence runs from 000001;
// elsewhere it is the division and six
// digits, from 500001 for a division that is only hosted here. A code once given, if only to a
// draft that was refused, is never given again.
class CodeGiver {
 public:
  CodeGiver(const Site* site, const Reader* snapshot, const ClassTree* tree)
      : site_(*site), snapshot_(*snapshot), tree_(*tree) {}

  // What the levels above know of codes that are brought; before they are given.
  void Beside(Finder::Taken taken) { above_ = std::move(taken); }

  // Keeps the code brought when it is well-formed, of the entry's class and free, here and above;
  // gives one otherwise (a taken one is said in `warnings`, as is that nobody above could be
  // asked), and one alias under each further class that has none. INVALID_ARGUMENT entry_invalid
  // when the code brought is of another class.
  absl::Status Give(v1::CatalogEntry* entry);
  // Aliases alone, for an entry that has its code.
  absl::Status GiveAliases(v1::CatalogEntry* entry);

  // The serials used up.
  void Save(WriteSet* writes) const;

 private:
  absl::StatusOr<std::string> Next(const std::string& entry_class, const std::string& division);
  bool Free(const std::string& code) const;

  const Site& site_;
  const Reader& snapshot_;
  const ClassTree& tree_;
  std::map<std::string, uint64_t> serials_;  // by the name of the count
  std::set<std::string> given_;
  Finder::Taken above_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_CODES_H_
