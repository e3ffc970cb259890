// Routed calls: this node's questions to others, its answers to theirs, and the trace of the recent
// ones.
//
// A method is answered from what this node holds, never by asking on: whoever lacks something asks
// the next node itself, so that no call waits for another and no worker is held. Handlers run on
// workers; what is quick is answered on the thread that brought it, as long as looking things up
// does not wait for the disk. THREADS: any.
#ifndef GUANTONG_NODE_CALLS_H_
#define GUANTONG_NODE_CALLS_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/call_question.h"
#include "node/driver.h"
#include "node/gathering.h"
#include "node/site.h"

namespace guantong {

class Calls {
 public:
  using Handler =
      std::function<absl::StatusOr<std::string>(const v1::SignedCall& call, absl::Time deadline)>;

  // Answers at once, or nothing: the handler shall.
  using Quick = std::function<std::optional<absl::StatusOr<std::string>>(const v1::SignedCall& call,
                                                                         absl::Time deadline)>;

  explicit Calls(const Site* site);

  // Before the driver starts.
  void Serve(const std::string& method, Handler handler, Quick quick = nullptr) {
    methods_[method] = {std::move(handler), std::move(quick)};
  }

  // Waits. UNAVAILABLE names the hop that is down; DEADLINE_EXCEEDED; else what the handler said.
  CallAnswer Ask(const CallQuestion& question);
  // The same without waiting: `done` is called once, perhaps before this returns, and must not
  // wait. Quick questions to one node may travel as one call (gathering.h).
  void Ask(CallQuestion question, std::function<void(CallAnswer)> done);
  // All at once, the answers in order.
  std::vector<CallAnswer> AskAll(const std::vector<CallQuestion>& questions);

  // Asks one ancestor, from `top` downward the first that answers: the higher it stands, the more
  // it holds. `question` without target and budget. Waits.
  struct Highest {
    CallAnswer answer;     // of the last that was asked
    NodePath by;           // who answered
    absl::Status missing;  // why the first of those above it did not; OK: it is `top`
  };
  Highest AskHighest(const NodePath& top, CallQuestion question, absl::Time deadline);

  // Answers what is quick, where the driver says that its thread may; hands the rest to workers.
  void Deliver(std::vector<CallDelivery> deliveries, Driver::Delivered where);

  struct Traced {
    std::string id;  // hex
    std::string method;
    CallAnswer answer;
    absl::Time at;
  };
  // NOT_FOUND call_unknown.
  absl::StatusOr<Traced> Find(absl::string_view id_hex) const;

 private:
  struct Method {
    Handler handler;
    Quick quick;
  };

  void Send(CallQuestion question, std::function<void(CallAnswer)> done);
  absl::StatusOr<std::string> AnswerGathered(const v1::SignedCall& call, absl::Time deadline);
  std::optional<CallAnswered> AnswerQuickly(const Method& method, const CallDelivery& delivery,
                                            absl::Time deadline);
  absl::Status HandToWorker(const Method& method, CallDelivery delivery, absl::Time deadline);
  void Remember(const std::string& method, const std::string& id, const CallAnswer& answer);

  const Site& site_;
  std::map<std::string, Method> methods_;
  Gathering gathering_;
  std::atomic<int64_t> quick_again_at_{0};  // ns since the epoch: until then the disk is in the way
  mutable std::mutex mutex_;
  std::deque<Traced> recent_;  // newest last
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CALLS_H_
