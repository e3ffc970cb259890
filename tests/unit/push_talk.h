// A series of pushes spoken to a node in the same process.
#ifndef GUANTONG_TESTS_UNIT_PUSH_TALK_H_
#define GUANTONG_TESTS_UNIT_PUSH_TALK_H_

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "node/push.h"
#include "tests/unit/lone_node.h"

namespace guantong {

// Rows of the keys 1000+from and so many after it.
inline LoneNode::Rows Some(size_t from, size_t count) {
  LoneNode::Rows rows;
  for (size_t i = from; i < from + count; ++i)
    rows.push_back({std::to_string(1000 + i), "东", "1"});
  return rows;
}

// What a series reads, and what it was answered.
class Talk {
 public:
  void Push(const v1::PushOpen& open, const LoneNode::Rows& rows) {
    for (v1::PushRequest& request : LoneNode::RequestsOf(open, rows)) Add(std::move(request));
  }
  void Push(LoneNode* node, const std::string& code, const LoneNode::Rows& rows) {
    Push(node->Open(code, v1::PUSH_MODE_UPSERT), rows);
  }
  void Add(v1::PushRequest request) { requests_.push_back(std::move(request)); }
  // Before the next message is read.
  void Then(std::function<void()> what) { before_[requests_.size()] = std::move(what); }
  void AwaitAnswers(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return answers_.size() >= count; });
  }

  absl::Status Run(LoneNode* node) {
    return node->pushes().TakeAll(
        {.read = [this](v1::PushRequest* request) { return Read(request); },
         .broken = [] { return false; },
         .cancel = [] {}},
        [&]() -> absl::StatusOr<CallerIdentity> {
          if (admitted_max-- <= 0) return absl::PermissionDeniedError("no longer");
          return node->Editor();
        },
        [this](const absl::StatusOr<v1::PushResponse>& answer) {
          if (on_answer) on_answer();
          const std::lock_guard<std::mutex> lock(mutex_);
          answers_.push_back(answer);
          changed_.notify_all();
        });
  }

  const std::vector<absl::StatusOr<v1::PushResponse>>& answers() const { return answers_; }
  size_t read() const { return at_; }

  std::function<void()> on_answer;
  int admitted_max = 1000;

 private:
  bool Read(v1::PushRequest* request) {
    if (const auto what = before_.extract(at_); !what.empty()) what.mapped()();
    if (at_ == requests_.size()) return false;
    *request = requests_[at_++];
    return true;
  }

  std::vector<v1::PushRequest> requests_;
  size_t at_ = 0;
  std::map<size_t, std::function<void()>> before_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<absl::StatusOr<v1::PushResponse>> answers_;
};

}  // namespace guantong

#endif  // GUANTONG_TESTS_UNIT_PUSH_TALK_H_
