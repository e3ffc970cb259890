#include "node/cli/question_stream.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "guantong/v1/data.grpc.pb.h"
#include "node/limits.h"
#include "node/rpc/wire_status.h"

namespace guantong {
namespace {

absl::StatusOr<v1::QueryResponse> OutcomeOf(const v1::Answer& answer) {
  if (answer.code() != 0) {
    return WithDetail(absl::Status(static_cast<absl::StatusCode>(answer.code()), answer.message()),
                      answer.detail());
  }
  v1::QueryResponse response;
  if (response.ParseFromString(answer.response())) return response;
  return Error(absl::StatusCode::kInternal, "reply_malformed", "the answer does not parse");
}

}  // namespace

// One stream, from its first question to its end.
class QuestionStream::Rpc final : public grpc::ClientBidiReactor<v1::Questions, v1::Answers> {
 public:
  explicit Rpc(QuestionStream* owner)
      : owner_(*owner), stub_(v1::DataService::NewStub(owner->channel_)) {
    stub_->async()->Ask(&context_, this);
    AddHold();  // questions come from outside of reactions
    StartRead(&answers_);
    StartCall();
  }

  v1::Questions* questions() { return &questions_; }
  void Write() { StartWrite(&questions_); }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      owner_.OnReadsEnded();
      return RemoveHold();
    }
    owner_.OnAnswers(answers_);
    StartRead(&answers_);
  }
  void OnWriteDone(bool ok) override { owner_.OnWritten(ok); }
  void OnDone(const grpc::Status& status) override {
    QuestionStream& owner = owner_;
    delete this;
    owner.OnEnd(status);
  }

 private:
  QuestionStream& owner_;
  const std::unique_ptr<v1::DataService::Stub> stub_;
  grpc::ClientContext context_;
  v1::Questions questions_;  // being written
  v1::Answers answers_;      // being read
};

QuestionStream::QuestionStream(std::shared_ptr<grpc::Channel> channel)
    : channel_(std::move(channel)) {}

QuestionStream::~QuestionStream() {
  std::unique_lock<std::mutex> lock(mutex_);
  stopping_ = true;
  if (rpc_ != nullptr && !ending_) rpc_->Cancel();
  changed_.wait(lock, [this] { return rpc_ == nullptr && alone_ == 0; });
}

void QuestionStream::Ask(v1::QueryRequest request, absl::Duration within, Done done) {
  const int64_t budget_ms = std::clamp<int64_t>(absl::ToInt64Milliseconds(within), 1, UINT32_MAX);
  std::unique_lock<std::mutex> lock(mutex_);
  Open open = {.done = std::move(done),
               .request = std::nullopt,
               .deadline = absl::Now() + absl::Milliseconds(budget_ms)};
  if (unknown_) {
    open.request = std::move(request);
    lock.unlock();
    return AskAlone(std::move(open));
  }
  v1::Question& question = waiting_.emplace_back();
  question.set_number(++last_number_);
  question.set_budget_ms(static_cast<uint32_t>(budget_ms));
  if (!known_) open.request = request;
  *question.mutable_query() = std::move(request);
  open_.emplace(question.number(), std::move(open));
  // What the answers of one message lead to is asked in one message.
  if (!delivering_) Pump();
}

void QuestionStream::Pump() {
  if (writing_ || waiting_.empty() || stopping_ || ending_) return;
  if (rpc_ == nullptr) rpc_ = new Rpc(this);
  v1::Questions& message = *rpc_->questions();
  message.Clear();
  while (!waiting_.empty() && message.questions_size() < int{kQuestionsOpenMax}) {
    *message.add_questions() = std::move(waiting_.front());
    waiting_.pop_front();
  }
  writing_ = true;
  rpc_->Write();
}

void QuestionStream::OnAnswers(const v1::Answers& answers) {
  std::vector<std::pair<Done, const v1::Answer*>> done;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    known_ = true;
    delivering_ = true;
    for (const v1::Answer& answer : answers.answers()) {
      const auto it = open_.find(answer.number());
      if (it == open_.end()) continue;
      done.emplace_back(std::move(it->second.done), &answer);
      open_.erase(it);
    }
  }
  for (const auto& [answered, answer] : done) answered(OutcomeOf(*answer));
  const std::lock_guard<std::mutex> lock(mutex_);
  delivering_ = false;
  Pump();
}

// Nothing is written from here on; what is asked until the end is told of it.
void QuestionStream::OnReadsEnded() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ending_ = true;
}

void QuestionStream::OnWritten(bool ok) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // After a write that failed the stream ends, and with it what is open.
  if (!ok) return;
  writing_ = false;
  Pump();
}

void QuestionStream::OnEnd(const grpc::Status& status) {
  std::unordered_map<uint64_t, Open> ended;
  bool unknown;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended = std::exchange(open_, {});
    waiting_.clear();
    writing_ = false;
    ending_ = false;
    unknown = !known_ && !stopping_ && status.error_code() == grpc::StatusCode::UNIMPLEMENTED;
    unknown_ |= unknown;
    ++alone_;  // the destructor waits until the last of them has been told
    rpc_ = nullptr;
  }
  const absl::Status why = status.ok() ? Error(absl::StatusCode::kUnavailable, "stream_ended",
                                               "the node ended the stream")
                                       : FromGrpc(status);
  for (auto& [number, open] : ended) {
    if (unknown) {
      AskAlone(std::move(open));
    } else {
      open.done(why);
    }
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  --alone_;
  changed_.notify_all();
}

void QuestionStream::AskAlone(Open open) {
  struct Call {
    std::unique_ptr<v1::DataService::Stub> stub;
    grpc::ClientContext context;
    v1::QueryResponse response;
    Open open;
  };
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++alone_;
  }
  auto call = std::make_shared<Call>();
  call->stub = v1::DataService::NewStub(channel_);
  call->context.set_deadline(absl::ToChronoTime(open.deadline));
  call->open = std::move(open);
  call->stub->async()->Query(&call->context, &*call->open.request, &call->response,
                             [this, call](const grpc::Status& status) mutable {
                               if (status.ok()) {
                                 call->open.done(std::move(call->response));
                               } else {
                                 call->open.done(FromGrpc(status));
                               }
                               call.reset();
                               const std::lock_guard<std::mutex> lock(mutex_);
                               --alone_;
                               changed_.notify_all();
                             });
}

}  // namespace guantong
