// What levels rule on entries of their branch (ruling.proto), as a node takes it that stands below
// them or is one of them.
#ifndef GUANTONG_CATALOG_RULINGS_H_
#define GUANTONG_CATALOG_RULINGS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "catalog/base/node_path.h"
#include "catalog/store.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/feed.pb.h"
#include "guantong/v1/ruling.pb.h"

namespace guantong {

// A level whose word holds here: this node, and those above it.
struct Ruler {
  std::string node_id;
  NodePath path;
};

v1::FeedId RulingsFeed(const std::string& node_id);

// Where the node of an entry stands; nothing when it is not known here.
std::optional<NodePath> PlaceOf(const Reader& snapshot, absl::Span<const Ruler> rulers,
                                const std::string& node_id);

// What one record says: of authorities of divisions hosted at its node, then of the node's own, as
// rulings that stand for themselves.
std::vector<v1::Ruling> WordsOf(v1::Ruling record);

// The authority of the hosted `division` speaks for departments of `of`: the same or below it.
bool SpeaksFor(absl::string_view division, absl::string_view of);

// What those of `rulers` have ruled on the entry whose branch its node at `place` is in, in their
// order, as WordsOf. What another says about it counts for nothing.
std::vector<v1::Ruling> RulingsOn(const Reader& snapshot, absl::Span<const Ruler> rulers,
                                  absl::string_view code, const NodePath& place);

// What people have written of an entry, for Rework::content.
std::string ContentDigest(const v1::CatalogEntry& entry);

// It has to be mended, and no later version of the entry in force says anything else.
bool ReworkOpen(const v1::Ruling& ruling, const v1::CatalogEntry& in_force);

// The entries whose display is suspended here, for all; what the authority of a hosted division
// hides from departments of that division alone stands apart.
class HiddenEntries {
 public:
  HiddenEntries() = default;
  HiddenEntries(const Reader& snapshot, absl::Span<const Ruler> rulers);

  // One entry more, of nodes in or below `branch`.
  void Add(const std::string& code, const NodePath& branch) { by_code_[code].push_back(branch); }

  // What authorities of divisions hosted on one of the rulers hide from those divisions.
  struct InDivision {
    std::string node_id;
    std::string division;
    std::string code;
  };
  const std::vector<InDivision>& in_divisions() const { return in_divisions_; }

  bool empty() const { return by_code_.empty(); }
  // That one of the rulers hides, wherever their nodes stand.
  std::vector<std::string> Codes() const;
  bool Hides(absl::string_view code, const NodePath& place) const;
  // The same, where the entry says whose it is.
  bool Hides(const Reader& snapshot, const v1::CatalogEntry& entry) const;

 private:
  std::vector<Ruler> rulers_;
  std::map<std::string, std::vector<NodePath>> by_code_;
  std::vector<InDivision> in_divisions_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_RULINGS_H_
