// The catalogue of this node's departments: drafts, publication, withdrawal. Changes are made one
// at a time, each read on a snapshot and durable before it is answered; interrupted, each can be
// repeated and ends the same.
#ifndef GUANTONG_NODE_CATALOGUE_H_
#define GUANTONG_NODE_CATALOGUE_H_

#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "guantong/v1/catalog.pb.h"
#include "node/finder.h"
#include "node/site.h"

namespace guantong {

// Any thread; waits for commits.
class Catalogue {
 public:
  Catalogue(const Site* site, Finder* finder) : site_(*site), finder_(*finder) {}

  // INVALID_ARGUMENT entry_invalid; PERMISSION_DENIED not_your_entry.
  absl::StatusOr<v1::CatalogEntry> Register(const CallerIdentity& caller, v1::CatalogEntry entry);
  // NOT_FOUND entry_unknown besides.
  absl::StatusOr<v1::CatalogEntry> Edit(const CallerIdentity& caller, v1::CatalogEntry entry);
  // FAILED_PRECONDITION items_incompatible, approval_needed. An entry without a draft is answered
  // as it is in force.
  absl::StatusOr<v1::CatalogEntry> Publish(const CallerIdentity& caller, const std::string& code);
  absl::StatusOr<v1::CatalogEntry> Withdraw(const CallerIdentity& caller, const std::string& code);

  absl::StatusOr<v1::ShowResponse> Show(const CallerIdentity& caller, const std::string& code,
                                        absl::Time deadline);
  absl::StatusOr<v1::EntryList> List(const CallerIdentity& caller, const v1::ListRequest& request);

 private:
  // What is known of an own entry: `draft` and `in_force` may each be absent.
  struct Own {
    std::optional<v1::CatalogEntry> draft;
    std::optional<v1::CatalogEntry> in_force;
    const v1::CatalogEntry& any() const { return draft.has_value() ? *draft : *in_force; }
  };
  // NOT_FOUND entry_unknown, PERMISSION_DENIED not_your_entry.
  absl::StatusOr<Own> LoadOwn(const Reader& snapshot, const CallerIdentity& caller,
                              const std::string& code) const;

  absl::Status Prepare(const Reader& snapshot, const CallerIdentity& caller,
                       v1::CatalogEntry* entry) const;
  absl::Status CheckItems(const Reader& snapshot, const v1::CatalogEntry& from,
                          const v1::CatalogEntry& to) const;
  // Puts the tables of `entry` in force and closes those of `before` it lacks.
  absl::Status OpenTables(const v1::CatalogEntry& entry, const v1::CatalogEntry* before);
  absl::Status CloseTable(const std::string& table);
  absl::Status Append(v1::FeedKind kind, const v1::CatalogEntry& entry, WriteSet extra);

  const Site& site_;
  Finder& finder_;
  std::mutex mutex_;  // one change at a time
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CATALOGUE_H_
