// Many questions to one node on one stream (DataService.Ask), asked by any number of threads: what
// waits to be asked shares a message, and so do questions that an answer leads to. A node that does
// not know the stream yet is asked by DataService.Query, one call for each question.
//
// ERRORS   What the node says of a question is that question's. What ends the stream ends every
// open question with it; the next one begins a new stream.
// THREADS  Any. `done` is called once, on a thread of gRPC, without a lock; it may ask, must not
// wait, and must not destroy the stream.
#ifndef GUANTONG_NODE_CLI_QUESTION_STREAM_H_
#define GUANTONG_NODE_CLI_QUESTION_STREAM_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "guantong/v1/data.pb.h"

namespace grpc {
class Channel;
class Status;
}  // namespace grpc

namespace guantong {

class QuestionStream {
 public:
  using Done = std::function<void(absl::StatusOr<v1::QueryResponse>)>;

  explicit QuestionStream(std::shared_ptr<grpc::Channel> channel);
  QuestionStream(const QuestionStream&) = delete;
  QuestionStream& operator=(const QuestionStream&) = delete;
  ~QuestionStream();  // open questions end with CANCELLED

  // The node answers within that time, if only that it could not. Not bounded here: above a bound
  // of open questions the node reads no more, and they wait in this process.
  void Ask(v1::QueryRequest request, absl::Duration within, Done done);

 private:
  class Rpc;
  struct Open {
    Done done;
    std::optional<v1::QueryRequest> request;  // kept until the node is known to know the stream
    absl::Time deadline;
  };

  void Pump();  // with the lock held
  void OnAnswers(const v1::Answers& answers);
  void OnReadsEnded();
  void OnWritten(bool ok);
  void OnEnd(const grpc::Status& status);
  void AskAlone(Open open);

  const std::shared_ptr<grpc::Channel> channel_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::unordered_map<uint64_t, Open> open_;
  uint64_t last_number_ = 0;
  std::deque<v1::Question> waiting_;
  Rpc* rpc_ = nullptr;  // deletes itself at its end
  size_t alone_ = 0;    // calls of one question under way
  bool writing_ = false;
  bool ending_ = false;  // its reads have ended, its end is not told yet
  bool delivering_ = false;
  bool known_ = false;    // the node has answered on a stream
  bool unknown_ = false;  // the node does not know the stream
  bool stopping_ = false;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_QUESTION_STREAM_H_
