#include "node/overview.h"

#include <unistd.h>

#include <fstream>
#include <map>
#include <string>
#include <utility>

#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/refusals.h"

namespace guantong {
namespace {

uint64_t Count(const Reader& snapshot, const std::string& prefix) {
  uint64_t count = 0;
  auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) ++count;
  return count;
}

uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

absl::StatusOr<v1::StatusResponse> Overview::Status() const {
  v1::StatusResponse status;
  status.set_node_id(site_.node_id());
  status.set_network(site_.network());
  status.set_path(site_.path().text());
  status.set_division(site_.options.division);
  status.set_name(site_.options.name);
  status.set_level(site_.options.level);
  status.set_listen(site_.options.listen);
  status.set_version(kVersion);
  *status.mutable_started_at() = TimestampOf(site_.started_at);
  *status.mutable_certificate_ends() = TimestampOf(site_.identity->self.not_after);
  GT_ASSIGN_OR_RETURN(const std::vector<v1::LinkInfo> links, neighbours_.All());
  for (const v1::LinkInfo& link : links) {
    if (link.parent()) {
      *status.mutable_parent() = link;
      continue;
    }
    status.set_children(status.children() + 1);
    if (link.state() == v1::LINK_STATE_UP) status.set_children_up(status.children_up() + 1);
  }
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  status.set_entries(Count(*snapshot, KindPrefix('J')));
  status.set_entries_own(
      Count(*snapshot, EntryPrefix(FeedKey::Of(site_.OwnFeed(v1::FEED_KIND_CATALOG_OPEN)))));
  status.set_drafts(Count(*snapshot, KindPrefix('D')));
  status.set_feeds(Count(*snapshot, KindPrefix('F')));
  status.set_subscriptions(Count(*snapshot, KindPrefix('I')));
  status.set_memory_bytes(ResidentBytes());
  status.set_disk_bytes(site_.store->Usage().disk_bytes);
  for (v1::Refusal& refusal : site_.refusals->List()) *status.add_refusals() = std::move(refusal);
  status.set_frames_rejected(site_.driver->links_closed_by_us());
  const std::string departments = KindPrefix('U');
  auto cursor = snapshot->Scan(departments, PrefixEnd(departments));
  for (; cursor->Valid(); cursor->Next()) {
    storage::v1::StoredDepartment stored;
    if (stored.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size()))) {
      *status.add_departments() = stored.department();
    }
  }
  GT_RETURN_IF_ERROR(cursor->status());
  return status;
}

absl::StatusOr<v1::TreeResponse> Overview::Tree() const {
  std::map<std::string, v1::LinkState> states;
  GT_ASSIGN_OR_RETURN(const std::vector<v1::LinkInfo> links, neighbours_.All());
  for (const v1::LinkInfo& link : links) states[link.node_id()] = link.state();
  v1::TreeResponse tree;
  for (v1::TreeNode& node : directory_.Tree(*site_.store->Snapshot())) {
    auto state = states.find(node.node_id());
    if (state != states.end()) node.set_link(state->second);
    *tree.add_nodes() = std::move(node);
  }
  return tree;
}

absl::StatusOr<v1::LinksResponse> Overview::Links() const {
  GT_ASSIGN_OR_RETURN(const std::vector<v1::LinkInfo> links, neighbours_.All());
  v1::LinksResponse response;
  response.mutable_links()->Assign(links.begin(), links.end());
  return response;
}

absl::StatusOr<v1::FeedsResponse> Overview::Feeds(const v1::FeedsRequest& request) const {
  v1::FeedsResponse response;
  GT_RETURN_IF_ERROR(site_.driver->Read([&](const Engine& engine) {
    for (v1::FeedInfo& feed : engine.Feeds(request.filter()))
      *response.add_feeds() = std::move(feed);
  }));
  return response;
}

}  // namespace guantong
