#include "node/cli/push_stream.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <utility>

#include "catalog/base/limits.h"
#include "guantong/v1/data.grpc.pb.h"

namespace guantong {
namespace {

// The server works on one message while the next is made; well under what it takes in one, with one
// row of the largest size on top.
constexpr size_t kMessageBytesTarget = 64 << 10;
constexpr int kMessageRowsMax = static_cast<int>(kBatchRowsMax);

}  // namespace

struct PushStream::Rpc {
  grpc::ClientContext context;
  v1::PushResponse response;
  std::unique_ptr<v1::DataService::Stub> stub;
  std::unique_ptr<grpc::ClientWriter<v1::PushRequest>> writer;
  bool finished = false;
};

PushStream::PushStream(const Connection& connection, absl::Time deadline)
    : connection_(connection), rpc_(std::make_unique<Rpc>()) {
  rpc_->context.set_deadline(absl::ToChronoTime(deadline));
  rpc_->stub = v1::DataService::NewStub(connection.channel());
  rpc_->writer = rpc_->stub->Push(&rpc_->context, &rpc_->response);
}

PushStream::~PushStream() {
  if (rpc_->finished) return;
  rpc_->context.TryCancel();
  rpc_->writer->Finish();
}

bool PushStream::Open(const v1::PushOpen& open) {
  v1::PushRequest request;
  *request.mutable_open() = open;
  return rpc_->writer->Write(request);
}

bool PushStream::Add(v1::PushRow row) {
  rows_bytes_ += row.ByteSizeLong();
  *rows_.mutable_rows()->add_rows() = std::move(row);
  ++rows_sent_;
  const bool full =
      rows_bytes_ >= kMessageBytesTarget || rows_.rows().rows_size() >= kMessageRowsMax;
  return !full || Flush();
}

bool PushStream::Flush() {
  const bool sent = rpc_->writer->Write(rows_);
  rows_.Clear();
  rows_bytes_ = 0;
  return sent;
}

absl::StatusOr<v1::PushResponse> PushStream::Finish() {
  if (rows_.has_rows()) Flush();
  v1::PushRequest end;
  end.mutable_end()->set_rows(rows_sent_);
  rpc_->writer->Write(end);
  rpc_->writer->WritesDone();
  rpc_->finished = true;
  const grpc::Status status = rpc_->writer->Finish();
  if (!status.ok()) return connection_.StatusOf(status);
  return std::move(rpc_->response);
}

}  // namespace guantong
