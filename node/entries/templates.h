// 标准目录: a level publishes a template, entries of that level and of those below claim it. Its
// items are theirs, unchanged; items of their own come after them.
#ifndef GUANTONG_NODE_ENTRIES_TEMPLATES_H_
#define GUANTONG_NODE_ENTRIES_TEMPLATES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "guantong/v1/catalog.pb.h"
#include "guantong/v1/review.pb.h"
#include "node/finder.h"
#include "node/site.h"

namespace guantong {

// Any thread; may wait for the nodes above.
class Templates {
 public:
  Templates(const Site* site, Finder* finder) : site_(*site), finder_(*finder) {}

  using Asked = std::map<std::string, absl::StatusOr<v1::ShowResponse>>;  // by code

  // Nothing for an entry that claims no template. Else its items begin with those of the template,
  // marked as inherited: an item of the entry with the name or the field of one of them may leave
  // things out, and say nothing else. Where an entry goes on claiming what `before` claimed, items
  // left as they were inherited then become what the template says now; when it cannot be read or
  // is out of force, the items inherited then hold. INVALID_ARGUMENT template_unknown, item_locked;
  // UNAVAILABLE as Finder::Find. `asked`: one question does for all that share it.
  absl::Status Apply(const CallerIdentity& caller, const v1::CatalogEntry* before,
                     v1::CatalogEntry* entry, Asked* asked = nullptr) const;

  // What the template an entry claims prescribes by now, against what the entry has from it.
  struct News {
    std::string text;  // for people
    std::string next;  // command
    google::protobuf::Timestamp since;
    std::vector<v1::Change> changes;
  };
  // Nothing where that is the same, or the template is out of force. UNAVAILABLE as Finder::Find.
  absl::StatusOr<std::optional<News>> NewsOf(const CallerIdentity& caller,
                                             const v1::CatalogEntry& entry, absl::Time deadline,
                                             Asked* asked) const;

 private:
  struct Locked {
    std::vector<v1::DataItem> items;
    uint64_t version = 0;
  };
  absl::StatusOr<Locked> ItemsOf(const CallerIdentity& caller, const v1::CatalogEntry* before,
                                 const v1::CatalogEntry& entry, Asked* asked) const;
  const absl::StatusOr<v1::ShowResponse>& Find(const CallerIdentity& caller,
                                               const std::string& code, absl::Time deadline,
                                               Asked* asked) const;
  // It may be claimed at this node.
  bool InForceHere(const v1::ShowResponse& found) const;

  const Site& site_;
  Finder& finder_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_TEMPLATES_H_
