// D/node.yaml: what an operator sets on one node. Written by `guantong init`, read by the daemon
// and by offline commands.
//
// Every key can be overridden by the environment, GUANTONG_ and the key in capitals
// (GUANTONG_LISTEN). A key is one line of the table in config.cc: reading, overriding, printing and
// checking follow from it.
#ifndef GUANTONG_NODE_CONFIG_H_
#define GUANTONG_NODE_CONFIG_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/catalog.pb.h"
#include "guantong/v1/feed.pb.h"
#include "node/limits.h"

namespace guantong {

struct NodeConfig {
  std::string listen;     // HOST:PORT
  std::string advertise;  // what others dial, default `listen`
  std::string division;   // six digits
  std::string name;
  v1::Level level = v1::LEVEL_UNSPECIFIED;
  std::string parent;  // HOST:PORT, empty at the root
  v1::SearchScope catalog_scope = v1::SEARCH_SCOPE_BRANCH;
  uint32_t approvals = 0;          // of the network, 0 to 2: set at the root
  std::string data_dir = "store";  // relative to D, or absolute
  std::string log_level = "info";  // debug, info, warning, error
  uint32_t child_disk_mb =
      kChildDiskMbDefault;  // kept here only for one child, then cut and paused
  uint32_t scrub_bytes_per_second = kScrubBytesPerSecondDefault;  // 0: off
  uint32_t scrub_pause_seconds = kScrubPauseSecondsDefault;       // between two passes
  // Life of what is issued to children and of the own TLS certificate; 0: five years, 397 days.
  uint32_t certificate_seconds = 0;
  uint32_t renew_before_seconds = kRenewBeforeSecondsDefault;  // or half of a shorter life
};

// Null: not set. The process environment is the default; tests give their own.
using Environment = std::function<const char*(const char* name)>;
Environment ProcessEnvironment();

inline constexpr absl::string_view kConfigFile = "node.yaml";

// Reads `dir`/node.yaml, then the environment, then checks. INVALID_ARGUMENT key_unknown,
// key_repeated, value_malformed, value_missing, form_malformed, naming file:line or the variable;
// NOT_FOUND file_absent.
absl::StatusOr<NodeConfig> LoadConfig(const std::string& dir,
                                      const Environment& environment = ProcessEnvironment());

// The text of a node.yaml, for tests and tools; `source` names it in errors.
absl::StatusOr<NodeConfig> ParseConfig(absl::string_view text, absl::string_view source,
                                       const Environment& environment);

absl::Status CheckConfig(const NodeConfig& config, absl::string_view source);

// As YAML that reads back equal, all keys in effect.
std::string PrintConfig(const NodeConfig& config);

// Writes `dir`/node.yaml whole, mode 0644. ALREADY_EXISTS file_exists when there is one.
absl::Status SaveConfig(const std::string& dir, const NodeConfig& config);

// Where the store of the node in `dir` is.
std::string DataFolder(const std::string& dir, const NodeConfig& config);

// "HOST:PORT", "[v6]:PORT": splits; INVALID_ARGUMENT address_malformed.
struct HostPort {
  std::string host;
  uint16_t port = 0;
};
absl::StatusOr<HostPort> ParseHostPort(absl::string_view address);

// What a client on this machine dials to reach a server that listens at `address`: a wildcard host
// becomes the loopback.
std::string LocalAddress(absl::string_view address);

}  // namespace guantong

#endif  // GUANTONG_NODE_CONFIG_H_
