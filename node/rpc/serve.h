// The way of every request of people and programs: admitted, handled, its status put on the wire.
#ifndef GUANTONG_NODE_RPC_SERVE_H_
#define GUANTONG_NODE_RPC_SERVE_H_

#include <google/protobuf/descriptor.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/limits.h"
#include "node/rpc/authorise.h"
#include "node/rpc/wire_status.h"

namespace guantong {

inline const google::protobuf::MethodDescriptor& MethodNamed(const char* method) {
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(method);
  GT_CHECK(descriptor != nullptr);
  return *descriptor;
}

// `method` is the full name, e.g. "guantong.v1.CatalogService.Show"; `handler` takes the
// CallerIdentity and returns absl::Status.
template <typename Handler>
grpc::Status Serve(Authoriser* authoriser, const grpc::ServerContext& context, const char* method,
                   const Handler& handler) {
  absl::StatusOr<CallerIdentity> caller = authoriser->Admit(MethodNamed(method), context);
  return ToGrpc(caller.ok() ? handler(*caller) : caller.status());
}

// The same for a handler that answers `reactor` itself, when it can.
template <typename Handler>
void ServeLater(Authoriser* authoriser, const grpc::CallbackServerContext& context,
                const char* method, grpc::ServerUnaryReactor* reactor, const Handler& handler) {
  absl::StatusOr<CallerIdentity> caller = authoriser->Admit(MethodNamed(method), context);
  if (!caller.ok()) return reactor->Finish(ToGrpc(caller.status()));
  handler(*caller);
}

template <typename Response>
absl::Status Fill(absl::StatusOr<Response> made, Response* response) {
  if (made.ok()) *response = *std::move(made);
  return made.status();
}

// Until when questions to other nodes may take: a little less than the client waits, so that it
// hears the reason.
inline absl::Time DeadlineOf(const grpc::ServerContextBase& context) {
  const absl::Time now = absl::Now();
  const absl::Duration left = absl::FromChrono(context.deadline()) - now;
  if (left > absl::Seconds(kCallBudgetSecondsMax)) return now + absl::Seconds(kCallSecondsDefault);
  return now + left * 0.95;
}

}  // namespace guantong

#endif  // GUANTONG_NODE_RPC_SERVE_H_
