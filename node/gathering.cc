#include "node/gathering.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "node/limits.h"
#include "node/round.h"

namespace guantong {
namespace {

constexpr absl::Duration kWaitMax = absl::Milliseconds(20);
// How long a node that does not know the method is asked one by one.
constexpr absl::Duration kAlone = absl::Minutes(10);

size_t BytesOf(const CallQuestion& question) {
  return question.body.size() + question.purpose.size();
}

std::string AskerOf(const CallQuestion& question) {
  return absl::StrCat(question.uscc, " ", question.target);
}

absl::StatusOr<std::string> OutcomeOf(v1::GatheredReply* reply) {
  if (reply->code() == 0) return std::move(*reply->mutable_body());
  return WithDetail(absl::Status(static_cast<absl::StatusCode>(reply->code()), reply->message()),
                    reply->body());
}

}  // namespace

void SetOutcome(absl::StatusOr<std::string> outcome, v1::GatheredReply* reply) {
  reply->set_code(static_cast<int>(outcome.status().code()));
  if (outcome.ok()) {
    reply->set_body(*std::move(outcome));
    return;
  }
  reply->set_message(std::string(outcome.status().message()));
  reply->set_body(PackDetail(DetailOf(outcome.status())));
}

Gathering::~Gathering() {
  if (timers_ != nullptr) timers_->Stop();
  for (auto& [asker, target] : targets_) {
    for (Waiting& one : target.waiting) {
      one.done({.status = absl::UnavailableError("the node is stopping"),
                .body = "",
                .hops = {},
                .answered_by = "",
                .elapsed = absl::ZeroDuration()});
    }
  }
}

void Gathering::Ask(CallQuestion question, Done done) {
  const absl::Time now = absl::Now();
  std::string asker = AskerOf(question);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Target& target = targets_[asker];
    target.waiting.push_back({std::move(question), std::move(done), now});
    if (now < target.in_time) ++target.back;
    // What is asked together goes together.
    if (target.put_off) return;
    target.put_off = Round::PutOff(&target, [this, asker] { Begin(asker); });
    if (target.put_off) return;
  }
  Begin(asker);
}

void Gathering::Begin(const std::string& asker) {
  const absl::Time now = absl::Now();
  std::vector<Waiting> some;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Target& target = targets_[asker];
    target.put_off = false;
    if (MayGo(target, now)) some = Take(target, now);
    Time(asker, target);
    Hold(asker, target, now);
  }
  Go(std::move(some));
}

// The first, and those after it that may go with it. The call ends with the least budget of them,
// so only like goes with like.
std::vector<Gathering::Waiting> Gathering::Take(Target& target, absl::Time now) {
  std::vector<Waiting> some;
  size_t bytes = 0;
  while (!target.waiting.empty() && some.size() < kGatheredMax) {
    Waiting& next = target.waiting.front();
    const absl::Duration left = next.question.budget - (now - next.asked_at);
    bytes += BytesOf(next.question);
    if (!some.empty()) {
      const absl::Duration first = some.front().question.budget;
      if (now < target.alone_until || bytes > kGatheredBytesMax || left > 2 * first ||
          2 * left < first) {
        break;
      }
    }
    next.question.budget = left;
    some.push_back(std::move(next));
    target.waiting.pop_front();
  }
  if (!some.empty()) ++target.under_way;
  return some;
}

bool Gathering::MayGo(const Target& target, absl::Time now) {
  if (target.waiting.size() >= kGatheredMax || now < target.alone_until) return true;
  return target.under_way == 0 &&
         (target.waiting.size() >= target.awaited || now >= target.in_time);
}

// What waits for nothing but those who have just been answered.
void Gathering::Hold(const std::string& asker, Target& target, absl::Time now) {
  if (target.waiting.empty() || target.under_way > 0 || target.holding) return;
  target.holding = true;
  if (timers_ == nullptr) timers_ = std::make_unique<Timers>();
  timers_->After(target.in_time - now, [this, asker] { OnHeld(asker); });
}

void Gathering::OnHeld(const std::string& asker) {
  std::vector<Waiting> some;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const absl::Time now = absl::Now();
    Target& target = targets_[asker];
    target.holding = false;
    if (MayGo(target, now)) some = Take(target, now);
    Hold(asker, target, now);
    Forget(asker, target, now);
  }
  Go(std::move(some));
}

void Gathering::Time(const std::string& asker, Target& target) {
  if (target.waiting.empty() || target.timed) return;
  target.timed = true;
  if (timers_ == nullptr) timers_ = std::make_unique<Timers>();
  timers_->After(std::max(wait_, std::min(2 * target.takes, kWaitMax)),
                 [this, asker] { OnTime(asker); });
}

// What it knows of a target helps the next question, within bounds.
void Gathering::Forget(const std::string& asker, const Target& target, absl::Time now) {
  const bool idle = target.under_way == 0 && target.waiting.empty() && !target.timed &&
                    !target.holding && !target.put_off && now >= target.alone_until;
  if (idle && targets_.size() > kGatheredTargetsKept) targets_.erase(asker);
}

void Gathering::OnTime(const std::string& asker) {
  std::vector<Waiting> some;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Target& target = targets_[asker];
    target.timed = false;
    some = Take(target, absl::Now());
    Time(asker, target);
    Forget(asker, target, absl::Now());
  }
  Go(std::move(some));
}

void Gathering::Ended(const std::string& asker, absl::Duration took, size_t answered) {
  std::vector<Waiting> some;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const absl::Time now = absl::Now();
    Target& target = targets_[asker];
    target.takes = (3 * target.takes + took) / 4;
    --target.under_way;
    if (target.answered > 0) {
      const double share = static_cast<double>(target.back) / static_cast<double>(target.answered);
      target.returning = (target.returning + std::min(share, 1.0)) / 2;
    }
    target.answered = answered;
    target.back = 0;
    target.in_time = now + std::min(target.takes, return_max_);
    target.awaited =
        target.waiting.size() +
        static_cast<size_t>(std::lround(target.returning * static_cast<double>(answered)));
    if (MayGo(target, now)) some = Take(target, now);
    Time(asker, target);
    Hold(asker, target, now);
    Forget(asker, target, now);
  }
  Go(std::move(some));
}

void Gathering::GoAlone(Waiting one) {
  const std::string asker = AskerOf(one.question);
  send_(std::move(one.question),
        [this, asker, asked_at = one.asked_at, done = std::move(one.done)](CallAnswer answer) {
          Ended(asker, answer.elapsed, 1);
          answer.elapsed = absl::Now() - asked_at;
          done(std::move(answer));
        });
}

void Gathering::Go(std::vector<Waiting> some) {
  if (some.empty()) return;
  if (some.size() == 1) return GoAlone(std::move(some.front()));
  v1::GatheredCalls calls;
  absl::Duration budget = absl::InfiniteDuration();
  for (const Waiting& one : some) {
    v1::GatheredCall& call = *calls.add_calls();
    call.set_method(one.question.method);
    call.set_body(one.question.body);
    call.set_purpose(one.question.purpose);
    budget = std::min(budget, one.question.budget);
  }
  CallQuestion question = {.target = some.front().question.target,
                           .method = kGatheredMethod,
                           .body = calls.SerializeAsString(),
                           .uscc = some.front().question.uscc,
                           .purpose = "",
                           .budget = budget};
  auto asked = std::make_shared<std::vector<Waiting>>(std::move(some));
  send_(std::move(question), [this, asked](CallAnswer answer) {
    const std::string asker = AskerOf(asked->front().question);
    Ended(asker, answer.elapsed, asked->size());
    Answered(std::move(*asked), std::move(answer));
  });
}

void Gathering::Answered(std::vector<Waiting> asked, CallAnswer answer) {
  const absl::Time now = absl::Now();
  const std::string asker = AskerOf(asked.front().question);
  v1::GatheredReplies replies;
  const bool unknown = DetailOf(answer.status).reason == "method_unknown";
  if (unknown) {
    const std::lock_guard<std::mutex> lock(mutex_);
    targets_[asker].alone_until = now + kAlone;
  } else if (answer.status.ok() && (!replies.ParseFromString(answer.body) ||
                                    replies.replies_size() != static_cast<int>(asked.size()))) {
    answer.status =
        Error(absl::StatusCode::kInternal, "reply_malformed",
              absl::StrCat(answer.answered_by, " 的应答无法解析 (the reply does not parse)"));
  }
  answer.body.clear();
  const Round round;
  for (size_t i = 0; i < asked.size(); ++i) {
    Waiting& one = asked[i];
    v1::GatheredReply* reply =
        answer.status.ok() ? replies.mutable_replies(static_cast<int>(i)) : nullptr;
    if (unknown || (reply != nullptr && reply->alone())) {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        ++targets_[asker].under_way;
      }
      one.question.budget -= answer.elapsed;
      GoAlone(std::move(one));
      continue;
    }
    CallAnswer own = answer;
    if (reply != nullptr) {
      absl::StatusOr<std::string> outcome = OutcomeOf(reply);
      own.status = outcome.status();
      if (outcome.ok()) own.body = *std::move(outcome);
    }
    own.elapsed = now - one.asked_at;
    one.done(std::move(own));
  }
}

}  // namespace guantong
