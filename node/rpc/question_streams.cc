#include "node/rpc/question_streams.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/driver.h"
#include "node/limits.h"
#include "node/round.h"
#include "node/rpc/serve.h"

namespace guantong {
namespace {

constexpr char kMethod[] = "guantong.v1.DataService.Ask";

// As of an rpc of its own: a little less than the asker waits, so that it hears the reason.
absl::Duration BudgetOf(const v1::Question& question) {
  if (question.budget_ms() == 0) return absl::Seconds(kCallSecondsDefault);
  return std::min<absl::Duration>(absl::Milliseconds(question.budget_ms()),
                                  absl::Seconds(kCallBudgetSecondsMax)) *
         0.95;
}

v1::Answer AnswerOf(uint64_t number, absl::StatusOr<std::string> response) {
  v1::Answer answer;
  answer.set_number(number);
  if (response.ok()) {
    answer.set_response(*std::move(response));
    return answer;
  }
  answer.set_code(static_cast<int>(response.status().code()));
  answer.set_message(std::string(response.status().message()));
  answer.set_detail(PackDetail(DetailOf(response.status())));
  return answer;
}

}  // namespace

// Kept alive by itself until gRPC is done with it, and by the questions that are open.
class QuestionStreams::Stream final : public Reactor, public std::enable_shared_from_this<Stream> {
 public:
  Stream(QuestionStreams* streams, grpc::CallbackServerContext* context)
      : streams_(*streams), context_(context) {}

  void Begin() {
    self_ = shared_from_this();
    absl::StatusOr<Authoriser::Admission> admitted =
        streams_.authoriser_.AdmitStream(MethodNamed(kMethod), *context_);
    if (!admitted.ok()) return End(admitted.status());
    admitted_ = *std::move(admitted);
    StartRead(&questions_);
  }

  void End(const absl::Status& why) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (std::exchange(finished_, true)) return;
    }
    Finish(ToGrpc(why));
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      bool done;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        reads_ended_ = true;
        done = Idle();
      }
      if (done || context_->IsCancelled()) End(absl::OkStatus());
      return;
    }
    if (questions_.questions_size() > int{kQuestionsOpenMax}) {
      return End(Error(absl::StatusCode::kInvalidArgument, "questions_too_many",
                       absl::StrCat("一条消息最多 ", kQuestionsOpenMax,
                                    " 个问题 (at most so many questions in one message)"),
                       "", "分成几条消息 (send them in several)"));
    }
    if (absl::Status may =
            streams_.authoriser_.StillAdmitted(MethodNamed(kMethod), admitted_, *context_);
        !may.ok()) {
      return End(may);
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      open_ += static_cast<size_t>(questions_.questions_size());
    }
    {
      const Round round;
      for (const v1::Question& question : questions_.questions()) Ask(question);
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (finished_) return;
      reading_ = open_ < kQuestionsOpenMax;
      if (!reading_) return;
    }
    StartRead(&questions_);
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      writing_ = false;
    }
    if (!ok) return End(absl::OkStatus());  // the asker is gone
    Pump();
  }

  void OnCancel() override { End(absl::CancelledError("the asker has gone")); }

  void OnDone() override {
    {
      const std::lock_guard<std::mutex> lock(streams_.mutex_);
      streams_.streams_.erase(this);
    }
    self_.reset();
  }

 private:
  void Ask(const v1::Question& question) {
    streams_.questions_.QueryBytes(
        admitted_.caller, question.query(), absl::Now() + BudgetOf(question),
        [self = shared_from_this(), number = question.number()](absl::StatusOr<std::string> made) {
          self->Answered(AnswerOf(number, std::move(made)));
        });
  }

  void Answered(v1::Answer answer) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      answered_.push_back(std::move(answer));
    }
    if (!Round::PutOff(this, [self = shared_from_this()] { self->Pump(); })) Pump();
  }

  // With the lock held: nothing is open and nothing waits to be sent.
  bool Idle() const { return open_ == 0 && !writing_; }

  void Pump() {
    bool done = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (finished_ || writing_) return;
      answers_.Clear();
      size_t bytes = 0;
      while (!answered_.empty() && bytes < kAnswersBytesMax) {
        bytes += answered_.front().response().size();
        *answers_.add_answers() = std::move(answered_.front());
        answered_.pop_front();
        --open_;
      }
      writing_ = answers_.answers_size() > 0;
      const bool read = !reads_ended_ && !reading_ && open_ <= kQuestionsOpenMax / 2;
      reading_ |= read;
      done = reads_ended_ && Idle();
      // Under the lock: End must not come between.
      if (writing_) StartWrite(&answers_);
      if (read) StartRead(&questions_);
    }
    if (done) End(absl::OkStatus());
  }

  QuestionStreams& streams_;
  grpc::CallbackServerContext* const context_;
  std::shared_ptr<Stream> self_;
  Authoriser::Admission admitted_;
  v1::Questions questions_;  // being read
  std::mutex mutex_;         // guards all below
  v1::Answers answers_;      // being written
  std::deque<v1::Answer> answered_;
  size_t open_ = 0;  // asked and not sent
  bool reading_ = true;
  bool reads_ended_ = false;
  bool writing_ = false;
  bool finished_ = false;
};

QuestionStreams::Reactor* QuestionStreams::Open(grpc::CallbackServerContext* context) {
  const auto stream = std::make_shared<Stream>(this, context);
  bool stopping;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping = stopping_;
    streams_[stream.get()] = stream;
  }
  stream->Begin();
  if (stopping) stream->End(Driver::StoppingError());
  return stream.get();
}

void QuestionStreams::Stop() {
  std::vector<std::shared_ptr<Stream>> open;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    for (const auto& [key, stream] : streams_) {
      if (auto live = stream.lock()) open.push_back(std::move(live));
    }
  }
  for (const auto& stream : open) stream->End(Driver::StoppingError());
}

}  // namespace guantong
