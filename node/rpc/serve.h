// The way of every request of people and programs: admitted, handled, its status put on the wire.
#ifndef GUANTONG_NODE_RPC_SERVE_H_
#define GUANTONG_NODE_RPC_SERVE_H_

#include <google/protobuf/descriptor.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "catalog/base/status.h"
#include "node/limits.h"
#include "node/rpc/authorise.h"
#include "node/rpc/wire_status.h"

namespace guantong {

// `method` is the full name, e.g. "guantong.v1.CatalogService.Show"; `handler` takes the CallerIdentity and returns absl::Status.
template <typename Handler>
grpc::Status Serve(Authoriser* authoriser, const grpc::ServerContext& context, const char* method,
                   const Handler& handler) {
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(method);
  GT_CHECK(descriptor != nullptr);
  absl::StatusOr<CallerIdentity> caller = authoriser->Admit(*descriptor, context);
  return ToGrpc(caller.ok() ? handler(*caller) : caller.status());
}

// What is left for questions to other nodes: a little less than the client waits, so that it hears the reason.
inline absl::Duration BudgetOf(const grpc::ServerContext& context) {
  const absl::Duration left = absl::FromChrono(context.deadline()) - absl::Now();
  return std::clamp(left * 0.95, absl::Milliseconds(10), absl::Seconds(kCallSecondsDefault));
}

}  // namespace guantong

#endif  // GUANTONG_NODE_RPC_SERVE_H_
