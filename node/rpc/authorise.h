// Who may call what, in one place: reads the (guantong.v1.access) option of the method and holds
// the peer's certificate chain against it. What a caller may do to which entry is decided where the
// entry is.
#ifndef GUANTONG_NODE_RPC_AUTHORISE_H_
#define GUANTONG_NODE_RPC_AUTHORISE_H_

#include <map>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/site.h"

namespace google::protobuf {
class MethodDescriptor;
}
namespace grpc {
class ServerContextBase;
}

namespace guantong {

class Authoriser {
 public:
  explicit Authoriser(const Site* site) : site_(*site) {}

  // UNAUTHENTICATED with the reason of the chain check; PERMISSION_DENIED role_not_allowed,
  // other_node, department_unknown. Refusals are logged and listed. For ACCESS_ANY_CERTIFICATE only
  // the TLS handshake counts, and the identity is empty.
  absl::StatusOr<CallerIdentity> Admit(const google::protobuf::MethodDescriptor& method,
                                       const grpc::ServerContextBase& context);

  // Of a stream: whom its connection has shown, admitted when it begins and with every message of
  // its own.
  struct Admission {
    CallerIdentity caller;
    absl::Time not_before;
    absl::Time not_after;
  };
  absl::StatusOr<Admission> AdmitStream(const google::protobuf::MethodDescriptor& method,
                                        const grpc::ServerContextBase& context);
  absl::Status StillAdmitted(const google::protobuf::MethodDescriptor& method,
                             const Admission& admitted, const grpc::ServerContextBase& context);

 private:
  absl::StatusOr<Admission> Identify(const grpc::ServerContextBase& context);
  void NoteRefusal(const grpc::ServerContextBase& context, const absl::Status& why) const;
  absl::Status CheckPerson(const CallerIdentity& caller) const;
  absl::Status CheckAccess(const google::protobuf::MethodDescriptor& method,
                           const CallerIdentity& caller) const;

  const Site& site_;
  std::mutex mutex_;
  std::map<std::string, Admission> known_;  // verified chains, by the digest of what was presented
};

}  // namespace guantong

#endif  // GUANTONG_NODE_RPC_AUTHORISE_H_
