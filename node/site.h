// What every part of the process works with: who the node is, how it is set, and the parts it is
// made of. Filled once by the daemon before anything is served; everything it points to outlives
// its users.
#ifndef GUANTONG_NODE_SITE_H_
#define GUANTONG_NODE_SITE_H_

#include <string>

#include "absl/time/time.h"
#include "catalog/base/node_path.h"
#include "catalog/store.h"
#include "guantong/v1/feed.pb.h"
#include "node/identity/identity.h"
#include "relay/core/engine.h"

namespace guantong {

class Driver;
class Links;
class Refusals;
class Workers;

struct SiteOptions {
  std::string dir;
  std::string data;       // the store's folder, which may be on another disk
  std::string listen;     // HOST:PORT
  std::string advertise;  // what others dial
  std::string parent;     // HOST:PORT, empty at the root
  std::string division;
  std::string name;
  v1::Level level = v1::LEVEL_UNSPECIFIED;
  CatalogScope catalog_scope = CatalogScope::kBranch;
  int approvals = 0;
  uint64_t child_disk_bytes = 0;
  double replace_deletes_max = 0.1;  // share of a dataset's rows a replace may delete unasked
};

struct Site {
  SiteOptions options;
  const Identity* identity = nullptr;
  Store* store = nullptr;
  Driver* driver = nullptr;
  Workers* workers = nullptr;   // what must not wait for other nodes
  Workers* requests = nullptr;  // requests that may
  Refusals* refusals = nullptr;
  Links* links = nullptr;
  absl::Time started_at;

  const NodePath& path() const { return identity->self.path; }
  const std::string& node_id() const { return identity->self.node_id; }
  const std::string& network() const { return identity->self.network; }
  v1::FeedId OwnFeed(v1::FeedKind kind, const std::string& resource = "") const {
    v1::FeedId feed;
    feed.set_origin(node_id());
    feed.set_kind(kind);
    feed.set_resource(resource);
    return feed;
  }
  // An own dataset that is not shared: how large it is, and whether it changed, is nobody's
  // business at other nodes.
  bool Withholds(const std::string& table, const std::string& asking_node) const;
};

// Who asks: a person or program with a profile of this node, or, for a routed call, a department
// behind another node.
struct CallerIdentity {
  CertificateRole role = CertificateRole::kEditor;
  std::string uscc;        // departments
  std::string key_digest;  // SHA-256 of the profile's public key; empty for routed calls
  std::string node_id;
  NodePath path;

  bool is_operator() const { return role == CertificateRole::kOperator; }
};

}  // namespace guantong

#endif  // GUANTONG_NODE_SITE_H_
