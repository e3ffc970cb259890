#include "node/rpc/authorise.h"

#include <google/protobuf/descriptor.h>
#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/certificate.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/access.pb.h"
#include "node/identity/credentials.h"
#include "node/limits.h"
#include "node/refusals.h"

namespace guantong {
namespace {

std::string Property(const grpc::ServerContextBase& context, const char* name) {
  const auto values = context.auth_context()->FindPropertyValues(name);
  return values.empty() ? "" : std::string(values[0].data(), values[0].size());
}

// The leaf stands apart from the certificates above it, which all profiles of a node have in
// common.
std::string PresentedDigest(const grpc::ServerContextBase& context) {
  Sha256Stream stream;
  stream.UpdatePart(Property(context, GRPC_X509_PEM_CERT_PROPERTY_NAME));
  stream.UpdatePart(Property(context, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME));
  return stream.Finish();
}

bool Allows(v1::Access access, CertificateRole role) {
  const bool department = role == CertificateRole::kEditor || role == CertificateRole::kApprover;
  switch (access) {
    case v1::ACCESS_NODE:
      return role == CertificateRole::kIssuing || role == CertificateRole::kTls;
    case v1::ACCESS_OPERATOR:
      return role == CertificateRole::kOperator;
    case v1::ACCESS_DEPARTMENT:
      return department;
    case v1::ACCESS_EDITOR:
      return role == CertificateRole::kEditor;
    case v1::ACCESS_APPROVER:
      return role == CertificateRole::kApprover;
    case v1::ACCESS_PROFILE:
      return department || role == CertificateRole::kOperator;
    default:
      return false;
  }
}

const char* RoleWord(CertificateRole role) {
  switch (role) {
    case CertificateRole::kOperator:
      return "运维";
    case CertificateRole::kEditor:
      return "编目员";
    case CertificateRole::kApprover:
      return "审批员";
    default:
      return "节点";
  }
}

const char* RolesWord(v1::Access access) {
  switch (access) {
    case v1::ACCESS_OPERATOR:
      return "节点运维";
    case v1::ACCESS_DEPARTMENT:
      return "部门编目员或审批员";
    case v1::ACCESS_EDITOR:
      return "部门编目员";
    case v1::ACCESS_APPROVER:
      return "部门审批员";
    case v1::ACCESS_PROFILE:
      return "部门或节点运维";
    default:
      return "节点";
  }
}

}  // namespace

absl::StatusOr<CallerIdentity> Authoriser::Admit(const google::protobuf::MethodDescriptor& method,
                                                 const grpc::ServerContextBase& context) {
  if (method.options().GetExtension(v1::access) == v1::ACCESS_ANY_CERTIFICATE)
    return CallerIdentity{};
  absl::StatusOr<Admission> admitted = AdmitStream(method, context);
  if (!admitted.ok()) return admitted.status();
  return std::move(admitted->caller);
}

absl::StatusOr<Authoriser::Admission> Authoriser::AdmitStream(
    const google::protobuf::MethodDescriptor& method, const grpc::ServerContextBase& context) {
  absl::StatusOr<Admission> admitted = Identify(context);
  const absl::Status status =
      admitted.ok() ? CheckAccess(method, admitted->caller) : admitted.status();
  if (status.ok()) return admitted;
  NoteRefusal(context, status);
  return status;
}

absl::Status Authoriser::StillAdmitted(const google::protobuf::MethodDescriptor& method,
                                       const Admission& admitted,
                                       const grpc::ServerContextBase& context) {
  const absl::Time now = absl::Now();
  // What is not valid now is looked at in full, which says why.
  if (now < admitted.not_before || now > admitted.not_after) {
    return AdmitStream(method, context).status();
  }
  absl::Status status = CheckAccess(method, admitted.caller);
  if (!status.ok()) NoteRefusal(context, status);
  return status;
}

void Authoriser::NoteRefusal(const grpc::ServerContextBase& context,
                             const absl::Status& why) const {
  std::string certificate;
  absl::StatusOr<v1::CertificateChain> chain =
      ChainFromPem(Property(context, GRPC_X509_PEM_CERT_PROPERTY_NAME));
  if (chain.ok() && chain->certificates_size() > 0)
    certificate = DescribeCertificate(chain->certificates(0));
  site_.refusals->Add(context.peer(), certificate, why, /*by_us=*/true);
}

absl::StatusOr<Authoriser::Admission> Authoriser::Identify(const grpc::ServerContextBase& context) {
  const std::string digest = PresentedDigest(context);
  const absl::Time now = absl::Now();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = known_.find(digest);
    if (it != known_.end()) {
      if (now >= it->second.not_before && now <= it->second.not_after) return it->second;
      known_.erase(it);
    }
  }
  absl::StatusOr<VerifiedChain> presented = PeerChain(*context.auth_context(), site_.network());
  if (DetailOf(presented.status()).reason == "foreign_network") {
    // Issued by this node while it stood in another network: its own key has signed it.
    absl::StatusOr<VerifiedChain> former = PeerChain(*context.auth_context(), "");
    const bool person = former.ok() && former->role != CertificateRole::kIssuing &&
                        former->role != CertificateRole::kTls;
    if (person && former->node_id == site_.node_id()) presented = *std::move(former);
  }
  GT_RETURN_IF_ERROR(presented.status());
  const VerifiedChain& chain = *presented;
  const absl::StatusOr<v1::CertificateChain> shown =
      ChainFromPem(Property(context, GRPC_X509_PEM_CERT_PROPERTY_NAME));
  const std::string spki =
      shown.ok() && shown->certificates_size() > 0 ? SpkiOf(shown->certificates(0)) : "";
  Admission known = {.caller = {.role = chain.role,
                                .uscc = chain.uscc,
                                .key_digest = Sha256(spki),
                                .node_id = chain.node_id,
                                .path = chain.path},
                     .not_before = chain.not_before,
                     .not_after = chain.not_after};
  std::lock_guard<std::mutex> lock(mutex_);
  if (known_.size() >= kPeersRememberedMax) known_.clear();
  return known_.insert_or_assign(digest, std::move(known)).first->second;
}

// A person who has handed over, or left, is turned away at the next request.
absl::Status Authoriser::CheckPerson(const CallerIdentity& caller) const {
  std::string id, bytes;
  if (!site_.store->Get(ProfileOwnerKey(caller.key_digest), &id).ok()) return absl::OkStatus();
  storage::v1::StoredPerson stored;
  if (!site_.store->Get(PersonKey(id), &bytes).ok() || !stored.ParseFromString(bytes) ||
      !stored.person().disabled()) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kPermissionDenied, "person_disabled",
               absl::StrCat(stored.person().name(), " (", id,
                            ") 的身份已停用 (this person's profile has ended)"),
               id,
               stored.person().successor().empty()
                   ? "请部门审批员或节点运维处理 (ask an approver of the department)"
                   : absl::StrCat("工作已移交 (handed over to) ", stored.person().successor()));
}

absl::Status Authoriser::CheckAccess(const google::protobuf::MethodDescriptor& method,
                                     const CallerIdentity& caller) const {
  const v1::Access access = method.options().GetExtension(v1::access);
  if (!Allows(access, caller.role)) {
    return Error(absl::StatusCode::kPermissionDenied, "role_not_allowed",
                 absl::StrCat(RoleWord(caller.role), "身份不能执行 ", method.name(),
                              " (this profile may not call it)"),
                 method.name(),
                 absl::StrCat("用", RolesWord(access),
                              "的身份文件 (use a profile of the right role): --profile"));
  }
  if (access == v1::ACCESS_NODE) return absl::OkStatus();
  if (caller.node_id != site_.node_id()) {
    return Error(absl::StatusCode::kPermissionDenied, "other_node",
                 absl::StrCat("身份由 ", DisplayPath(caller.path), " 的节点签发，不是本节点 ",
                              DisplayPath(site_.path()), " (the profile belongs to another node)"),
                 DisplayPath(caller.path),
                 "连接签发该身份的节点 (use the node that issued the profile)");
  }
  if (caller.is_operator()) return absl::OkStatus();
  GT_RETURN_IF_ERROR(CheckPerson(caller));
  std::string ignored;
  const absl::Status known = site_.store->Get(DepartmentKey(caller.uscc), &ignored);
  if (!absl::IsNotFound(known)) return known;
  return Error(
      absl::StatusCode::kPermissionDenied, "department_unknown",
      absl::StrCat("本节点没有登记部门 ", caller.uscc, " (no such department at this node)"),
      caller.uscc, "请节点运维登记该部门 (ask the operator: guantong department add)");
}

}  // namespace guantong
