// Who has subscribed to a dataset of this node: asked from neighbour to neighbour along the ways
// its rows go.
#ifndef GUANTONG_NODE_READERS_H_
#define GUANTONG_NODE_READERS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/calls.h"
#include "node/site.h"

namespace guantong {

// Any thread; waits for other nodes, kReadersSecondsMax at most.
class Readers {
 public:
  Readers(const Site* site, Calls* calls) : site_(*site), calls_(*calls) {}

  // An answer that was refused as items_incompatible says besides whom the change would break.
  template <typename Answer>
  absl::StatusOr<Answer> Named(absl::StatusOr<Answer> answer, const std::string& code,
                               const CallerIdentity& caller, absl::Time deadline) const {
    if (answer.ok()) return answer;
    return NamedIn(answer.status(), code, caller, deadline);
  }

 private:
  absl::Status NamedIn(const absl::Status& refused, const std::string& code,
                       const CallerIdentity& caller, absl::Time deadline) const;
  // Adds what there is to say of "CODE:id".
  void Collect(const std::string& table, const CallerIdentity& caller, absl::Time deadline,
               std::vector<std::string>* readers, std::vector<std::string>* unasked) const;

  const Site& site_;
  Calls& calls_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_READERS_H_
