// What an entry in force allows: who may read its data, which of its resources is meant, how its
// items may change.
#ifndef GUANTONG_NODE_ENTRY_RULES_H_
#define GUANTONG_NODE_ENTRY_RULES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/row.pb.h"
#include "node/site.h"

namespace guantong {

// Sharing types 1, 2, 3 for a reader that is neither the provider nor its node. PERMISSION_DENIED
// needs_grant, not_shared.
absl::Status CheckSharing(const v1::CatalogEntry& entry);

// OK for the providing department and the operator of the provider's node, else CheckSharing.
absl::Status CheckReader(const Site& site, const CallerIdentity& caller,
                         const v1::CatalogEntry& entry);

// PERMISSION_DENIED not_your_entry unless it is an entry of this node and of the caller's
// department.
absl::Status CheckOwner(const Site& site, const CallerIdentity& caller,
                        const v1::CatalogEntry& entry);

// FAILED_PRECONDITION not_published, entry_suspended; NOT_FOUND entry_withdrawn.
absl::Status CheckInForce(const v1::CatalogEntry& entry);

// "CODE:id" of the table meant; an empty `id` is enough where there is one table.
// FAILED_PRECONDITION no_table; NOT_FOUND resource_unknown; INVALID_ARGUMENT resource_ambiguous.
absl::StatusOr<std::string> TableOf(const v1::CatalogEntry& entry, absl::string_view id);
std::vector<std::string> TablesOf(const v1::CatalogEntry& entry);

// A table others may hold copies of is not narrowed under them: withdrawing the entry drops the
// copies, registering it anew opens it to fewer. FAILED_PRECONDITION sharing_narrowed.
absl::Status CheckSharingChange(const v1::CatalogEntry& from, const v1::CatalogEntry& to);

// Rows keep their values in column order, so columns of a dataset with rows stay as they are; new
// ones come last and may be null. FAILED_PRECONDITION items_incompatible names the item.
absl::Status CheckSchemaChange(const v1::DatasetSchema& from, const v1::DatasetSchema& to);

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRY_RULES_H_
