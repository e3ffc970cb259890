// invite, department add: who may join a node and speak to it.
#include <CLI/CLI.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "catalog/base/certificate.h"
#include "catalog/base/signature.h"
#include "catalog/base/status.h"
#include "guantong/v1/node.pb.h"
#include "node/cli/connection.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/clock.h"
#include "node/form/json_form.h"
#include "node/identity/files.h"
#include "node/identity/identity.h"
#include "node/language.h"

namespace guantong {
namespace {

struct InviteOptions {
  std::string division;
  std::string name;
  std::string expires;
};

absl::Status RunInvite(const Invocation& invocation, const InviteOptions& options) {
  v1::InviteRequest request;
  request.set_division(options.division);
  request.set_name(options.name);
  if (!options.expires.empty()) {
    absl::Duration life;
    if (!absl::ParseDuration(options.expires, &life) || life <= absl::ZeroDuration()) {
      return UsageError(Text("--expires 应为时长，如 24h", "--expires should be a duration: 24h"));
    }
    *request.mutable_expires_at() = TimestampOf(absl::Now() + life);
  }
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto invited, connection->Call<v1::InviteResponse>(
                                              "guantong.v1.NodeService.Invite", request));
  if (invocation.output == OutputFormat::kTable) {
    // The token alone on stdout, so that a shell can take it.
    std::printf("%s\n", invited.token().c_str());
    Say(absl::StrCat(Text("令牌只能用一次，有效期至 ", "good once, until "),
                     Date(invited.has_expires_at(), invited.expires_at()).shown,
                     Text("。在下级节点执行：\n", ". On the joining node:\n"),
                     "  guantong init --dir D --division ", options.division, " --name ",
                     options.name, " --level LEVEL --listen HOST:PORT --join ",
                     invited.parent_address(), " --token ", invited.token()));
    return absl::OkStatus();
  }
  Table table({{"token", ""}, {"label", ""}, {"expires_at", ""}, {"parent_address", ""}});
  table.Add({invited.token(), invited.label(), Date(invited.has_expires_at(), invited.expires_at()),
             invited.parent_address()});
  Emit(invocation, ToJson(invited), table);
  return absl::OkStatus();
}

struct DepartmentOptions {
  v1::Department department;
  std::string out;
};

constexpr const char* kRoles[] = {"editor", "approver"};

absl::Status CheckUnwritten(const std::string& folder) {
  for (const char* name : {"editor.yaml", "approver.yaml", "profile.yaml"}) {
    const std::string file = absl::StrCat(folder, "/", name);
    if (FileExists(file)) {
      return Error(absl::StatusCode::kAlreadyExists, "file_exists",
                   absl::StrCat(file, Text(" 已经存在，不覆盖", " exists and is not overwritten")),
                   file, Text("换一个 --out 目录", "choose another --out folder"));
    }
  }
  return absl::OkStatus();
}

absl::Status SaveProfiles(const v1::AddDepartmentResponse& answer, const std::string& folder,
                          const std::map<std::string, SigningKey>& keys, const Profile& operators) {
  GT_RETURN_IF_ERROR(MakeFolder(folder));
  for (const auto& [role, key] : keys) {
    const v1::CertificateChain* chain = nullptr;
    for (const v1::ProfileCertificate& issued : answer.certificates()) {
      if (issued.role() == role) chain = &issued.chain();
    }
    if (chain == nullptr) {
      return Error(
          absl::StatusCode::kInternal, "certificate_missing",
          absl::StrCat(Text("节点没有签发证书：", "the node issued no certificate: "), role), role);
    }
    const Profile profile{.node = operators.node,
                          .network = operators.network,
                          .node_id = operators.node_id,
                          .role = role,
                          .uscc = answer.department().uscc(),
                          .certificate_pem = ChainToPem(*chain),
                          .key_pem = key.ToPem()};
    GT_RETURN_IF_ERROR(SaveProfile(absl::StrCat(folder, "/", role, ".yaml"), profile));
    if (role == "editor") {
      GT_RETURN_IF_ERROR(SaveProfile(absl::StrCat(folder, "/profile.yaml"), profile));
    }
  }
  return absl::OkStatus();
}

absl::Status RunAddDepartment(const Invocation& invocation, const DepartmentOptions& options) {
  GT_RETURN_IF_ERROR(CheckUnwritten(options.out));
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  v1::AddDepartmentRequest request;
  *request.mutable_department() = options.department;
  request.mutable_department()->set_uscc(absl::AsciiStrToUpper(options.department.uscc()));
  // The private keys never leave this machine.
  std::map<std::string, SigningKey> keys;
  for (const char* role : kRoles) {
    GT_ASSIGN_OR_RETURN(SigningKey key, SigningKey::Generate());
    v1::ProfileKey* wanted = request.add_keys();
    wanted->set_role(role);
    wanted->set_public_key(key.public_key());
    keys.emplace(role, std::move(key));
  }
  GT_ASSIGN_OR_RETURN(const auto answer, connection->Call<v1::AddDepartmentResponse>(
                                             "guantong.v1.NodeService.AddDepartment", request));
  GT_RETURN_IF_ERROR(SaveProfiles(answer, options.out, keys, connection->profile()));
  if (!answer.warning().empty()) Say(absl::StrCat(Text("注意：", "note: "), answer.warning()));

  nlohmann::ordered_json document = ToJson(answer);
  document.erase("certificates");
  document["profiles"] = nlohmann::ordered_json::array();
  Table table = Facts();
  table.Add({Text("部门", "department"), answer.department().name()});
  table.Add({Text("统一社会信用代码", "USCC"), answer.department().uscc()});
  table.Add({Text("区划", "division"), answer.department().division()});
  for (const char* name : {"editor.yaml", "approver.yaml", "profile.yaml"}) {
    const std::string file = absl::StrCat(options.out, "/", name);
    document["profiles"].push_back(file);
    table.Add({Text("身份档案", "profile"), file});
  }
  Emit(invocation, document, table);
  return absl::OkStatus();
}

}  // namespace

void AddAdmission(CLI::App* app, Invocation* invocation) {
  auto* invite = app->add_subcommand(
      "invite", Text("为下级节点开具一次性加入令牌", "a one-time token for a node to join below"));
  const auto options = std::make_shared<InviteOptions>();
  invite->add_option("--division", options->division, Text("区划代码", "division code"))
      ->required();
  invite->add_option("--name", options->name, Text("名称", "name"))->required();
  invite->add_option("--expires", options->expires,
                     Text("有效时长，默认一天", "how long it is good, a day by default"));
  invite->callback([invocation, options] {
    invocation->action = [invocation, options] { return RunInvite(*invocation, *options); };
  });

  auto* department = app->add_subcommand("department", Text("部门", "departments"));
  department->require_subcommand(1);
  auto* add = department->add_subcommand(
      "add",
      Text("登记部门，签发编目员和审批员身份", "register one, with editor and approver profiles"));
  const auto added = std::make_shared<DepartmentOptions>();
  add->add_option("--uscc", *added->department.mutable_uscc(),
                  Text("统一社会信用代码", "unified social credit code"))
      ->required();
  add->add_option("--division", *added->department.mutable_division(),
                  Text("所属区划代码", "division code"))
      ->required();
  add->add_option("--name", *added->department.mutable_name(), Text("名称", "name"))->required();
  add->add_option("--kind", *added->department.mutable_kind(), Text("类别", "kind"));
  add->add_flag_callback(
      "--supervising", [added] { added->department.set_supervising(true); },
      Text("是本区划的政务数据主管部门", "the supervising authority of its division"));
  add->add_option("--out", added->out, Text("写身份档案的目录", "folder for the profiles"))
      ->required();
  add->callback([invocation, added] {
    invocation->action = [invocation, added] { return RunAddDepartment(*invocation, *added); };
  });
}

}  // namespace guantong
