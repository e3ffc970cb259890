// The node this program talks to, as the profile names it: its address, its identity, our
// certificate.
#ifndef GUANTONG_NODE_CLI_CONNECTION_H_
#define GUANTONG_NODE_CLI_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "node/cli/invocation.h"
#include "node/identity/identity.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf
namespace grpc {
class Channel;
class Status;
}  // namespace grpc

namespace guantong {

inline constexpr absl::Duration kAnswerWithin = absl::Seconds(60);
inline constexpr absl::Duration kWorkWithin = absl::Hours(24);  // pushes, imports, verification

class Connection {
 public:
  // Loads the profile; dials with the first call. INVALID_ARGUMENT profile_missing,
  // profile_malformed; NOT_FOUND file_missing.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Invocation& invocation);

  // One rpc, `method` by its full name: "guantong.v1.NodeService.Tree". Request and response must
  // be its types. A node that is not the one of the profile is refused before anything is sent:
  // UNAUTHENTICATED with the reason of the check.
  template <typename Response>
  absl::StatusOr<Response> Call(const char* method, const google::protobuf::Message& request,
                                absl::Duration within = kAnswerWithin) const {
    Response response;
    if (absl::Status status = CallUntyped(method, request, &response, within); !status.ok()) {
      return status;
    }
    return response;
  }

  const Profile& profile() const { return profile_; }
  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  // When a command that may take `within` has to be done; --timeout goes first.
  absl::Time Deadline(absl::Duration within) const;
  // False: the node cannot be reached until then.
  bool WaitForNode(absl::Time until) const;
  // What a failed rpc means: why the server was refused, if it was, else what gRPC says.
  absl::Status StatusOf(const grpc::Status& status) const;

 private:
  struct Refusal;
  Connection(Profile profile, const Invocation& invocation);
  absl::Status CallUntyped(const char* method, const google::protobuf::Message& request,
                           google::protobuf::Message* response, absl::Duration within) const;

  const Profile profile_;
  const Invocation& invocation_;
  std::shared_ptr<Refusal> refusal_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_CONNECTION_H_
