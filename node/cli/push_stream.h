// One attempt at a push: the rpc as a sink of rows.
#ifndef GUANTONG_NODE_CLI_PUSH_STREAM_H_
#define GUANTONG_NODE_CLI_PUSH_STREAM_H_

#include <memory>

#include "absl/status/statusor.h"
#include "guantong/v1/data.pb.h"
#include "node/cli/connection.h"
#include "node/pushed_rows.h"

namespace guantong {

class PushStream {
 public:
  PushStream(const Connection& connection, absl::Time deadline);
  ~PushStream();  // an unfinished push is cancelled: the node drops it
  PushStream(const PushStream&) = delete;
  PushStream& operator=(const PushStream&) = delete;

  // Rows are sent in messages of some hundred KiB. False: the node has ended the stream, Finish
  // says why.
  bool Open(const v1::PushOpen& open);
  bool Add(const PushedRow& row);
  absl::StatusOr<v1::PushResponse> Finish();

 private:
  struct Rpc;
  bool Flush();
  const Connection& connection_;
  std::unique_ptr<Rpc> rpc_;
  uint64_t rows_sent_ = 0;
  PushedRowsWriter rows_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_PUSH_STREAM_H_
