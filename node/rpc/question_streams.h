// DataService.Ask: many questions of one asker under way on one stream, answers as they come.
//
// What one message brought is asked together, and what is answered together goes in one message
// (node/round.h). The asker is held against the rules with every message. BOUNDS
// kQuestionsOpenMax of a stream: no more are read until half of them are answered, so an asker that
// does not read its answers holds up itself alone.
//
// THREADS  Any. Stop ends all streams with node_stopping; what comes later is refused with it.
#ifndef GUANTONG_NODE_RPC_QUESTION_STREAMS_H_
#define GUANTONG_NODE_RPC_QUESTION_STREAMS_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <unordered_map>

#include "guantong/v1/data.pb.h"
#include "node/query.h"
#include "node/rpc/authorise.h"

namespace guantong {

class QuestionStreams {
 public:
  using Reactor = grpc::ServerBidiReactor<v1::Questions, v1::Answers>;

  QuestionStreams(Authoriser* authoriser, Questions* questions)
      : authoriser_(*authoriser), questions_(*questions) {}

  // Of the service's method; it deletes itself when gRPC is done with it.
  Reactor* Open(grpc::CallbackServerContext* context);
  void Stop();

 private:
  class Stream;

  Authoriser& authoriser_;
  Questions& questions_;
  std::mutex mutex_;
  bool stopping_ = false;                                       // guarded by mutex_
  std::unordered_map<Stream*, std::weak_ptr<Stream>> streams_;  // guarded by mutex_
};

}  // namespace guantong

#endif  // GUANTONG_NODE_RPC_QUESTION_STREAMS_H_
