#include "node/enrolment.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/limits.h"
#include "node/refusals.h"

namespace guantong {
namespace {

absl::Status Denied(absl::string_view reason, absl::string_view text, absl::string_view subject,
                    absl::string_view remedy) {
  return Error(absl::StatusCode::kPermissionDenied, reason, text, subject, remedy);
}

absl::Status BadName(absl::string_view what, absl::string_view value) {
  return Error(absl::StatusCode::kInvalidArgument, "request_invalid",
               absl::StrCat(what, " 无效 (invalid)：", value.substr(0, kNameBytesMax)), what);
}

absl::Status CheckName(absl::string_view name) {
  return name.empty() || name.size() > kNameBytesMax ? BadName("name", name) : absl::OkStatus();
}

absl::Status CheckDivision(absl::string_view division) {
  return IsDivisionCode(division) ? absl::OkStatus() : BadName("division", division);
}

// The chain a node has from before.
struct Former {
  absl::Time since = absl::InfinitePast();
  std::string network;
};

absl::StatusOr<Former> FormerOf(const v1::CertificateChain& chain, const std::string& node_id) {
  if (chain.certificates().empty()) return Former();
  GT_ASSIGN_OR_RETURN(const VerifiedChain former, VerifyChainLinks(chain, ""));
  if (former.node_id != node_id || former.role != CertificateRole::kIssuing) {
    return Denied("proof_invalid", "原证书不属于这把密钥 (the former chain is not of this key)", "",
                  "");
  }
  return Former{.since = former.not_before, .network = former.network};
}

}  // namespace

absl::Status Enrolment::Begin() {
  if (!site_.path().is_root()) return absl::OkStatus();
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  const absl::StatusOr<v1::Member> self = OwnChild(*snapshot, site_.node_id());
  if (self.ok()) return absl::OkStatus();
  if (!absl::IsNotFound(self.status())) return self.status();
  AppendRecords append = {.kind = v1::FEED_KIND_MEMBERSHIP};
  v1::Member* member = append.records.emplace_back().mutable_member();
  member->set_node_id(site_.node_id());
  member->set_division(site_.options.division);
  member->set_name(site_.options.name);
  member->set_level(site_.options.level);
  *member->mutable_admitted_at() = TimestampOf(absl::Now());
  return site_.driver->Write(std::move(append)).status();
}

absl::StatusOr<v1::Member> Enrolment::OwnChild(const Reader& snapshot,
                                               const std::string& node_id) const {
  const FeedKey feed = FeedKey::Of(site_.OwnFeed(v1::FEED_KIND_MEMBERSHIP));
  std::string bytes;
  GT_RETURN_IF_ERROR(snapshot.Get(MemberKey(feed, node_id), &bytes));
  v1::Member member;
  if (!member.ParseFromString(bytes)) {
    return Error(absl::StatusCode::kDataLoss, "store_corrupt",
                 "成员记录损坏 (a member does not parse)");
  }
  return member;
}

// --- tokens ------------------------------------------------------------------------------------

absl::StatusOr<std::string> Enrolment::FreeLabel(const Reader& snapshot,
                                                 const std::string& division) const {
  std::set<std::string> taken;
  const std::string members = MemberPrefix(FeedKey::Of(site_.OwnFeed(v1::FEED_KIND_MEMBERSHIP)));
  auto member_at = snapshot.Scan(members, PrefixEnd(members));
  for (; member_at->Valid(); member_at->Next()) {
    v1::Member member;
    if (!member.ParseFromArray(member_at->value().data(),
                               static_cast<int>(member_at->value().size())))
      continue;
    absl::StatusOr<NodePath> path = NodePath::Parse(member.path());
    if (path.ok()) taken.insert(std::string(path->Label()));
  }
  GT_RETURN_IF_ERROR(member_at->status());
  size_t tokens = 0;
  const std::string all = KindPrefix('K');
  auto token_at = snapshot.Scan(all, PrefixEnd(all));
  for (; token_at->Valid(); token_at->Next()) {
    storage::v1::StoredToken token;
    if (!token.ParseFromArray(token_at->value().data(), static_cast<int>(token_at->value().size())))
      continue;
    const bool expired =
        token.bound_key().empty() && TimeOfTimestamp(token.expires_at()) < absl::Now();
    if (!expired) taken.insert(token.label());
    ++tokens;
  }
  GT_RETURN_IF_ERROR(token_at->status());
  if (tokens >= kTokensMax || taken.size() > kChildrenMax) {
    return Error(
        absl::StatusCode::kResourceExhausted, "children_too_many",
        absl::StrCat("下级节点和令牌已达上限 ", kChildrenMax, " (too many children or tokens)"));
  }
  std::string label = division;
  for (int n = 2; taken.count(label) > 0; ++n) label = absl::StrCat(division, "-", n);
  return label;
}

absl::StatusOr<v1::InviteResponse> Enrolment::Invite(const v1::InviteRequest& request) {
  GT_RETURN_IF_ERROR(CheckDivision(request.division()));
  GT_RETURN_IF_ERROR(CheckName(request.name()));
  const absl::Time expires = request.has_expires_at()
                                 ? TimeOfTimestamp(request.expires_at())
                                 : absl::Now() + absl::Hours(kTokenHoursDefault);
  if (expires <= absl::Now()) return BadName("expires_at", absl::FormatTime(expires));
  if (site_.path().depth() >= kPathDepthMax) {
    return Error(absl::StatusCode::kFailedPrecondition, "too_deep",
                 "层级已达上限 (the tree is as deep as it may be)");
  }
  std::lock_guard<std::mutex> lock(mutex_);
  GT_ASSIGN_OR_RETURN(const std::string label,
                      FreeLabel(*site_.store->Snapshot(), request.division()));
  v1::JoinToken token;
  token.set_parent(site_.node_id());
  token.set_network(site_.network());
  token.set_label(label);
  *token.mutable_expires_at() = TimestampOf(expires);
  token.set_secret(RandomBytes(32));
  token.set_division(request.division());
  token.set_name(request.name());
  storage::v1::StoredToken stored;
  stored.set_secret_hash(Sha256(token.secret()));
  stored.set_label(label);
  stored.set_division(token.division());
  stored.set_name(token.name());
  *stored.mutable_expires_at() = token.expires_at();
  WriteSet writes;
  writes.Put(TokenKey(label), stored.SerializeAsString());
  GT_RETURN_IF_ERROR(site_.driver->WriteOwn(std::move(writes)));
  v1::InviteResponse response;
  response.set_token(EncodeToken(token));
  response.set_label(label);
  *response.mutable_expires_at() = token.expires_at();
  response.set_parent_address(site_.options.advertise);
  return response;
}

absl::StatusOr<storage::v1::StoredToken> Enrolment::FindToken(
    const Reader& snapshot, const std::string& secret_hash) const {
  const std::string all = KindPrefix('K');
  auto cursor = snapshot.Scan(all, PrefixEnd(all));
  for (; cursor->Valid(); cursor->Next()) {
    storage::v1::StoredToken token;
    if (token.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())) &&
        token.secret_hash() == secret_hash) {
      return token;
    }
  }
  GT_RETURN_IF_ERROR(cursor->status());
  return Denied("token_unknown", "令牌不是本节点签发的，或已作废 (the token is not known here)", "",
                "请上级节点重新签发 (ask the parent for a new one): guantong invite");
}

// --- enrolment ---------------------------------------------------------------------------------

absl::StatusOr<v1::EnrolResponse> Enrolment::Enrol(const v1::EnrolRequest& request,
                                                   const std::string& peer) {
  absl::StatusOr<v1::EnrolResponse> response = TryEnrol(request);
  const bool refused =
      absl::IsPermissionDenied(response.status()) || absl::IsUnauthenticated(response.status());
  if (refused) {
    const std::string key = absl::StrCat("签名公钥 signing key sha256 ",
                                         HexOf(NodeIdOf(request.signing_key())).substr(0, 16));
    site_.refusals->Add(peer, key, response.status(), /*by_us=*/true);
  }
  return response;
}

absl::StatusOr<v1::EnrolResponse> Enrolment::TryEnrol(const v1::EnrolRequest& request) {
  GT_RETURN_IF_ERROR(CheckEnrolProof(request, site_.network()));
  GT_RETURN_IF_ERROR(CheckDivision(request.division()));
  GT_RETURN_IF_ERROR(CheckName(request.name()));
  if (!v1::Level_IsValid(request.level()) || request.level() == v1::LEVEL_UNSPECIFIED)
    return BadName("level", "");
  std::lock_guard<std::mutex> lock(mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(storage::v1::StoredToken token,
                      FindToken(*snapshot, Sha256(request.token_secret())));
  v1::EnrolResponse response;
  response.set_path(site_.path().Child(token.label()).text());
  response.set_approvals(rules_.Approvals(*snapshot));
  if (!token.bound_key().empty()) {
    if (token.bound_key() != request.signing_key()) {
      return Denied("token_bound", "令牌已被另一把密钥使用 (the token was used with another key)",
                    token.label(),
                    "每个节点用自己的令牌；若不是本单位所为，请立即报告 (one token per node; "
                    "report it if it was not you)");
    }
    *response.mutable_chain() = token.issued();
    return response;
  }
  if (TimeOfTimestamp(token.expires_at()) < absl::Now()) {
    return Denied("token_expired", "令牌已过期 (the token has expired)", token.label(),
                  "请上级节点重新签发 (ask the parent for a new one): guantong invite");
  }
  if (token.division() != request.division()) {
    return Denied("token_other_division",
                  absl::StrCat("令牌签发给 ", token.division(), " ", token.name(), "，不是 ",
                               request.division(), " (the token was made for another division)"),
                  request.division(), "核对 --division，或请上级重新签发 (check --division)");
  }
  const std::string node_id = NodeIdOf(request.signing_key());
  const absl::StatusOr<v1::Member> member = OwnChild(*snapshot, node_id);
  if (member.ok()) {
    return Denied(
        "already_admitted",
        absl::StrCat("该节点已接入，路径 ", member->path(), " (the node has been admitted before)"),
        member->path(), "启动它即可，或用新目录初始化 (start it, or initialise a new folder)");
  }
  if (!absl::IsNotFound(member.status())) return member.status();

  GT_ASSIGN_OR_RETURN(const Former former, FormerOf(request.former(), node_id));
  GT_ASSIGN_OR_RETURN(*response.mutable_chain(),
                      IssueChild(*site_.identity, token.label(), request.name(),
                                 request.signing_key(), former.since));
  token.set_bound_key(request.signing_key());
  *token.mutable_issued() = response.chain();
  AppendRecords append = {.kind = v1::FEED_KIND_MEMBERSHIP};
  v1::Member* admitted = append.records.emplace_back().mutable_member();
  admitted->set_node_id(node_id);
  admitted->set_path(response.path());
  admitted->set_division(request.division());
  admitted->set_name(request.name());
  admitted->set_level(request.level());
  if (!former.network.empty() && former.network != site_.network())
    admitted->set_former_network(former.network);
  *admitted->mutable_admitted_at() = TimestampOf(absl::Now());
  append.extra.Put(TokenKey(token.label()), token.SerializeAsString());
  GT_RETURN_IF_ERROR(site_.driver->Write(std::move(append)).status());
  return response;
}

absl::StatusOr<v1::EnrolResponse> Enrolment::Renew(const v1::RenewRequest& request,
                                                   const std::string& peer) {
  absl::StatusOr<v1::EnrolResponse> response = TryRenew(request);
  if (absl::IsPermissionDenied(response.status())) {
    site_.refusals->Add(peer,
                        absl::StrCat("签名公钥 signing key sha256 ",
                                     HexOf(NodeIdOf(request.signing_key())).substr(0, 16)),
                        response.status(), /*by_us=*/true);
  }
  return response;
}

absl::StatusOr<v1::EnrolResponse> Enrolment::TryRenew(const v1::RenewRequest& request) {
  GT_RETURN_IF_ERROR(CheckRenewProof(request, site_.node_id()));
  const std::string node_id = NodeIdOf(request.signing_key());
  const absl::StatusOr<v1::Member> member = OwnChild(*site_.store->Snapshot(), node_id);
  if (absl::IsNotFound(member.status()) || (member.ok() && member->removed())) {
    return Denied(
        "not_admitted",
        "该节点不是本节点的下级，或已迁出 (it is no child of this node, or has moved away)",
        HexOf(node_id).substr(0, 16), "用令牌接入 (admit it with a token): guantong invite");
  }
  GT_RETURN_IF_ERROR(member.status());
  GT_ASSIGN_OR_RETURN(const NodePath path, NodePath::Parse(member->path()));
  GT_ASSIGN_OR_RETURN(const Former former, FormerOf(request.former(), node_id));
  v1::EnrolResponse response;
  GT_ASSIGN_OR_RETURN(*response.mutable_chain(),
                      IssueChild(*site_.identity, std::string(path.Label()), member->name(),
                                 request.signing_key(), former.since));
  response.set_path(site_.path().Child(path.Label()).text());
  return response;
}

// --- departments -------------------------------------------------------------------------------

absl::StatusOr<v1::AddDepartmentResponse> Enrolment::AddDepartment(
    const v1::AddDepartmentRequest& request) {
  v1::Department department = request.department();
  if (!IsUscc(department.uscc())) {
    return Error(absl::StatusCode::kInvalidArgument, "uscc_invalid",
                 absl::StrCat("统一社会信用代码不符合 GB 32100：", department.uscc().substr(0, 64),
                              " (not a valid USCC)"),
                 "uscc", "核对 18 位代码和校验位 (check the 18 characters)");
  }
  GT_RETURN_IF_ERROR(CheckDivision(department.division()));
  GT_RETURN_IF_ERROR(CheckName(department.name()));
  if (department.kind().size() > kNameBytesMax) return BadName("kind", department.kind());
  if (static_cast<size_t>(request.keys_size()) > kProfileKeysMax)
    return BadName("keys", absl::StrCat(request.keys_size()));
  v1::AddDepartmentResponse response;
  for (const v1::ProfileKey& key : request.keys()) {
    CertificateRole role;
    if (key.role() == "editor") {
      role = CertificateRole::kEditor;
    } else if (key.role() == "approver") {
      role = CertificateRole::kApprover;
    } else {
      return BadName("role", key.role());
    }
    v1::ProfileCertificate* certificate = response.add_certificates();
    certificate->set_role(key.role());
    GT_ASSIGN_OR_RETURN(*certificate->mutable_chain(),
                        IssueProfile(*site_.identity, role, department.uscc(), department.name(),
                                     key.public_key()));
  }
  // Positions 3 to 8 of the code are the division it was registered in.
  if (department.uscc().substr(2, 6) != department.division()) {
    response.set_warning(absl::StrCat("信用代码中的行政区划 ", department.uscc().substr(2, 6),
                                      " 与 ", department.division(),
                                      " 不同 (the code names another division)"));
  }
  storage::v1::StoredDepartment stored;
  *stored.mutable_department() = department;
  WriteSet writes;
  writes.Put(DepartmentKey(department.uscc()), stored.SerializeAsString());
  GT_RETURN_IF_ERROR(site_.driver->WriteOwn(std::move(writes)));
  *response.mutable_department() = std::move(department);
  return response;
}

// --- links -------------------------------------------------------------------------------------

absl::Status Enrolment::AuthorisePeer(const VerifiedChain& peer, bool is_parent) const {
  const std::string path = DisplayPath(peer.path);
  if (is_parent) {
    const bool pinned = peer.node_id == site_.identity->parent_node_id;
    if (pinned && peer.network == site_.network() && peer.path == site_.path().Parent())
      return absl::OkStatus();
    if (pinned) {
      return Denied(
          "parent_moved",
          absl::StrCat("上级现在位于 ", path,
                       "，正在向它换发证书 (the parent stands elsewhere now; certificates "
                       "are being renewed)"),
          path, "会自动继续；长时间不恢复时重启本节点 (it goes on by itself)");
    }
    if (peer.network != site_.network()) {
      return Denied("foreign_network", "对方属于另一个网络 (the peer belongs to another network)",
                    path, "核对 node.yaml 的 parent 地址 (check the parent address)");
    }
    return Denied(
        "not_our_parent",
        absl::StrCat("对方是 ", path,
                     "，不是接入时锁定的上级节点 (not the parent this node is pinned to)"),
        path, "核对 node.yaml 的 parent 地址；上级换了密钥须重新接入 (check the parent address)");
  }
  if (peer.path.is_root() || peer.path.Parent() != site_.path()) {
    return Denied("not_admitted",
                  absl::StrCat(path, " 不是本节点的直接下级 (not a child of this node)"), path,
                  "该节点应连接自己的上级 (it should dial its own parent)");
  }
  const absl::StatusOr<v1::Member> member = OwnChild(*site_.store->Snapshot(), peer.node_id);
  if (absl::IsNotFound(member.status())) {
    return Denied("not_admitted",
                  absl::StrCat(path, " 未由本节点接入 (this node has not admitted it)"), path,
                  "用令牌接入 (admit it with a token): guantong invite");
  }
  GT_RETURN_IF_ERROR(member.status());
  if (member->removed()) {
    return Denied("removed", absl::StrCat(path, " 已被移出 (it has been removed)"), path,
                  "联系上级节点运维 (ask the parent's operator)");
  }
  if (member->path() != peer.path.text()) {
    return Denied("path_mismatch",
                  absl::StrCat("证书路径 ", path, " 与接入时的 ", member->path(),
                               " 不同 (another path than admitted)"),
                  path, "重新接入 (enrol it again)");
  }
  return absl::OkStatus();
}

}  // namespace guantong
