// init: a new node's folder. D/identity first, then D/admin.yaml, and D/node.yaml last: with it the
// folder is a node, without it `init` can be said again and goes on where it stopped.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/certificate.h"
#include "catalog/base/digest.h"
#include "catalog/base/signature.h"
#include "catalog/base/status.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/config.h"
#include "node/form/json_form.h"
#include "node/identity/files.h"
#include "node/identity/identity.h"
#include "node/language.h"

namespace guantong {
namespace {

struct InitOptions {
  std::string dir;
  NodeConfig config;
  std::string level;
  std::string catalog_scope;
  std::string token;
  bool root = false;
};

absl::Status CheckOptions(InitOptions* options) {
  while (options->dir.size() > 1 && options->dir.back() == '/') options->dir.pop_back();
  NodeConfig& config = options->config;
  const auto* level = FindEnum(*v1::Level_descriptor(), options->level);
  if (level == nullptr || level->number() == 0) {
    return UsageError(absl::StrCat(Text("--level 应为以下之一：", "--level should be one of "),
                                   EnumNames(*v1::Level_descriptor())));
  }
  config.level = static_cast<v1::Level>(level->number());
  if (!options->catalog_scope.empty()) {
    const auto* scope = FindEnum(*v1::SearchScope_descriptor(), options->catalog_scope);
    if (scope == nullptr || scope->number() == 0) {
      return UsageError(
          absl::StrCat(Text("--catalog-scope 应为以下之一：", "--catalog-scope should be one of "),
                       EnumNames(*v1::SearchScope_descriptor())));
    }
    config.catalog_scope = static_cast<v1::SearchScope>(scope->number());
  }
  if (options->root == !config.parent.empty()) {
    return UsageError(Text("要么 --root，要么 --join 上级地址 --token 令牌",
                           "say either --root, or --join PARENT:PORT --token T"));
  }
  if (options->root != options->token.empty()) {
    return UsageError(Text("--token 与 --join 同用", "--token goes with --join"));
  }
  if (config.advertise.empty()) config.advertise = config.listen;
  if (const absl::Status status = CheckConfig(config, ""); !status.ok()) {
    return UsageError(std::string(status.message()));
  }
  return absl::OkStatus();
}

absl::Status MakeIdentity(InitOptions* init) {
  const InitOptions& options = *init;
  const NodeConfig& config = options.config;
  // An earlier run may have got this far. A token is used up by then, so it cannot be tried again.
  const bool exists = FileExists(absl::StrCat(options.dir, "/identity/chain.pem"));
  if (exists) return absl::OkStatus();
  if (options.root) return CreateRootIdentity(options.dir, config.name);
  GT_ASSIGN_OR_RETURN(const v1::EnrolResponse admitted,
                      JoinNetwork(options.dir, config.parent, options.token, config.division,
                                  config.name, config.level));
  init->config.approvals = admitted.approvals();
  return absl::OkStatus();
}

absl::Status SaveAdmin(const InitOptions& options, const Identity& identity,
                       const std::string& file) {
  GT_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate());
  GT_ASSIGN_OR_RETURN(const v1::CertificateChain chain,
                      IssueProfile(identity, CertificateRole::kOperator, "", options.config.name,
                                   key.public_key()));
  return SaveProfile(file, {.node = LocalAddress(options.config.listen),
                            .network = identity.self.network,
                            .node_id = identity.self.node_id,
                            .role = "operator",
                            .certificate_pem = ChainToPem(chain),
                            .key_pem = key.ToPem()});
}

absl::Status RunInit(const Invocation& invocation, InitOptions options) {
  GT_RETURN_IF_ERROR(CheckOptions(&options));
  const std::string config_file = absl::StrCat(options.dir, "/", kConfigFile);
  if (FileExists(config_file)) {
    return Error(absl::StatusCode::kAlreadyExists, "node_exists",
                 absl::StrCat(options.dir, Text(" 已经是一个节点", " is a node already")),
                 options.dir,
                 Text("换一个目录；改设置请编辑 node.yaml",
                      "choose another folder; settings are in node.yaml"));
  }
  GT_RETURN_IF_ERROR(MakeFolder(options.dir));
  GT_RETURN_IF_ERROR(MakeIdentity(&options));
  GT_ASSIGN_OR_RETURN(const Identity identity, LoadIdentity(options.dir));
  if (options.root != identity.self.path.is_root()) {
    return Error(absl::StatusCode::kFailedPrecondition, "identity_exists",
                 Text("目录里已有另一种身份", "the folder holds an identity of the other kind"),
                 options.dir, Text("换一个目录", "choose another folder"));
  }
  const std::string admin = absl::StrCat(options.dir, "/admin.yaml");
  GT_RETURN_IF_ERROR(SaveAdmin(options, identity, admin));
  GT_RETURN_IF_ERROR(SaveConfig(options.dir, options.config));

  const nlohmann::ordered_json document = {{"dir", options.dir},
                                           {"config", config_file},
                                           {"profile", admin},
                                           {"node_id", HexOf(identity.self.node_id)},
                                           {"network", HexOf(identity.self.network)},
                                           {"path", identity.self.path.text()}};
  Table table = Facts();
  table.Add({Text("节点", "node"),
             absl::StrCat(options.config.name, "  ", DisplayPath(identity.self.path))});
  table.Add({Text("标识", "id"), HexOf(identity.self.node_id)});
  table.Add({Text("配置", "configuration"), config_file});
  table.Add({Text("运维身份档案", "operator's profile"), admin});
  Emit(invocation, document, table);
  Say(absl::StrCat(Text("下一步：guantongd --dir ", "next: guantongd --dir "), options.dir));
  return absl::OkStatus();
}

}  // namespace

void AddInit(CLI::App* app, Invocation* invocation) {
  auto* init = app->add_subcommand("init", Text("建立一个节点：根节点或加入上级",
                                                "make a node: a root, or one that joins a parent"));
  const auto options = std::make_shared<InitOptions>();
  NodeConfig& config = options->config;
  init->add_option("--dir", options->dir, Text("节点目录", "the node's folder"))->required();
  init->add_option("--division", config.division,
                   Text("六位行政区划代码", "division code, six digits"))
      ->required();
  init->add_option("--name", config.name, Text("名称", "name"))->required();
  init->add_option("--level", options->level, "national|province|city|county|town|zone")
      ->required();
  init->add_option("--listen", config.listen, Text("监听地址 HOST:PORT", "HOST:PORT to listen at"))
      ->required();
  init->add_option(
      "--advertise", config.advertise,
      Text("下级和客户端拨的地址，默认同 --listen", "what others dial, default as --listen"));
  init->add_option("--catalog-scope", options->catalog_scope, "branch|province|country");
  auto* join = init->add_option("--join", config.parent, Text("上级地址", "address of the parent"));
  init->add_option("--token", options->token, Text("上级给的令牌", "the parent's token"));
  auto* root = init->add_flag("--root", options->root, Text("作为根节点", "as the root"));
  root->excludes(join);
  constexpr uint32_t kStandardApprovals = 2;
  config.approvals = kStandardApprovals;
  init->add_option("--approvals", config.approvals,
                   Text("全网审批级数 0、1、2", "approvals of the network: 0, 1, 2"))
      ->check(CLI::Range(0, 2))
      ->needs(root);
  init->callback([invocation, options] {
    invocation->action = [invocation, options] { return RunInit(*invocation, *options); };
  });
}

}  // namespace guantong
