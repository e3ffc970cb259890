// Who was turned away here, and where this node was turned away: which certificate, which check,
// the remedy. A bounded list for the status page, and a line in the log. Any thread.
#ifndef GUANTONG_NODE_REFUSALS_H_
#define GUANTONG_NODE_REFUSALS_H_

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/node.pb.h"

namespace guantong {

class Refusals {
 public:
  // `status` carries the check as its reason. The same peer failing the same check moves to the
  // front, and is logged once a minute.
  void Add(absl::string_view peer, absl::string_view certificate, const absl::Status& status,
           bool by_us);

  std::vector<v1::Refusal> List() const;  // newest first

 private:
  mutable std::mutex mutex_;
  std::deque<v1::Refusal> newest_first_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_REFUSALS_H_
