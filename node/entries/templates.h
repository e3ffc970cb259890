// 标准目录: a level publishes a template, entries of that level and of those below claim it. Its
// items are theirs, unchanged; items of their own come after them.
#ifndef GUANTONG_NODE_ENTRIES_TEMPLATES_H_
#define GUANTONG_NODE_ENTRIES_TEMPLATES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guantong/v1/entry.pb.h"
#include "node/finder.h"
#include "node/site.h"

namespace guantong {

// Any thread; may wait for the nodes above.
class Templates {
 public:
  Templates(const Site* site, Finder* finder) : site_(*site), finder_(*finder) {}

  // Nothing for an entry that claims no template. Else its items begin with those of the template,
  // marked as inherited: an item of the entry with the name or the field of one of them may leave
  // things out, and say nothing else. Where an entry goes on claiming what `before` claimed, and
  // the template cannot be read or is out of force, the items inherited then hold.
  // INVALID_ARGUMENT template_unknown, item_locked; UNAVAILABLE as Finder::Find.
  absl::Status Apply(const CallerIdentity& caller, const v1::CatalogEntry* before,
                     v1::CatalogEntry* entry) const;

 private:
  struct Locked {
    std::vector<v1::DataItem> items;
    uint64_t version = 0;
  };
  absl::StatusOr<Locked> ItemsOf(const CallerIdentity& caller, const v1::CatalogEntry* before,
                                 const v1::CatalogEntry& entry) const;

  const Site& site_;
  Finder& finder_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_TEMPLATES_H_
