// Datasets of other nodes that this node keeps a copy of.
#ifndef GUANTONG_NODE_SUBSCRIPTIONS_H_
#define GUANTONG_NODE_SUBSCRIPTIONS_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/entry.h"
#include "catalog/store.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/data.pb.h"
#include "node/finder.h"
#include "node/site.h"

namespace guantong {

// By "CODE:id", or by code alone where one resource of it is subscribed. NOT_FOUND not_subscribed;
// INVALID_ARGUMENT resource_ambiguous.
absl::StatusOr<storage::v1::StoredInterest> FindSubscription(const Reader& snapshot,
                                                             const ResourceRef& ref);

// Any thread; waits for commits and other nodes.
class Subscriptions {
 public:
  Subscriptions(const Site* site, Finder* finder) : site_(*site), finder_(*finder) {}

  // Idempotent. PERMISSION_DENIED needs_grant, not_shared; FAILED_PRECONDITION own_resource;
  // UNIMPLEMENTED partition.
  absl::StatusOr<v1::Subscription> Subscribe(const CallerIdentity& caller,
                                             const v1::SubscribeRequest& request,
                                             absl::Time deadline);
  absl::StatusOr<v1::Subscription> Unsubscribe(const v1::SubscribeRequest& request);
  absl::StatusOr<v1::SubscriptionList> List() const;

 private:
  absl::StatusOr<v1::Subscription> Describe(const storage::v1::StoredInterest& interest) const;

  const Site& site_;
  Finder& finder_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_SUBSCRIPTIONS_H_
