#include "node/subscriptions.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/entry_rules.h"

namespace guantong {
namespace {

absl::StatusOr<std::vector<storage::v1::StoredInterest>> Stored(const Reader& snapshot,
                                                                const std::string& prefix) {
  std::vector<storage::v1::StoredInterest> interests;
  auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    storage::v1::StoredInterest& interest = interests.emplace_back();
    if (!interest.ParseFromArray(cursor->value().data(),
                                 static_cast<int>(cursor->value().size()))) {
      return Error(absl::StatusCode::kDataLoss, "store_corrupt",
                   "订阅记录损坏 (a subscription does not parse)");
    }
  }
  GT_RETURN_IF_ERROR(cursor->status());
  return interests;
}

}  // namespace

absl::StatusOr<storage::v1::StoredInterest> FindSubscription(const Reader& snapshot,
                                                             const ResourceRef& ref) {
  std::string begin = SubscriptionKey(absl::StrCat(ref.code, ":"));
  GT_ASSIGN_OR_RETURN(std::vector<storage::v1::StoredInterest> interests, Stored(snapshot, begin));
  if (!ref.id.empty()) {
    for (storage::v1::StoredInterest& interest : interests) {
      if (interest.code() == absl::StrCat(ref.code, ":", ref.id)) return std::move(interest);
    }
    interests.clear();
  }
  if (interests.empty()) {
    return Error(absl::StatusCode::kNotFound, "not_subscribed",
                 absl::StrCat("没有订阅 ", ref.code, " (not subscribed)"), ref.code,
                 "见 guantong subscriptions (see what is subscribed)");
  }
  if (interests.size() > 1) {
    return Error(absl::StatusCode::kInvalidArgument, "resource_ambiguous",
                 absl::StrCat("订阅了 ", ref.code, " 的 ", interests.size(),
                              " 个资源，请用 CODE:id 指明 (name one)"),
                 ref.code);
  }
  return std::move(interests[0]);
}

absl::StatusOr<v1::Subscription> Subscriptions::Describe(
    const storage::v1::StoredInterest& interest) const {
  v1::Subscription subscription;
  GT_RETURN_IF_ERROR(site_.driver->Read(
      [&](const Engine& engine) { subscription = engine.SubscriptionInfo(interest); }));
  return subscription;
}

absl::StatusOr<v1::Subscription> Subscriptions::Subscribe(const CallerIdentity& caller,
                                                          const v1::SubscribeRequest& request,
                                                          absl::Time deadline) {
  if (!request.partition().empty()) {
    return Error(absl::StatusCode::kUnimplemented, "partition_unsupported",
                 "该数据集没有分区 (the dataset has no partitions)", request.partition(),
                 "去掉 --partition (leave it out)");
  }
  GT_ASSIGN_OR_RETURN(const ResourceRef ref, ParseResourceRef(request.code()));
  GT_ASSIGN_OR_RETURN(const v1::ShowResponse found, finder_.Find(ref.code, caller, deadline));
  const v1::CatalogEntry& entry = found.entry();
  GT_RETURN_IF_ERROR(CheckInForce(entry));
  if (entry.node() == site_.node_id()) {
    return Error(absl::StatusCode::kFailedPrecondition, "own_resource",
                 absl::StrCat(ref.code, " 就在本节点，无需订阅 (it is this node's own)"), ref.code,
                 "直接查询 (query it)");
  }
  GT_RETURN_IF_ERROR(CheckSharing(entry));
  storage::v1::StoredInterest interest;
  GT_ASSIGN_OR_RETURN(*interest.mutable_code(), TableOf(entry, ref.id));
  interest.mutable_feed()->set_origin(entry.node());
  interest.mutable_feed()->set_kind(v1::FEED_KIND_ROWS);
  interest.mutable_feed()->set_resource(interest.code());
  interest.set_origin_path(found.provider_path());
  interest.set_name(entry.name());
  interest.set_provider(entry.provider());
  *interest.mutable_since() = TimestampOf(absl::Now());
  GT_RETURN_IF_ERROR(site_.driver->Write(guantong::Subscribe{.interest = interest}).status());
  return Describe(interest);
}

absl::StatusOr<v1::Subscription> Subscriptions::Unsubscribe(const v1::SubscribeRequest& request) {
  GT_ASSIGN_OR_RETURN(const ResourceRef ref, ParseResourceRef(request.code()));
  GT_ASSIGN_OR_RETURN(storage::v1::StoredInterest interest,
                      FindSubscription(*site_.store->Snapshot(), ref));
  GT_RETURN_IF_ERROR(
      site_.driver
          ->Write(guantong::Unsubscribe{.code = interest.code(), .drop_data = request.drop_data()})
          .status());
  v1::Subscription ended;
  ended.set_code(interest.code());
  *ended.mutable_feed() = interest.feed();
  ended.set_name(interest.name());
  ended.set_provider(interest.provider());
  ended.set_provider_path(interest.origin_path());
  ended.set_state(v1::SUBSCRIPTION_STATE_ENDED);
  return ended;
}

absl::StatusOr<v1::SubscriptionList> Subscriptions::List() const {
  GT_ASSIGN_OR_RETURN(const std::vector<storage::v1::StoredInterest> interests,
                      Stored(*site_.store->Snapshot(), KindPrefix('I')));
  v1::SubscriptionList list;
  GT_RETURN_IF_ERROR(site_.driver->Read([&](const Engine& engine) {
    for (const auto& interest : interests)
      *list.add_subscriptions() = engine.SubscriptionInfo(interest);
  }));
  return list;
}

}  // namespace guantong
