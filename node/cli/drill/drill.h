// A fault played on a copy of some nodes, and what came of it.
//
// The lowest copied node provides a dataset made for the drill, all others subscribe. Batches are
// pushed one after the other, and each is repeated under its id until it is acknowledged. A third
// of the way the fault happens; in the end every copy has to hold exactly what was acknowledged.
#ifndef GUANTONG_NODE_CLI_DRILL_DRILL_H_
#define GUANTONG_NODE_CLI_DRILL_DRILL_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/cli/drill/copied_network.h"

namespace guantong {

struct DrillOptions {
  std::string fault;                 // kill, partition, restore, expiry
  std::vector<std::string> backups;  // one folder for each node
  std::string scratch;               // removed in the end
  int batches = 30;
  absl::Duration outage = absl::Seconds(5);  // partition: how long the link is cut
};

struct DrillStep {
  absl::Time at;
  std::string text;
};

struct DrillCopy {
  std::string path;
  std::string name;
  int64_t rows = -1;
  std::string verdict;    // against the provider, by digest
  bool verified = false;  // chains, signatures, files
};

struct DrillResult {
  DrillOptions options;
  absl::Time began;
  absl::Time ended;
  std::vector<DrillStep> steps;
  std::string code;
  int64_t acknowledged = 0;  // rows
  int64_t lost = 0;
  int64_t duplicated = 0;
  int repeats = 0;              // pushes that had to be sent again
  absl::Duration longest_wait;  // for one acknowledgement
  absl::Duration recovery;      // from the end of the fault until all copies are equal
  std::vector<DrillCopy> copies;
  bool passed = false;
};

// Errors: the drill could not be played; what was lost is a result.
absl::StatusOr<DrillResult> PlayDrill(const DrillOptions& options);

// Chinese, then English: for whoever inspects.
std::string DrillMarkdown(const DrillResult& result);
nlohmann::ordered_json DrillJson(const DrillResult& result);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_DRILL_DRILL_H_
