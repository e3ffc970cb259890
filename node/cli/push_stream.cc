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
  // Rows or the end follow at once and take it along.
  return rpc_->writer->Write(request, grpc::WriteOptions().set_buffer_hint());
}

bool PushStream::Add(const PushedRow& row) {
  rows_.Add(row);
  ++rows_sent_;
  const bool full = rows_.bytes() >= kMessageBytesTarget || rows_.rows() >= kBatchRowsMax;
  return !full || Flush();
}

bool PushStream::Flush() {
  v1::PushRequest request;
  request.set_rows(rows_.Take());
  return rpc_->writer->Write(request);
}

absl::StatusOr<v1::PushResponse> PushStream::Finish() {
  if (rows_.rows() > 0) Flush();
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
