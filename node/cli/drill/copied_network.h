// A copy of some nodes of a network, made from their backups, running on loopback ports in a
// scratch folder: real programs, real data, nothing of the original touched.
#ifndef GUANTONG_NODE_CLI_DRILL_COPIED_NETWORK_H_
#define GUANTONG_NODE_CLI_DRILL_COPIED_NETWORK_H_

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "node/cli/drill/child_process.h"
#include "node/cli/drill/severed_link.h"

namespace guantong {

struct CopiedNode {
  std::string path;
  std::string name;
  std::string backups;  // folder they came from
  std::string dir;
  std::string profile;  // the operator's, for this copy
  uint16_t port = 0;
  CopiedNode* parent = nullptr;  // among the copied ones
  std::unique_ptr<SeveredLink> uplink;
  std::map<std::string, std::string> environment;
  ChildProcess daemon;
};

class CopiedNetwork {
 public:
  explicit CopiedNetwork(std::string scratch) : scratch_(std::move(scratch)) {}

  // One node, the newest backup of the folder. Those of parents first.
  absl::Status Add(const std::string& backups);
  // All of them, and returns when each sees its parent. DEADLINE_EXCEEDED drill_stuck.
  absl::Status Start();
  absl::Status StartOne(CopiedNode* node);

  // `guantong` with a profile; the document it prints. Errors: what it said. Each `thread` has a
  // name of its own.
  absl::StatusOr<nlohmann::json> Do(const std::string& profile,
                                    const std::vector<std::string>& arguments,
                                    const std::string& thread = "");
  // Looks again and again until it holds.
  template <typename Condition>
  absl::Status Until(const char* what, absl::Duration limit, const Condition& condition);

  std::vector<std::unique_ptr<CopiedNode>>& nodes() { return nodes_; }
  // The lowest: where the drilled dataset is provided.
  CopiedNode* provider() const;
  // Profile of an editor of the first department there, and who it is. FAILED_PRECONDITION
  // drill_no_department.
  struct Editor {
    std::string profile;
    std::string name;
    std::string uscc;
  };
  absl::StatusOr<Editor> MakeEditor(const CopiedNode& node);
  const std::string& scratch() const { return scratch_; }

 private:
  absl::Status Stuck(const char* what) const;
  static void Wait();

  const std::string scratch_;
  std::vector<std::unique_ptr<CopiedNode>> nodes_;
};

template <typename Condition>
absl::Status CopiedNetwork::Until(const char* what, absl::Duration limit,
                                  const Condition& condition) {
  const absl::Time end = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() > end) return Stuck(what);
    Wait();
  }
  return absl::OkStatus();
}

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_DRILL_COPIED_NETWORK_H_
