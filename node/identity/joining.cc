// The joiner's half of enrolment.
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "guantong/v1/enrolment.grpc.pb.h"
#include "node/identity/credentials.h"
#include "node/identity/files.h"
#include "node/identity/folder.h"
#include "node/identity/identity.h"
#include "node/identity/proof.h"
#include "node/language.h"
#include "relay/grpc/wire_status.h"

namespace guantong {
namespace {

constexpr std::chrono::seconds kEnrolTimeout(30);

// Why the handshake was broken off by us. The credentials may outlive the call, hence shared.
class Refusal {
 public:
  void Set(const absl::Status& why) {
    const std::lock_guard<std::mutex> lock(mutex_);
    why_ = why;
  }
  absl::Status Get() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return why_;
  }

 private:
  mutable std::mutex mutex_;
  absl::Status why_;
};

absl::Status PinMismatch(const std::string& address, absl::string_view found) {
  return Error(absl::StatusCode::kPermissionDenied, "pin_mismatch",
               absl::StrCat(Text("对方不是令牌指定的上级节点，什么都没有发送：",
                                 "the peer is not the parent the token names, nothing was sent: "),
                            found),
               address,
               Text("核对上级节点的地址；地址无误时，可能有人冒充，请联系上级节点的管理员",
                    "check the parent's address; if it is right, someone may be impersonating the "
                    "parent: ask its operator"));
}

absl::Status CheckPins(const VerifiedChain& server, const v1::JoinToken& token,
                       const std::string& address) {
  if (server.role == CertificateRole::kTls && server.node_id == token.parent() &&
      server.network == token.network()) {
    return absl::OkStatus();
  }
  return PinMismatch(address, absl::StrCat("node ", HexOf(server.node_id)));
}

// The handshake wants some certificate of the joiner, who has none yet; the proof in the request is
// what counts.
absl::StatusOr<std::string> SelfSignedPem(const SigningKey& tls_key) {
  const absl::Time now = absl::Now();
  GT_ASSIGN_OR_RETURN(std::string der,
                      IssueCertificate(IssueRequest{.role = CertificateRole::kTls,
                                                    .node_id = NodeIdOf(tls_key.public_key()),
                                                    .common_name = "joining",
                                                    .public_key = tls_key.public_key(),
                                                    .not_before = now - kClockSkew,
                                                    .not_after = now + absl::Hours(24)},
                                       tls_key, ""));
  v1::CertificateChain chain;
  chain.add_certificates(std::move(der));
  return ChainToPem(chain);
}

using Ask = std::function<grpc::Status(v1::EnrolmentService::Stub* stub,
                                       grpc::ClientContext* context, v1::EnrolResponse* answer)>;

// One question to a server that passes `check`, with a certificate that proves nothing.
absl::StatusOr<v1::EnrolResponse> AskAt(const std::string& address, CheckServer check,
                                        const Ask& ask) {
  GT_ASSIGN_OR_RETURN(const SigningKey tls_key, SigningKey::Generate());
  GT_ASSIGN_OR_RETURN(const std::string pem, SelfSignedPem(tls_key));
  const auto refusal = std::make_shared<Refusal>();
  const auto credentials =
      MakeChannelCredentials(tls_key.ToPem(), pem, /*network=*/"", std::move(check),
                             [refusal](const absl::Status& why) { refusal->Set(why); });
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto stub =
      v1::EnrolmentService::NewStub(grpc::CreateCustomChannel(address, credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kEnrolTimeout);
  v1::EnrolResponse answer;
  const grpc::Status status = ask(stub.get(), &context, &answer);
  if (status.ok()) return answer;
  const absl::Status refused = refusal->Get();
  if (!refused.ok()) return Annotate(refused, address);
  return Annotate(FromGrpc(status), address);
}

absl::StatusOr<v1::EnrolResponse> Enrol(const std::string& address, const v1::JoinToken& token,
                                        const v1::EnrolRequest& request) {
  return AskAt(
      address,
      [token, address](const VerifiedChain& server) { return CheckPins(server, token, address); },
      [&](auto* stub, auto* context, auto* answer) {
        return stub->Enrol(context, request, answer);
      });
}

absl::Status CheckAnswer(const v1::EnrolResponse& answer, const v1::JoinToken& token,
                         const SigningKey& key) {
  const auto wrong = [](absl::string_view why) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "answer_invalid",
        absl::StrCat(Text("上级节点的答复不可用：", "the parent's answer is unusable: "), why), "",
        Text("请上级节点的管理员查看日志", "have the parent's operator look at its log"));
  };
  const auto self = VerifyChain(answer.chain(), token.network(), absl::Now());
  if (!self.ok()) return wrong(self.status().message());
  v1::CertificateChain above = answer.chain();
  above.mutable_certificates()->DeleteSubrange(0, 1);
  const auto parent = VerifyChainLinks(above, token.network());
  if (!parent.ok()) return wrong(parent.status().message());
  if (self->role != CertificateRole::kIssuing || self->node_id != NodeIdOf(key.public_key()) ||
      parent->node_id != token.parent() || self->path.text() != answer.path() ||
      self->path.Label() != token.label()) {
    return wrong(Text("证书不是为这个令牌和密钥签发的",
                      "the certificate was not issued for this token and key"));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::EnrolResponse> EnrolWith(const std::string& address, const v1::JoinToken& token,
                                            const SigningKey& key,
                                            const v1::CertificateChain& former,
                                            const std::string& division, const std::string& name,
                                            v1::Level level) {
  v1::EnrolRequest request;
  request.set_token_secret(token.secret());
  request.set_signing_key(key.public_key());
  request.set_proof(key.Sign(EnrolProofMessage(token.network(), token.secret(), key.public_key())));
  request.set_division(division);
  request.set_name(name);
  request.set_level(level);
  *request.mutable_former() = former;
  GT_ASSIGN_OR_RETURN(v1::EnrolResponse answer, Enrol(address, token, request));
  GT_RETURN_IF_ERROR(CheckAnswer(answer, token, key));
  return answer;
}

// The folder's chain as it is, good or run out.
absl::StatusOr<v1::CertificateChain> HeldChain(const IdentityFolder& folder) {
  GT_ASSIGN_OR_RETURN(const std::string pem, ReadSmallFile(folder.Chain()));
  return ChainFromPem(pem);
}

}  // namespace

absl::StatusOr<v1::EnrolResponse> JoinNetwork(const std::string& dir, const std::string& address,
                                              const std::string& token_text,
                                              const std::string& division, const std::string& name,
                                              v1::Level level) {
  GT_ASSIGN_OR_RETURN(const v1::JoinToken token, DecodeToken(token_text));
  const IdentityFolder folder(dir);
  GT_RETURN_IF_ERROR(CheckUnused(folder));
  GT_ASSIGN_OR_RETURN(const SigningKey key, KeptSigningKey(folder));
  GT_ASSIGN_OR_RETURN(const v1::EnrolResponse answer,
                      EnrolWith(address, token, key, {}, division, name, level));
  GT_RETURN_IF_ERROR(ReplaceFile(folder.ParentPin(), HexOf(token.parent())));
  GT_RETURN_IF_ERROR(ReplaceFile(folder.Chain(), ChainToPem(answer.chain())));
  return answer;
}

absl::StatusOr<std::string> MoveIdentity(const std::string& dir, const std::string& address,
                                         const std::string& token_text, const std::string& division,
                                         const std::string& name, v1::Level level) {
  GT_ASSIGN_OR_RETURN(const v1::JoinToken token, DecodeToken(token_text));
  const IdentityFolder folder(dir);
  GT_RETURN_IF_ERROR(FinishMove(dir));
  GT_ASSIGN_OR_RETURN(const SigningKey key, KeptSigningKey(folder));
  GT_ASSIGN_OR_RETURN(const v1::CertificateChain former, HeldChain(folder));
  GT_ASSIGN_OR_RETURN(const v1::EnrolResponse answer,
                      EnrolWith(address, token, key, former, division, name, level));
  GT_RETURN_IF_ERROR(TakePlace(dir, address, token.parent(), answer.chain()));
  return answer.path();
}

absl::StatusOr<bool> RenewIdentity(const std::string& dir, const std::string& address) {
  const IdentityFolder folder(dir);
  GT_ASSIGN_OR_RETURN(const SigningKey key, KeptSigningKey(folder));
  GT_ASSIGN_OR_RETURN(const std::string pin, ReadSmallFile(folder.ParentPin()));
  const std::string parent = absl::HexStringToBytes(absl::StripAsciiWhitespace(pin));
  v1::RenewRequest request;
  GT_ASSIGN_OR_RETURN(*request.mutable_former(), HeldChain(folder));
  request.set_signing_key(key.public_key());
  request.set_proof(
      key.Sign(RenewProofMessage(parent, key.public_key(), ChainDigest(request.former()))));
  GT_ASSIGN_OR_RETURN(const v1::EnrolResponse answer,
                      AskAt(
                          address,
                          [parent, address](const VerifiedChain& server) {
                            if (server.role == CertificateRole::kTls && server.node_id == parent)
                              return absl::OkStatus();
                            return PinMismatch(address,
                                               absl::StrCat("node ", HexOf(server.node_id)));
                          },
                          [&](auto* stub, auto* context, auto* answer) {
                            return stub->Renew(context, request, answer);
                          }));
  GT_ASSIGN_OR_RETURN(const VerifiedChain self, VerifyChain(answer.chain(), "", absl::Now()));
  v1::CertificateChain above = answer.chain();
  above.mutable_certificates()->DeleteSubrange(0, 1);
  GT_ASSIGN_OR_RETURN(const VerifiedChain issuer, VerifyChainLinks(above, ""));
  if (self.role != CertificateRole::kIssuing || self.node_id != NodeIdOf(key.public_key()) ||
      issuer.node_id != parent) {
    return Error(absl::StatusCode::kFailedPrecondition, "answer_invalid",
                 Text("上级节点的答复不可用", "the parent's answer is unusable"), address,
                 Text("请上级节点的管理员查看日志", "have the parent's operator look at its log"));
  }
  if (ChainDigest(answer.chain()) == ChainDigest(request.former())) return false;
  GT_RETURN_IF_ERROR(ReplaceFile(folder.Chain(), ChainToPem(answer.chain())));
  return true;
}

}  // namespace guantong
