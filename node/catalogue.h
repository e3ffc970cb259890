// The catalogue as this node's people read it: what is in force, and the drafts of their own.
// Changes are made in entries/.
#ifndef GUANTONG_NODE_CATALOGUE_H_
#define GUANTONG_NODE_CATALOGUE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "guantong/v1/catalog.pb.h"
#include "node/entries/desk.h"
#include "node/entries/rulings.h"
#include "node/finder.h"
#include "node/hidden.h"
#include "node/site.h"

namespace guantong {

// Any thread; may wait for other nodes.
class Catalogue {
 public:
  Catalogue(const Site* site, Finder* finder, EntryDesk* desk, const Rulings* rulings,
            Hidden* hidden)
      : site_(*site), finder_(*finder), desk_(*desk), rulings_(*rulings), hidden_(*hidden) {}

  // PERMISSION_DENIED entry_hidden besides.
  absl::StatusOr<v1::ShowResponse> Show(const CallerIdentity& caller, const std::string& code,
                                        absl::Time deadline);
  // Without what is hidden from the caller.
  absl::StatusOr<v1::EntryList> List(const CallerIdentity& caller, const v1::ListRequest& request);

 private:
  const Site& site_;
  Finder& finder_;
  EntryDesk& desk_;
  const Rulings& rulings_;
  Hidden& hidden_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CATALOGUE_H_
