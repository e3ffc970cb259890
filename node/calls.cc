#include "node/calls.h"

#include <sys/resource.h>

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/driver.h"
#include "node/limits.h"
#include "node/workers.h"

namespace guantong {

namespace {

// A look-up that had to wait, and longer than this, waited for the disk. For some time then workers
// do the waiting.
constexpr absl::Duration kQuickTime = absl::Milliseconds(1);
constexpr absl::Duration kQuickPause = absl::Seconds(1);

int64_t TimesWaited() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

CallAnswered Answered(const std::string& id, absl::StatusOr<std::string> body,
                      const NodePath& here) {
  if (body.ok() && body->size() > kCallBodyBytesMax) {
    body = Error(absl::StatusCode::kResourceExhausted, "reply_too_large",
                 "应答过大 (the answer does not fit a reply)", DisplayPath(here),
                 "减少行数或字段 (ask for fewer rows or fields)");
  }
  CallAnswered answered = {.id = id, .status = body.status(), .body = ""};
  if (body.ok()) answered.body = *std::move(body);
  return answered;
}

}  // namespace

Calls::Calls(const Site* site)
    : site_(*site), gathering_([this](CallQuestion question, Gathering::Done done) {
        Send(std::move(question), std::move(done));
      }) {
  const auto answer = [this](const v1::SignedCall& call, absl::Time deadline) {
    return AnswerGathered(call, deadline);
  };
  Serve(kGatheredMethod, answer, answer);
}

CallAnswer Calls::Ask(const CallQuestion& question) {
  return std::move(AskAll({question}).front());
}

void Calls::Ask(CallQuestion question, std::function<void(CallAnswer)> done) {
  const auto method = methods_.find(question.method);
  if (method == methods_.end() || method->second.quick == nullptr) {
    return Send(std::move(question), std::move(done));
  }
  gathering_.Ask(std::move(question), std::move(done));
}

void Calls::Send(CallQuestion question, std::function<void(CallAnswer)> done) {
  const absl::Time asked_at = absl::Now();
  auto answered = [this, method = question.method, asked_at, done](CallDone call) {
    CallAnswer answer = {.status = call.status,
                         .body = std::move(*call.reply.mutable_body()),
                         .hops = {call.reply.hops().begin(), call.reply.hops().end()},
                         .answered_by = call.reply.answered_by(),
                         .elapsed = absl::Now() - asked_at};
    Remember(method, call.reply.id(), answer);
    done(std::move(answer));
  };
  const absl::Status taken =
      site_.driver->Call({.target = std::move(question.target),
                          .method = std::move(question.method),
                          .body = std::move(question.body),
                          .uscc = std::move(question.uscc),
                          .purpose = std::move(question.purpose),
                          .budget = std::max(question.budget, absl::Milliseconds(1))},
                         answered);
  if (!taken.ok()) answered({.token = 0, .reply = {}, .status = taken});
}

std::vector<CallAnswer> Calls::AskAll(const std::vector<CallQuestion>& questions) {
  std::vector<std::future<CallAnswer>> pending;
  for (const CallQuestion& question : questions) {
    auto promise = std::make_shared<std::promise<CallAnswer>>();
    pending.push_back(promise->get_future());
    Ask(question, [promise](CallAnswer answer) { promise->set_value(std::move(answer)); });
  }
  std::vector<CallAnswer> answers;
  for (std::future<CallAnswer>& answer : pending) answers.push_back(answer.get());
  return answers;
}

Calls::Highest Calls::AskHighest(const NodePath& top, CallQuestion question, absl::Time deadline) {
  Highest highest;
  for (NodePath at = top; at != site_.path(); at = site_.path().Ancestor(at.depth() + 1)) {
    question.target = at.text();
    question.budget = deadline - absl::Now();
    highest.answer = Ask(question);
    highest.by = at;
    if (highest.answer.status.ok()) break;
    if (highest.missing.ok()) highest.missing = highest.answer.status;
  }
  return highest;
}

void Calls::Deliver(std::vector<CallDelivery> deliveries, Driver::Delivered where) {
  std::vector<Event> answers;
  for (CallDelivery& delivery : deliveries) {
    const absl::Time now = absl::Now();
    const std::string id = delivery.id;
    auto method = methods_.find(delivery.call.method());
    if (method == methods_.end()) {
      answers.push_back(CallAnswered{
          .id = id,
          .status =
              Error(absl::StatusCode::kUnimplemented, "method_unknown",
                    absl::StrCat("本节点不认识方法 ", delivery.call.method(), " (unknown method)"),
                    DisplayPath(site_.path()), "升级该节点 (upgrade that node)"),
          .body = ""});
      continue;
    }
    const absl::Time deadline = now + delivery.budget;
    const bool quick = where == Driver::Delivered::kHere && method->second.quick != nullptr &&
                       absl::ToUnixNanos(now) >= quick_again_at_.load();
    if (quick) {
      if (auto answered = AnswerQuickly(method->second, delivery, deadline)) {
        answers.push_back(*std::move(answered));
        continue;
      }
    }
    const absl::Status taken = HandToWorker(method->second, std::move(delivery), deadline);
    if (!taken.ok()) answers.push_back(CallAnswered{.id = id, .status = taken, .body = ""});
  }
  if (!answers.empty()) site_.driver->Answer(std::move(answers));
}

std::optional<CallAnswered> Calls::AnswerQuickly(const Method& method, const CallDelivery& delivery,
                                                 absl::Time deadline) {
  const absl::Time begun = absl::Now();
  const int64_t waited = TimesWaited();
  auto body = method.quick(delivery.call, deadline);
  const absl::Time now = absl::Now();
  if (now - begun > kQuickTime && TimesWaited() > waited) {
    quick_again_at_ = absl::ToUnixNanos(now + kQuickPause);
  }
  if (!body.has_value()) return std::nullopt;
  return Answered(delivery.id, *std::move(body), site_.path());
}

// All of them here and now, each by its quick handler; what takes longer is to be asked alone, so
// that none waits for another.
absl::StatusOr<std::string> Calls::AnswerGathered(const v1::SignedCall& call, absl::Time deadline) {
  v1::GatheredCalls gathered;
  if (!gathered.ParseFromString(call.body()) || gathered.calls_size() > int{kGatheredMax}) {
    return Error(absl::StatusCode::kInvalidArgument, "call_malformed",
                 "调用内容无法解析 (the call's body does not parse)");
  }
  v1::GatheredReplies replies;
  size_t bytes = 0;
  v1::SignedCall one;
  one.set_id(call.id());
  one.set_target(call.target());
  *one.mutable_caller() = call.caller();
  for (v1::GatheredCall& asked : *gathered.mutable_calls()) {
    v1::GatheredReply& reply = *replies.add_replies();
    const auto method = methods_.find(asked.method());
    if (method == methods_.end() || method->second.quick == nullptr ||
        asked.method() == kGatheredMethod || bytes > kGatheredReplyBytesMax) {
      reply.set_alone(true);
      continue;
    }
    one.mutable_caller()->set_purpose(std::move(*asked.mutable_purpose()));
    one.set_method(std::move(*asked.mutable_method()));
    one.set_body(std::move(*asked.mutable_body()));
    auto answer = method->second.quick(one, deadline);
    if (!answer.has_value() || (answer->ok() && (*answer)->size() > kGatheredReplyBytesMax)) {
      reply.set_alone(true);
      continue;
    }
    SetOutcome(*std::move(answer), &reply);
    bytes += reply.body().size();
  }
  return replies.SerializeAsString();
}

absl::Status Calls::HandToWorker(const Method& method, CallDelivery delivery, absl::Time deadline) {
  return site_.workers->Run(
      [this, deadline, delivery = std::move(delivery), answer = &method.handler] {
        absl::StatusOr<std::string> body =
            Error(absl::StatusCode::kDeadlineExceeded, "out_of_time",
                  "排队超时 (the time was used up waiting here)", DisplayPath(site_.path()),
                  "稍后重试 (try again later)");
        if (absl::Now() < deadline) body = (*answer)(delivery.call, deadline);
        site_.driver->Answer(Answered(delivery.id, std::move(body), site_.path()));
      });
}

void Calls::Remember(const std::string& method, const std::string& id, const CallAnswer& answer) {
  if (id.empty()) return;
  Traced traced = {.id = HexOf(id), .method = method, .answer = answer, .at = absl::Now()};
  traced.answer.body.clear();
  std::lock_guard<std::mutex> lock(mutex_);
  recent_.push_back(std::move(traced));
  if (recent_.size() > kCallsTracedMax) recent_.pop_front();
}

absl::StatusOr<Calls::Traced> Calls::Find(absl::string_view id_hex) const {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = recent_.rbegin(); it != recent_.rend(); ++it) {
    if (absl::string_view(it->id) == id_hex) return *it;
  }
  return Error(absl::StatusCode::kNotFound, "call_unknown",
               absl::StrCat("没有资源或近期调用 ", id_hex, " (no such resource or recent call)"),
               id_hex);
}

}  // namespace guantong
