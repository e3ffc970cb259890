#include "node/cli/connection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/node_path.h"
#include "catalog/base/status.h"
#include "node/identity/credentials.h"
#include "node/language.h"
#include "node/rpc/wire_status.h"

namespace guantong {

// Why the server was refused, told by gRPC's threads.
struct Connection::Refusal {
  absl::Mutex mutex;
  absl::Status status;
};

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Invocation& invocation) {
  if (invocation.profile.empty()) {
    return Error(
        absl::StatusCode::kInvalidArgument, "profile_missing",
        Text("没有指定身份档案", "no profile is named"), "",
        Text("加 --profile 文件，或设 GUANTONG_PROFILE；运维用 D/admin.yaml，部门用 profile.yaml",
             "give --profile FILE or set GUANTONG_PROFILE: D/admin.yaml for the operator, "
             "profile.yaml for a department"));
  }
  GT_ASSIGN_OR_RETURN(Profile profile, LoadProfile(invocation.profile));
  return std::unique_ptr<Connection>(new Connection(std::move(profile), invocation));
}

Connection::Connection(Profile profile, const Invocation& invocation)
    : profile_(std::move(profile)), invocation_(invocation), refusal_(std::make_shared<Refusal>()) {
  const CheckServer check = [node_id = profile_.node_id,
                             network = profile_.network](const VerifiedChain& server) {
    // The node itself, by its key; its branch may have joined another network since.
    if (server.node_id == node_id) return absl::OkStatus();
    if (server.network != network) {
      return Error(absl::StatusCode::kUnauthenticated, "foreign_network",
                   Text("对方属于另一个网络", "the peer belongs to another network"),
                   DisplayPath(server.path),
                   Text("核对档案里的 node 地址", "check the node address in the profile"));
    }
    return Error(absl::StatusCode::kUnauthenticated, "node_id_mismatch",
                 Text("这个地址上是另一个节点", "another node answers at this address"),
                 absl::StrCat(HexOf(server.node_id).substr(0, 16), " ", DisplayPath(server.path)),
                 Text("核对档案里的 node 地址", "check the node address in the profile"));
  };
  const auto on_refused = [refusal = refusal_](const absl::Status& why) {
    const absl::MutexLock lock(&refusal->mutex);
    refusal->status = why;
  };
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(64 << 20);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 64 << 10);
  channel_ =
      grpc::CreateCustomChannel(profile_.node,
                                MakeChannelCredentials(profile_.key_pem, profile_.certificate_pem,
                                                       /*network=*/"", check, on_refused),
                                arguments);
}

absl::Time Connection::Deadline(absl::Duration within) const {
  return absl::Now() + invocation_.timeout.value_or(within);
}

bool Connection::WaitForNode(absl::Time until) const {
  return channel_->WaitForConnected(absl::ToChronoTime(until));
}

absl::Status Connection::StatusOf(const grpc::Status& status) const {
  absl::Status ours = FromGrpc(status);
  if (absl::IsUnavailable(ours)) {
    const absl::MutexLock lock(&refusal_->mutex);
    if (!refusal_->status.ok()) return refusal_->status;
  }
  if (DetailOf(ours).reason == "rpc_unavailable") {
    return Error(ours.code(), "node_unreachable",
                 absl::StrCat(Text("连不上节点 ", "cannot reach the node "), profile_.node,
                              Text("：", ": "), ours.message()),
                 profile_.node,
                 Text("确认 guantongd 在运行、地址可达，再重试",
                      "make sure guantongd runs and the address can be reached, then try again"));
  }
  if (DetailOf(ours).reason == "rpc_deadline_exceeded") {
    return Error(ours.code(), "out_of_time",
                 Text("节点没有在时限内答复", "the node did not answer in time"), profile_.node,
                 Text("稍后重试，或加大 --timeout", "try again, or raise --timeout"));
  }
  return ours;
}

absl::Status Connection::CallUntyped(const char* method, const google::protobuf::Message& request,
                                     google::protobuf::Message* response,
                                     absl::Duration within) const {
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(method);
  GT_CHECK(descriptor != nullptr);
  GT_CHECK(descriptor->input_type() == request.GetDescriptor());
  GT_CHECK(descriptor->output_type() == response->GetDescriptor());
  bool own_buffer;
  grpc::ByteBuffer sent, received;
  grpc::Status status = grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(
      request, &sent, &own_buffer);
  if (!status.ok()) return FromGrpc(status);

  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(Deadline(within)));
  grpc::GenericStub stub(channel_);
  absl::Notification done;
  stub.UnaryCall(&context,
                 absl::StrCat("/", descriptor->service()->full_name(), "/", descriptor->name()),
                 grpc::StubOptions(), &sent, &received, [&](grpc::Status answer) {
                   status = std::move(answer);
                   done.Notify();
                 });
  done.WaitForNotification();
  if (!status.ok()) return StatusOf(status);
  return FromGrpc(grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(
      &received, response));
}

}  // namespace guantong
