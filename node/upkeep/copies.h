// Comparing the copies of a dataset at every node between here and its provider, and naming the
// first that differs.
#ifndef GUANTONG_NODE_UPKEEP_COPIES_H_
#define GUANTONG_NODE_UPKEEP_COPIES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "guantong/v1/node.pb.h"
#include "node/calls.h"
#include "node/directory.h"
#include "node/finder.h"
#include "node/site.h"

namespace guantong {

class Copies {
 public:
  Copies(const Site* site, Calls* calls, Finder* finder, const Directory* directory)
      : site_(*site), calls_(*calls), finder_(*finder), directory_(*directory) {}

  // Adds what other nodes may ask; before the driver starts.
  void Register();

  // `what`: "CODE" or "CODE:id". Each node digests the rows of its last visible push; copies of one
  // commit are compared, those that are behind are asked again a few times. Errors of finding the
  // entry.
  absl::StatusOr<v1::VerifyResponse> Compare(const CallerIdentity& caller, const std::string& what,
                                             absl::Time deadline);

 private:
  absl::StatusOr<v1::TableDigest> DigestHere(const std::string& table) const;
  void AskAll(const CallerIdentity& caller, const std::string& table, absl::Time deadline,
              v1::VerifyResponse* response);

  const Site& site_;
  Calls& calls_;
  Finder& finder_;
  const Directory& directory_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_COPIES_H_
