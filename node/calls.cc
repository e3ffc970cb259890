#include "node/calls.h"

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

CallAnswer Calls::Ask(const CallQuestion& question) {
  return std::move(AskAll({question}).front());
}

std::vector<CallAnswer> Calls::AskAll(const std::vector<CallQuestion>& questions) {
  struct Pending {
    std::promise<CallDone> promise;
    absl::Time asked_at;
    absl::Duration elapsed;
  };
  std::vector<std::shared_ptr<Pending>> pending;
  for (const CallQuestion& question : questions) {
    auto one = std::make_shared<Pending>();
    one->asked_at = absl::Now();
    pending.push_back(one);
    const absl::Status taken =
        site_.driver->Call({.target = question.target,
                            .method = question.method,
                            .body = question.body,
                            .uscc = question.uscc,
                            .purpose = question.purpose,
                            .budget = std::max(question.budget, absl::Milliseconds(1))},
                           [one](const CallDone& done) {
                             one->elapsed = absl::Now() - one->asked_at;
                             one->promise.set_value(done);
                           });
    if (!taken.ok()) one->promise.set_value({.token = 0, .reply = {}, .status = taken});
  }
  std::vector<CallAnswer> answers;
  for (size_t i = 0; i < questions.size(); ++i) {
    CallDone done = pending[i]->promise.get_future().get();
    CallAnswer answer = {.status = std::move(done.status),
                         .body = std::move(*done.reply.mutable_body()),
                         .hops = {done.reply.hops().begin(), done.reply.hops().end()},
                         .answered_by = done.reply.answered_by(),
                         .elapsed = pending[i]->elapsed};
    Remember(questions[i].method, done.reply.id(), answer);
    answers.push_back(std::move(answer));
  }
  return answers;
}

void Calls::Deliver(CallDelivery delivery) {
  const absl::Time deadline = absl::Now() + delivery.budget;
  const std::string id = delivery.id;
  auto handler = handlers_.find(delivery.call.method());
  if (handler == handlers_.end()) {
    return site_.driver->Answer(CallAnswered{
        .id = id,
        .status =
            Error(absl::StatusCode::kUnimplemented, "method_unknown",
                  absl::StrCat("本节点不认识方法 ", delivery.call.method(), " (unknown method)"),
                  DisplayPath(site_.path()), "升级该节点 (upgrade that node)"),
        .body = ""});
  }
  const absl::Status taken = site_.workers->Run(
      [this, id, deadline, call = std::move(delivery.call), answer = &handler->second] {
        absl::StatusOr<std::string> body =
            Error(absl::StatusCode::kDeadlineExceeded, "out_of_time",
                  "排队超时 (the time was used up waiting here)", DisplayPath(site_.path()),
                  "稍后重试 (try again later)");
        if (absl::Now() < deadline) body = (*answer)(call, deadline);
        if (body.ok() && body->size() > kCallBodyBytesMax) {
          body = Error(absl::StatusCode::kResourceExhausted, "reply_too_large",
                       "应答过大 (the answer does not fit a reply)", DisplayPath(site_.path()),
                       "减少行数或字段 (ask for fewer rows or fields)");
        }
        CallAnswered answered = {.id = id, .status = body.status(), .body = ""};
        if (body.ok()) answered.body = *std::move(body);
        site_.driver->Answer(std::move(answered));
      });
  if (!taken.ok()) site_.driver->Answer(CallAnswered{.id = id, .status = taken, .body = ""});
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
