// 标准目录: a level publishes a template, entries of lower levels claim it. Its items are theirs,
// unchanged; items of their own come after them.
#ifndef GUANTONG_NODE_ENTRIES_TEMPLATES_H_
#define GUANTONG_NODE_ENTRIES_TEMPLATES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guantong/v1/entry.pb.h"
#include "node/finder.h"

namespace guantong {

// Any thread; may wait for the nodes above.
class Templates {
 public:
  explicit Templates(Finder* finder) : finder_(*finder) {}

  // Nothing for an entry that claims no template. Else its items begin with those of the template,
  // marked as inherited. An entry that goes on claiming what `before` claimed needs no other node:
  // where the template cannot be read, the items inherited then hold. INVALID_ARGUMENT
  // template_unknown, item_locked; UNAVAILABLE as Finder::Find.
  absl::Status Apply(const CallerIdentity& caller, const v1::CatalogEntry* before,
                     v1::CatalogEntry* entry) const;

 private:
  struct Locked {
    std::vector<v1::DataItem> items;
    uint64_t version = 0;
  };
  absl::StatusOr<Locked> ItemsOf(const CallerIdentity& caller, const v1::CatalogEntry* before,
                                 const v1::CatalogEntry& entry) const;

  Finder& finder_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_TEMPLATES_H_
