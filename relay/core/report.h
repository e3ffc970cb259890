// What the engine knows, as the messages of the status pages.
#ifndef GUANTONG_RELAY_CORE_REPORT_H_
#define GUANTONG_RELAY_CORE_REPORT_H_

#include <vector>

#include "guantong/v1/data.pb.h"
#include "guantong/v1/node.pb.h"
#include "relay/core/state.h"

namespace guantong {

std::vector<v1::LinkInfo> ReportLinks(const Core& core);
std::vector<v1::FeedInfo> ReportFeeds(const Core& core, absl::string_view filter);
v1::Subscription ReportSubscription(const Core& core, const storage::v1::StoredInterest& interest);

}  // namespace guantong

#endif  // GUANTONG_RELAY_CORE_REPORT_H_
