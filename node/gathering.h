// Quick questions of a department to the same node, gathered under load: while a call to it is
// under way, what comes waits for its answer and then travels as one call
// (guantong/v1/gathered.proto). It waits no longer than 2 ms, or twice what calls to that node took
// of late where that is more, and never beyond 20 ms: one that hangs holds up no other. So a lone
// asker waits for nobody, and the more ask at a time the less each costs: a signature, a frame and
// a wake-up at every hop are shared. Those who have just been answered are likely to ask again: if
// they did so of late, what waits goes together with as many of them, or after as long as a call
// takes, 2 ms at most. The one signature covers every question in full, as that of the reply covers
// every answer: what each asked and was told is proved as before. Questions of one department alone
// travel together, so that what it proves shows no other one's.
//
// A question that the provider finds long is asked again alone; it has not been executed. A
// provider of an earlier build does not know the method, and is asked one by one from then on.
//
// THREADS  Any. What is called (`send`, `done`) is called without a lock and must not wait.
#ifndef GUANTONG_NODE_GATHERING_H_
#define GUANTONG_NODE_GATHERING_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "guantong/v1/gathered.pb.h"
#include "node/call_question.h"
#include "relay/grpc/timers.h"

namespace guantong {

inline constexpr char kGatheredMethod[] = "gathered";

// An answer as it travels.
void SetOutcome(absl::StatusOr<std::string> outcome, v1::GatheredReply* reply);

class Gathering {
 public:
  using Done = std::function<void(CallAnswer)>;
  // Sends one call; `done` is called once, perhaps before it returns.
  using Send = std::function<void(CallQuestion, Done done)>;

  explicit Gathering(Send send, absl::Duration wait = absl::Milliseconds(2),
                     absl::Duration return_max = absl::Milliseconds(2))
      : send_(std::move(send)), wait_(wait), return_max_(return_max) {}
  ~Gathering();

  // `done` is called once, perhaps before this returns.
  void Ask(CallQuestion question, Done done);

 private:
  struct Waiting {
    CallQuestion question;
    Done done;
    absl::Time asked_at;
  };
  struct Target {
    int under_way = 0;
    std::deque<Waiting> waiting;
    bool timed = false;
    absl::Duration takes;  // a call to it, of late
    bool put_off = false;  // to the end of a round, which begins
    // Those that the last call answered, and what they did then.
    size_t answered = 0;
    size_t back = 0;  // asked again in time
    absl::Time in_time = absl::InfinitePast();
    double returning = 0;  // what share of them does so, of late
    size_t awaited = 0;    // so many together are worth a call before that time
    bool holding = false;  // a timer is set to it
    absl::Time alone_until = absl::InfinitePast();
  };
  using Targets = std::map<std::string, Target>;

  // With the lock held.
  std::vector<Waiting> Take(Target& target, absl::Time now);
  static bool MayGo(const Target& target, absl::Time now);
  void Time(const std::string& asker, Target& target);
  void Hold(const std::string& asker, Target& target, absl::Time now);
  void Forget(const std::string& asker, const Target& target, absl::Time now);

  void Begin(const std::string& asker);
  void Go(std::vector<Waiting> some);
  void GoAlone(Waiting one);
  void OnTime(const std::string& asker);
  void OnHeld(const std::string& asker);
  void Ended(const std::string& asker, absl::Duration took, size_t answered);
  void Answered(std::vector<Waiting> asked, CallAnswer answer);

  const Send send_;
  const absl::Duration wait_;
  const absl::Duration return_max_;
  std::mutex mutex_;
  Targets targets_;                 // guarded by mutex_; by department and node
  std::unique_ptr<Timers> timers_;  // guarded by mutex_; from the first that has to wait
};

}  // namespace guantong

#endif  // GUANTONG_NODE_GATHERING_H_
